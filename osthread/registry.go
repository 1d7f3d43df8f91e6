package osthread

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/internal/ident"
)

// The registry holds every live thread: the main one, those started, and
// dummies. A thread finds its own Thread
//
//   - in a Key, if it has a record of package thread: threads of created,
//     attached and alien ones. The Key's destructor ends a dummy;
//   - under its slot, which no other living thread has, if Go made it and it
//     has no record. Nothing reports the end of such a thread, so the dummies
//     of ended ones are dropped when threads are listed or a dummy is added.

// TimeoutMax is the longest timeout (Python: TIMEOUT_MAX).
const TimeoutMax = time.Duration(math.MaxInt64)

var self thread.Key[*Thread]

type threads struct {
	mu      sync.Mutex
	alive   map[*Thread]struct{}
	dummies map[*Thread]struct{}
	slots   map[uintptr]*Thread // dummies of threads of Go's, by slot
	natives map[int]*Thread     // dummies by native id, where the system has those
	sweepAt int                 // the number of dummies at which addDummy sweeps out those of ended threads
	closed  bool                // after Shutdown
	numbers int                 // of dummies' names
	changed Condition           // on mu: a thread has left alive

	exists func(native int) bool // a system call
}

var registry = newRegistry()

func newRegistry() *threads {
	r := &threads{
		alive: map[*Thread]struct{}{}, dummies: map[*Thread]struct{}{},
		slots: map[uintptr]*Thread{}, natives: map[int]*Thread{},
		sweepAt: leastSwept, exists: ident.Exists,
	}
	r.changed.L = &r.mu
	return r
}

var mainThread = &Thread{origin: first, state: running, name: "MainThread", hooks: true}

func init() {
	// A thread of created has ended before, unless C code ended it under its
	// function.
	self.Destructor = func(t *Thread) {
		if t.origin != first {
			t.finish(ErrPthreadExit)
		}
	}
	// Package initialization runs on the process's first thread.
	mainThread.ident, mainThread.native = thread.Self(), thread.NativeID()
	registry.alive[mainThread] = struct{}{}
}

func (r *threads) add(t *Thread) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrShutdown
	}
	t.seq = starts.Add(1)
	r.alive[t] = struct{}{}
	return nil
}

func (r *threads) remove(t *Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(t)
	r.changed.NotifyAll()
}

// drop takes t out. The caller has mu.
func (r *threads) drop(t *Thread) {
	delete(r.alive, t)
	if _, ok := r.dummies[t]; !ok {
		return
	}
	delete(r.dummies, t)
	if r.slots[t.slot] == t {
		delete(r.slots, t.slot)
	}
	if r.natives[t.native] == t {
		delete(r.natives, t.native)
	}
}

// takeGone takes out the dummies of threads whose end nothing reported: those
// made by Go, and those that C code ended by a system call. It makes a system
// call for each dummy. The caller has mu and passes the result to endGone after
// the unlock, since that calls code which may use the registry.
func (r *threads) takeGone() (gone []*Thread) {
	for t := range r.dummies {
		if t.osThread != nil && !t.osThread.Alive() || !r.exists(t.native) {
			r.drop(t)
			gone = append(gone, t)
		}
	}
	r.sweepAt = max(leastSwept, 2*len(r.dummies))
	return gone
}

func endGone(gone []*Thread) {
	for _, t := range gone {
		t.finish(nil)
	}
}

// snapshot returns the live threads, the main one first, then in the order of
// their starts.
func (r *threads) snapshot() []*Thread {
	r.mu.Lock()
	gone := r.takeGone()
	all := make([]*Thread, 0, len(r.alive))
	for t := range r.alive {
		all = append(all, t)
	}
	r.mu.Unlock()
	endGone(gone)
	slices.SortFunc(all, func(a, b *Thread) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// Threads ranges over the live threads as they were when the range began: the
// main thread, those started, including those whose function has not begun yet,
// and dummies.
func Threads() iter.Seq[*Thread] {
	return func(yield func(*Thread) bool) {
		for _, t := range registry.snapshot() {
			if !yield(t) {
				return
			}
		}
	}
}

// NumThread returns how many threads Threads would range over.
func NumThread() int { return len(registry.snapshot()) }

// Main returns the thread that the process began with; in a library that a C
// program loads, the thread on which Go was initialized.
func Main() *Thread { return mainThread }

// Current returns the calling thread. For a thread that this package did not
// start it creates a dummy: a Thread that lives until the thread ends, is a
// daemon, and cannot be joined. thread.Attach and Detach change what the thread
// is known by: the next Current creates another dummy. In a goroutine that is
// not locked to a thread it is the Thread of the thread that the goroutine is
// on at the moment, which may be another at the next call. Current takes about
// 5 ns on a thread from Start.
func Current() *Thread {
	if t, ok := self.Get(); ok {
		return t
	}
	return currentSlow()
}

func currentSlow() *Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if t := known(); t != nil {
		return t
	}
	if th := thread.Current(); th != nil {
		t := registry.newDummy(th.Name())
		t.osThread, t.ident, t.native = th, th.Ident(), th.NativeID()
		_ = self.Set(t) // it fails only where there is no thread
		registry.addDummy(t, ident.None)
		return t
	}
	t := registry.newDummy("")
	t.ident, t.native = thread.Self(), thread.NativeID()
	registry.addDummy(t, ident.ID())
	return t
}

// known is Current that creates no dummy: it returns nil for a thread that has
// no Thread.
func known() *Thread {
	if t, ok := self.Get(); ok {
		return t
	}
	if thread.Self() == mainThread.ident {
		return mainThread
	}
	if thread.Current() != nil {
		return nil
	}
	slot := ident.ID()
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return registry.slots[slot]
}

func (r *threads) newDummy(name string) *Thread {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		r.numbers++
		name = fmt.Sprintf("Dummy-%d", r.numbers)
	}
	return &Thread{origin: dummy, state: running, name: name, daemon: true, hooks: true, seq: starts.Add(1)}
}

// addDummy adds t; slot is that of a thread made by Go. It sweeps out the
// dummies of ended threads only when there are twice as many dummies as the
// last sweep left, so that n first calls of Current make some 2*n system calls
// and not n*n.
func (r *threads) addDummy(t *Thread, slot uintptr) {
	var gone []*Thread
	r.mu.Lock()
	if old := r.natives[t.native]; old != nil { // the system has reused the id
		r.drop(old)
		gone = append(gone, old)
	}
	if len(r.dummies) >= r.sweepAt {
		gone = append(gone, r.takeGone()...)
	}
	r.alive[t] = struct{}{}
	r.dummies[t] = struct{}{}
	if t.slot = slot; slot != ident.None {
		r.slots[slot] = t
	}
	if t.native != 0 {
		r.natives[t.native] = t
	}
	r.mu.Unlock()
	endGone(gone)
}
