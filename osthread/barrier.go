package osthread

import (
	"context"
	"fmt"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/barrier.pml. Everything but the action happens under one guard.
// Each generation is an object of its own:
//
//	filling --the last one comes--> tripped --the action returns--> released: all waiters get their index
//	   |                               |
//	   |  Abort, Reset, a waiter        |  the action panics, or ends the goroutine
//	   |  whose time is up              |
//	   +------------> broken <---------+      all waiters get ErrBroken
//
// When a generation trips or breaks, the barrier gets a new one at once, so
// that the next round may fill while the last one is still on its way out, and
// while its action runs. A waiter whose time is up in a generation that has
// tripped waits for the action's end: it is on the way out already.

// A Barrier lets a number of parties go on when all of them have come, again
// and again (Python: threading.Barrier, POSIX: pthread_barrier_t). It comes
// from NewBarrier and must not be copied. The zero Barrier has no parties: its
// waits, Abort and Reset panic with an error that is ErrCount.
//
// A barrier that is broken lets nobody wait, and lets those who wait go, with
// ErrBroken, until Reset.
//
// In the terms of the Go memory model, each Wait of a round synchronizes before
// the action, and the action before the return of each Wait.
type Barrier struct {
	parties int
	action  func()

	mu     wait.Guard
	gen    *generation
	broken bool
	spin   park.Spinner
	_      noCopy
}

type generation struct {
	q       wait.List
	arrived int
	tripped bool

	contexts int // waiters that wait with one
}

// canceled reports whether the context of a waiter is done: it is about to
// break the barrier, and a later caller must not complete the round first. It
// looks at all waiters, so it is for the last caller alone.
func (g *generation) canceled() bool { return g.contexts > 0 && g.q.AnyCanceled() }

// NewBarrier returns a barrier for n parties. Of each round the last to come
// runs action, if not nil, before any goes on. It panics with an error that is
// ErrCount if n < 1.
//
// The action should not wait for its own barrier: the waiters of its round go
// on only after it, so such a wait ends only if as many others come.
func NewBarrier(n int, action func()) *Barrier {
	if n < 1 {
		panic(misuse("NewBarrier", ErrCount))
	}
	return &Barrier{parties: n, action: action, gen: new(generation)}
}

// Parties returns how many have to come.
func (b *Barrier) Parties() int { return b.parties }

// Waiting returns how many have come in this round and wait; 0 once the last
// has come.
func (b *Barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gen == nil {
		return 0
	}
	return b.gen.arrived
}

// lock locks the guard, of a barrier that comes from NewBarrier.
func (b *Barrier) lock(what string) {
	if b.parties == 0 {
		panic(misuse("Barrier."+what, ErrCount))
	}
	b.mu.Lock()
}

// Broken reports whether the barrier is broken.
func (b *Barrier) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// Wait waits for the others. It returns the order in which the caller came, 0
// to Parties()-1, or an error that is ErrBroken. If the action panics, or calls
// runtime.Goexit, that goes on in the goroutine that called it, and the barrier
// is broken.
func (b *Barrier) Wait() (index int, err error) { return b.wait(park.Forever()) }

// TryWait is WaitTimeout(0): only the last to come can pass.
func (b *Barrier) TryWait() (index int, err error) { return b.WaitTimeout(0) }

// WaitTimeout is Wait for at most d; past that it breaks the barrier and
// returns an error that is both ErrTimeout and ErrBroken. The last to come is
// never too late. d <= 0 never sleeps, so it breaks the barrier for all but the
// last.
func (b *Barrier) WaitTimeout(d time.Duration) (index int, err error) {
	return b.wait(park.For(d))
}

// WaitContext is Wait until ctx is done; it then breaks the barrier and returns
// an error that is both ctx's cause and ErrBroken. If ctx is done already it
// does so at once, even as the last to come.
func (b *Barrier) WaitContext(ctx context.Context) (index int, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		b.Abort()
		return 0, gaveUp(err)
	}
	return b.wait(l)
}

