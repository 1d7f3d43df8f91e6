package executor

import (
	"fmt"

	"example.com/thread/internal/trace"
)

// What package timeline asks of this one: the backlog of the pool whose future
// a thread waits for.

func init() { trace.RegisterGauge(backlog) }

func backlog(obj any) (of any, n int, ok bool) {
	f, ok := obj.(interface{ base() *task })
	if !ok {
		return nil, 0, false
	}
	p := f.base().pool
	if p == nil { // a Promise's
		return nil, 0, false
	}
	return p, p.queued(), true
}

// String returns that of the Executor, which is another object.
func (p *pool) String() string {
	return fmt.Sprintf("Executor(%s, %d queued)", p.Attr.Name, p.queued())
}
