package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
)

// A worker takes steps of one use, on a goroutine or thread of one kind. Its
// fields up to progress are its own.
type worker struct {
	*round
	use        use
	kind       string
	rnd        *rand.Rand
	state      any  // of the load
	cancelable bool // it is among the victims
	unwinds    bool // the panic of a canceled wait leaves its function
	noticed    int  // waits that were canceled
	counts     map[string]int64

	progress atomic.Int64
	canceled atomic.Bool // set before Thread.Cancel is called
	asleep   atomic.Pointer[string]
}

// newRand returns a generator that depends on from.
func newRand(from *rand.Rand) *rand.Rand { return rand.New(rand.NewPCG(from.Uint64(), from.Uint64())) }

func (r *round) newWorker(u use, kind string, rnd *rand.Rand) *worker {
	w := &worker{round: r, use: u, kind: kind, rnd: newRand(rnd)}
	r.tally.of(key{"caller", kind, "workers"}).Add(1)
	r.watch.add(w)
	return w
}

// end is called when w's thread is joined.
func (w *worker) end() {
	w.watch.remove(w)
	w.count("steps", w.progress.Load())
	w.flush()
	w.tally.of(key{"caller", w.kind, "steps"}).Add(w.progress.Load())
}

// count counts an event of the load. w alone calls it.
func (w *worker) count(what string, n int64) {
	if w.counts == nil {
		w.counts = map[string]int64{}
	}
	w.counts[what] += n
}

// flush adds what w has counted to the tally.
func (w *worker) flush() {
	for what, n := range w.counts {
		w.tally.of(key{"load", w.use.name, what}).Add(n)
	}
}

func (w *worker) String() string {
	s := fmt.Sprintf("worker of %s (%s), round %d, %d steps", w.use.name, w.kind, w.round.number, w.progress.Load())
	if shape := w.asleep.Load(); shape != nil {
		s += ", in " + *shape
	}
	if w.canceled.Load() {
		s += ", canceled"
	}
	return s
}

// work takes steps for up to a third of a second, or one. It is the function of
// the worker's goroutine or thread.
func (w *worker) work() {
	if w.cancelable {
		t := osthread.Current()
		w.victims.add(w, t)
		defer w.victims.remove(w)
	}
	end := time.Now().Add(time.Duration(w.rnd.IntN(300)) * time.Millisecond)
	for !w.stopped.Load() {
		if !w.step() || time.Now().After(end) {
			return
		}
		if w.rnd.IntN(32) == 0 { // leaves time to the loads whose steps are long
			time.Sleep(time.Duration(w.rnd.IntN(500)) * time.Microsecond)
		}
	}
}

// step takes a step, and reports whether w continues.
func (w *worker) step() (more bool) {
	defer func() {
		w.progress.Add(1)
		v := recover()
		if v == nil {
			return
		}
		c, ok := v.(*osthread.CanceledError)
		if !ok {
			stack := make([]byte, 1<<14)
			w.fail("%v: panic: %v\n%s", w, v, stack[:runtime.Stack(stack, false)])
		}
		w.notice(c)
		if w.unwinds {
			panic(v)
		}
		more = true
	}()
	w.use.step(w)
	return true
}

// errCause is the cause of each Thread.Cancel.
var errCause = errors.New("canceled by the soak")

// notice is called for each wait that Thread.Cancel has ended: one at most.
func (w *worker) notice(err error) {
	if !errors.Is(err, errCause) {
		w.fail("%v: canceled, but with %v", w, err)
	}
	if !w.canceled.Load() {
		w.fail("%v: a wait was canceled, but not the thread", w)
	}
	if w.noticed++; w.noticed > 1 {
		w.fail("%v: one Cancel has ended two waits", w)
	}
	w.count("canceled", 1)
}

// dwell passes a little time in a critical section, to widen its races.
func (w *worker) dwell() {
	switch w.rnd.IntN(40) {
	case 0:
		runtime.Gosched()
	case 1:
		thread.Yield()
	case 2:
		time.Sleep(time.Duration(w.rnd.IntN(100)) * time.Microsecond)
	case 3:
		for range w.rnd.IntN(2000) {
			runtime.NumCPU() // takes a few nanoseconds
		}
	}
}

// victims are the workers on threads that may be canceled.
type victims struct {
	mu sync.Mutex
	m  map[*worker]*osthread.Thread
}

func (v *victims) add(w *worker, t *osthread.Thread) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.m == nil {
		v.m = map[*worker]*osthread.Thread{}
	}
	v.m[w] = t
}

func (v *victims) remove(w *worker) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.m, w)
}

// cancel cancels one of them, which may have ended by then, and reports whether
// there was one.
func (v *victims) cancel() bool {
	t := v.pick()
	if t != nil {
		t.Cancel(errCause)
	}
	return t != nil
}

func (v *victims) pick() *osthread.Thread {
	v.mu.Lock()
	defer v.mu.Unlock()
	for w, t := range v.m { // in a random order
		w.canceled.Store(true)
		return t
	}
	return nil
}
