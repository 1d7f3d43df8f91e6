package queue

import (
	"cmp"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/osthread"
)

// A value that has been got is nobody's but the getter's: while the queue and
// what it was got by can still be reached, it is collected.
func TestValuesThatWereGotAreNotKept(t *testing.T) {
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
	get := func(g *GetOp[value]) {
		osthread.WaitAny(g)
		_, _ = g.Result()
	}
	for name, use := range map[string]func(q *Queue[value], g *GetOp[value]){
		"Get": func(q *Queue[value], _ *GetOp[value]) { put(q); _ = q.Drain() },
		"GetOp": func(q *Queue[value], g *GetOp[value]) {
			put(q)
			for range n {
				get(g)
			}
		},
		"GetOp that waits": func(q *Queue[value], g *GetOp[value]) {
			for range n {
				done := make(chan struct{})
				go func() {
					defer close(done)
					for get, _ := q.Waiting(); get == 0; get, _ = q.Waiting() {
						runtime.Gosched()
					}
					_ = q.Put(made())
				}()
				get(g)
				<-done
			}
		},
		"GetOp twice at once": func(q *Queue[value], g *GetOp[value]) {
			put(q)
			for range n / 2 {
				osthread.WaitAll(g, g)
				_, _ = g.Result()
				_, _ = g.Result()
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
				g := q.GetOp()
				use(q, g)
				for i := 0; i < 20 && freed.Load() < n; i++ {
					runtime.GC()
				}
				assert.EqualValues(t, n, freed.Load())
				runtime.KeepAlive(q)
				runtime.KeepAlive(g)
			})
		}
	}
}