// Abort breaks the barrier until Reset.
func (b *Barrier) Abort() {
	b.lock("Abort")
	b.broken = true
	b.breakGeneration()
}

// Reset makes the barrier new, and whole. Those who wait get ErrBroken.
func (b *Barrier) Reset() {
	b.lock("Reset")
	b.broken = false
	b.breakGeneration()
}

// breakGeneration lets those who wait for the filling generation go, with
// ErrBroken, and gives the guard back.
func (b *Barrier) breakGeneration() {
	first := b.gen.q.TakeAll()
	b.gen = new(generation)
	b.mu.Unlock()
	wait.WakeAll(first, gotBroken)
}

const gotBroken = gotLock + 1 // beside gotNotice: the round is complete

func gaveUp(why error) error { return fmt.Errorf("osthread: %w: %w", ErrBroken, why) }

func (b *Barrier) wait(l park.Limit) (index int, err error) {
	if trace.Enabled() {
		trace.Around(b, func() bool { index, err = b.waitQueued(&l); return true }, nil)
		return index, err
	}
	return b.waitQueued(&l)
}

func (b *Barrier) waitQueued(l *park.Limit) (index int, err error) {
	b.lock("Wait")
	if b.broken {
		b.mu.Unlock()
		return 0, ErrBroken
	}
	g := b.gen
	if last := g.arrived == b.parties-1; l.Canceled() || last && g.canceled() {
		b.broken = true
		b.breakGeneration()
		if l.Canceled() {
			return 0, gaveUp(l.Err(nil))
		}
		return 0, ErrBroken
	}
	index = g.arrived
	g.arrived++
	if g.arrived == b.parties {
		g.tripped = true
		b.gen = new(generation)
		b.mu.Unlock()
		b.trip(g)
		return index, nil
	}
	if l.Expired() {
		b.broken = true
		b.breakGeneration()
		return 0, gaveUp(l.Err(ErrTimeout))
	}
	n := wait.New(b.spinner(), l)
	defer n.Free()
	g.q.PushBack(n)
	if l.Source() != nil {
		g.contexts++
	}
	b.mu.Unlock()
	leave := func(n *wait.Node) bool { return b.leave(g, n) }
	if !wait.Sleep(n, leave, l) {
		return 0, gaveUp(l.Err(ErrTimeout))
	}
	if n.Got == gotBroken {
		return 0, ErrBroken
	}
	return index, nil
}

// spinner returns what those who wait look by before they sleep: nothing where
// some of them would keep the others from their processors.
func (b *Barrier) spinner() *park.Spinner {
	if b.parties > park.Procs() {
		return nil
	}
	return &b.spin
}

// trip runs the action of the full generation g and lets its waiters go.
func (b *Barrier) trip(g *generation) {
	got := gotBroken
	defer func() {
		b.mu.Lock()
		if got == gotBroken {
			b.broken = true
		}
		first := g.q.Drain() // whose context is done since counts as well
		if got == gotBroken {
			defer b.breakNext()
		}
		b.mu.Unlock()
		wait.WakeAll(first, got)
	}()
	if b.action != nil {
		b.action()
	}
	got = gotNotice
}

// breakNext lets those go who came for the round after the one whose action
// failed.
func (b *Barrier) breakNext() {
	b.mu.Lock()
	if !b.broken { // Reset since
		b.mu.Unlock()
		return
	}
	b.breakGeneration()
}

// leave breaks the barrier for the waiter n of g, whose time is up, and reports
// true; or false if g is complete or broken already.
func (b *Barrier) leave(g *generation, n *wait.Node) bool {
	b.mu.Lock()
	if g.tripped || !g.q.Remove(n) {
		b.mu.Unlock()
		return false
	}
	b.broken = true
	b.breakGeneration()
	return true
}
