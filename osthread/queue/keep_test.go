package queue

import (
	"cmp"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// A value that has been taken is collected even if the queue and the GetOp are
// still reachable.
func TestQueueDoesNotKeepTakenValues(t *testing.T) {
	type value = *[1 << 16]byte
	var freed atomic.Int32
	made := func() value {
		v := new([1 << 16]byte)
		runtime.AddCleanup(v, func(struct{}) { freed.Add(1) }, struct{}{})
		return v
	}
	const n = 4
	put := func(q *Queue[value]) {
		for range n {
			_ = q.Put(made())
		}
	}
	get := func(op *GetOp[value]) {
		osthread.WaitAny(op)
		_, _ = op.Result()
	}
	for name, use := range map[string]func(q *Queue[value], op *GetOp[value]){
		"Get": func(q *Queue[value], _ *GetOp[value]) { put(q); _ = q.Drain() },
		"GetOp": func(q *Queue[value], op *GetOp[value]) {
			put(q)
			for range n {
				get(op)
			}
		},
		"GetOp that waits": func(q *Queue[value], op *GetOp[value]) {
			for range n {
				done := make(chan struct{})
				go func() {
					defer close(done)
					testutil.Await(func() bool { getters, _ := q.Waiting(); return getters > 0 })
					_ = q.Put(made())
				}()
				get(op)
				<-done
			}
		},
		"GetOp twice at once": func(q *Queue[value], op *GetOp[value]) {
			put(q)
			for range n / 2 {
				osthread.WaitAll(op, op)
				_, _ = op.Result()
				_, _ = op.Result()
			}
		},
		"Put that waits": func(q *Queue[value], _ *GetOp[value]) {
			q.max = 1
			done := make(chan struct{})
			go func() { defer close(done); put(q) }()
			for range n {
				_, _ = q.Get()
			}
			<-done
			q.max = 0
		},
		"ShutdownNow": func(q *Queue[value], _ *GetOp[value]) { put(q); q.ShutdownNow() },
	} {
		for kind, q := range map[string]*Queue[value]{
			"FIFO": New[value](0), "LIFO": NewLIFO[value](0),
			"priority": NewPriority(0, func(a, b value) int { return cmp.Compare(a[0], b[0]) }),
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				freed.Store(0)
				op := q.GetOp()
				use(q, op)
				for end := time.Now().Add(testutil.Timeout); freed.Load() < n && time.Now().Before(end); {
					runtime.GC()
				}
				assert.EqualValues(t, n, freed.Load())
				runtime.KeepAlive(q)
				runtime.KeepAlive(op)
			})
		}
	}
}
