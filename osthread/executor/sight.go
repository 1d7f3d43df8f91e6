package executor

import (
	"unsafe"

	"example.com/thread/internal/sight"
	"example.com/thread/internal/waitfor"
)

// What package inspect asks of this one: the threads that can complete a
// future, or end a call of a Worker, and how much a pool or a Worker has to do.

func init() {
	sight.Register(explain)
	sight.RegisterPools(describe)
}

func describe(owner any) (sight.Pool, bool) {
	switch o := owner.(type) {
	case *Worker:
		p := sight.Pool{Name: o.o.Attr.Name, Threads: 1, Backlog: o.box.Len()}
		if o.box.Idle() {
			p.Idle = 1
		}
		return p, true
	case *pool:
		return o.describe(), true
	default:
		return sight.Pool{}, false
	}
}

func (p *pool) describe() sight.Pool {
	p.guard.Lock()
	defer p.guard.Unlock()
	return sight.Pool{
		Name: p.Attr.Name, Threads: p.threads, Idle: p.idle.Len(),
		Backlog: p.backlog.Len(), Max: max(p.Backlog, 0), Blocked: p.waiting.Len(),
	}
}

func explain(object any, parker unsafe.Pointer) (sight.Reason, bool) {
	switch o := object.(type) {
	case *Worker:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		return anyOf([]*waitfor.Thread{&o.host}, o.thread != nil), true
	case interface{ base() *task }:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		return anyOf(o.base().servers(nil)), true
	default:
		return sight.Reason{}, false
	}
}

func anyOf(threads []*waitfor.Thread, known bool) (r sight.Reason) {
	if !known {
		return r
	}
	for _, t := range threads {
		slot, lives := t.Slot()
		if !lives {
			return sight.Reason{} // another one comes in its place, or the future fails
		}
		r.Slots = append(r.Slots, slot)
	}
	r.Needs = sight.Any
	return r
}
