package sync

import (
	"sync/atomic"

	"example.com/thread/osthread"
)

// # The algorithm of a WaitGroup
//
// It is that of Go's with an Event in place of the semaphore. One word has the
// counter and, below it, the number of waiters. A waiter counts itself in the
// step that finds the counter above 0, and then waits for the Event. The call
// of Add that makes the counter 0 takes the number of waiters out of the word
// and sets the Event. So each waiter that was counted finds it set or is woken:
// no wakeup is lost. The last of them to leave clears it. The next round begins
// after all have returned, as the rules of a WaitGroup demand, and finds it
// clear.
//
// A waiter whose sleep is canceled takes itself out of the word again, unless
// the counter is 0: then the Add has counted it, or is about to, and it leaves
// as the others do.
//
// Every access is sequentially consistent. A Done is a step of the word that
// the last Done's step follows, and that sets the Event: so each Done
// synchronizes before the return of the Wait that it ends.

// A WaitGroup is a counter of tasks that callers wait for, as [sync.WaitGroup]
// is. The zero value has no tasks. It must not be copied after first use.
//
//	var g sync.WaitGroup
//	g.Go(task1)
//	g.Go(task2)
//	g.Wait()
//
// In the terms of the Go memory model, a Done, and the return of a function
// that Go runs, synchronize before the return of any Wait that they end.
type WaitGroup struct {
	_ noCopy

	state   atomic.Uint64 // counter << 32 | waiters
	zero    osthread.Event
	leaving atomic.Int64 // waiters that zero was set for and that have not seen it
}

const oneTask = 1 << 32

// Add adds n, which may be negative, to the counter. When the counter becomes 0
// all waiters are woken. It panics if the counter becomes negative.
//
// An Add with n > 0 and the counter at 0 must come before the Wait that is to
// wait for it. A WaitGroup is used again only after all calls of Wait have
// returned. Add and Wait panic where they see that this was not kept.
func (g *WaitGroup) Add(n int) {
	s := g.state.Add(uint64(n) * oneTask)
	counter, waiters := int32(s>>32), uint32(s)
	switch {
	case counter < 0:
		panic("sync: negative WaitGroup counter")
	case waiters != 0 && n > 0 && counter == int32(n):
		panic("sync: WaitGroup misuse: Add called concurrently with Wait")
	case counter > 0 || waiters == 0:
		return
	}
	// Nobody may change the word now: Add needs a counter above 0, and Wait,
	// canceled or not, does not write if it is 0.
	if !g.state.CompareAndSwap(s, 0) {
		panic("sync: WaitGroup misuse: Add called concurrently with Wait")
	}
	g.leaving.Store(int64(waiters))
	g.zero.Set()
}

// Done is Add(-1).
func (g *WaitGroup) Done() { g.Add(-1) }

// Wait sleeps until the counter is 0.
func (g *WaitGroup) Wait() {
	for {
		s := g.state.Load()
		if s>>32 == 0 {
			return
		}
		if g.state.CompareAndSwap(s, s+1) {
			break
		}
	}
	g.sleep()
	if g.state.Load() != 0 {
		panic("sync: WaitGroup is reused before previous Wait has returned")
	}
}

// sleep waits for zero as a counted waiter, which leaves the counts even if the
// wait is canceled.
func (g *WaitGroup) sleep() {
	canceled := true
	defer func() {
		if canceled {
			if g.uncount() {
				return
			}
			osthread.Uncanceled(g.zero.Wait) // it is about to be set
		}
		if g.leaving.Add(-1) == 0 {
			g.zero.Clear()
		}
	}()
	g.zero.Wait()
	canceled = false
}

// uncount takes a waiter out of the word. It returns false if an Add counts it.
func (g *WaitGroup) uncount() bool {
	for {
		s := g.state.Load()
		if s>>32 == 0 {
			return false
		}
		if g.state.CompareAndSwap(s, s-1) {
			return true
		}
	}
}

// Go calls f in a new goroutine, as a task: it counts from the call of Go to
// the return of f. The goroutine is an ordinary one; f may lock it to a thread.
// f must not panic: the panic ends the process, and no Wait returns before.
func (g *WaitGroup) Go(f func()) {
	g.Add(1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				// Done would let Wait return, and main end the process before
				// the panic does.
				panic(v)
			}
			g.Done() // f has returned or called runtime.Goexit
		}()
		f()
	}()
}
