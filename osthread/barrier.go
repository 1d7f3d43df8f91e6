package osthread

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// Models: verify/barrier.pml, verify/broadcast.pml. Everything but the action
// happens under one guard. A generation is an object of its own:
//
//	filling --the last party arrives--> tripped --the action returns--> released: all waiters get their index
//	   |                                   |
//	   |  Abort, Reset, a timeout           |  the action panics, or ends the goroutine
//	   |                                   |
//	   +------------> broken <-------------+      all waiters get ErrBroken
//
// When a generation trips or breaks the barrier gets a new one at once, so the
// next round may fill while the waiters of the last one still leave, and while
// its action runs. A waiter that times out after its generation has tripped
// waits for the end of the action, and succeeds.

// A Barrier releases a fixed number of parties when all of them have arrived,
// repeatedly (Python: threading.Barrier, POSIX: pthread_barrier_t). It comes
// from [NewBarrier] and must not be copied. The zero Barrier has no parties:
// its waits, Abort and Reset panic with an error that is [ErrCount].
//
// While a barrier is broken all waits return [ErrBroken], until Reset.
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
	seen   members // in watch mode
	_      noCopy
}

// A generation is the barrier's until it breaks, or trips if there is an
// action. Without one its waiters are released in the step that trips it, and
// it begins anew. All waiters of a round get the same, so those on threads
// sleep together (park.Broadcast); all others have a node in q.
type generation struct {
	q        wait.List // under the barrier's guard
	arrived  int
	contexts int // waiters that have one

	threads park.Broadcast // its epochs are the rounds
	broken  atomic.Uint32  // 1 + the epoch that broke, which is the last; 0: none
}

// canceled reports whether the context of a waiter is done: that waiter is
// about to break the barrier, and a later caller must not complete the round
// first. It checks all waiters, so only the last caller calls it.
func (g *generation) canceled() bool { return g.contexts > 0 && g.q.AnyCanceled() }

// end wakes the n waiters of g's last round: the chain that begins with first
// and those on threads.
func (b *Barrier) end(g *generation, first *wait.Node, n, got int) {
	if got == gotBroken {
		g.broken.Store(g.threads.Epoch() + 1)
	}
	if g.threads.End(b.parties) {
		g.threads.Wake()
	}
	wait.WakeAll(first, got)
	b.released(n)
}

// released reports that the caller has woken n waiters.
func (b *Barrier) released(n int) {
	if n > 0 {
		trace.Released(b)
	}
}

// again wakes the waiters of g's round, which is full, and begins the next one.
// It releases the guard.
func (b *Barrier) again(g *generation) {
	g.arrived, g.contexts = 0, 0
	first := g.q.Drain()
	wake := g.threads.End(b.parties)
	b.mu.Unlock()
	if wake {
		g.threads.Wake()
	}
	wait.WakeAll(first, gotNotice)
	b.released(b.parties - 1)
}

// NewBarrier returns a barrier for n parties. In each round the last party to
// arrive runs action, if not nil, before any is released. NewBarrier panics
// with an error that is [ErrCount] if n < 1.
//
// The action should not wait for its own barrier: the waiters of its round are
// released only after it, so such a wait ends only if as many others arrive.
func NewBarrier(n int, action func()) *Barrier {
	if n < 1 {
		panic(misuse("NewBarrier", ErrCount))
	}
	return &Barrier{parties: n, action: action, gen: new(generation)}
}

// Parties returns the number of parties.
func (b *Barrier) Parties() int { return b.parties }

// Waiting returns how many parties wait in this round; 0 once the last one has
// arrived. The result may be stale by the time it is used.
func (b *Barrier) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gen == nil {
		return 0
	}
	return b.gen.arrived
}

// lock locks the guard. It panics if b is the zero Barrier.
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

// Wait waits for the other parties. It returns the order in which the caller
// arrived, 0 to Parties()-1, or an error that is [ErrBroken]. If the action
// panics or calls runtime.Goexit, that continues in the goroutine that ran it,
// and the barrier is broken.
func (b *Barrier) Wait() (index int, err error) { return b.wait(park.Unlimited()) }

// TryWait is WaitTimeout(0): only the last party can pass.
func (b *Barrier) TryWait() (index int, err error) { return b.WaitTimeout(0) }

// WaitTimeout is Wait for at most d; past that it breaks the barrier and
// returns an error that is both [ErrTimeout] and [ErrBroken]. The last party
// never times out. With d <= 0 any other party breaks the barrier.
func (b *Barrier) WaitTimeout(d time.Duration) (index int, err error) {
	return b.wait(park.For(d))
}

// WaitContext is Wait until ctx is done; it then breaks the barrier and returns
// an error that is both ctx's cause and [ErrBroken]. If ctx is done already it
// does so at once, even as the last party.
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

// Reset makes the barrier new and unbroken. Its waiters get [ErrBroken].
func (b *Barrier) Reset() {
	b.lock("Reset")
	b.broken = false
	b.breakGeneration()
}

// breakGeneration wakes the waiters of the filling generation with gotBroken,
// and releases the guard.
func (b *Barrier) breakGeneration() {
	g := b.gen
	first := g.q.TakeAll()
	n := g.arrived
	b.gen = new(generation)
	b.mu.Unlock()
	b.end(g, first, n, gotBroken)
}

const gotBroken = gotLock + 1 // or gotNotice: the round is complete

func gaveUp(why error) error { return fmt.Errorf("osthread: %w: %w", ErrBroken, why) }

func (b *Barrier) wait(l park.Limit) (index int, err error) {
	if watch.On {
		b.seen.add(b.parties)
	}
	if trace.Enabled() {
		span := trace.Block(b)
		defer func() { span.Resume(false, nil) }()
	}
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
		if b.action == nil {
			b.again(g)
			return index, nil
		}
		b.gen = new(generation)
		b.mu.Unlock()
		b.trip(g)
		return index, nil
	}
	if l.Expired() {
		g.arrived-- // the rest are to be woken
		b.broken = true
		b.breakGeneration()
		return 0, gaveUp(l.Err(ErrTimeout))
	}
	epoch := g.threads.Epoch()
	var spin *park.Spinner
	thread := park.OnThread()
	if thread {
		if spin = b.spinner(); l.Shared() {
			b.mu.Unlock()
			return b.sleepTogether(g, epoch, index, spin, &l)
		}
	}
	n := wait.NewAs(thread, spin, &l)
	n.For = b
	g.q.PushBack(n)
	if l.Source() != nil {
		g.contexts++
	}
	served := n.CanParkUnder(&l)
	if served {
		n.ParkUnder(&b.mu)
	} else {
		served = wait.UnlockAndSleep(&b.mu, n, func(n *wait.Node) bool { return b.leave(g, epoch, n) }, &l)
	}
	got := n.Got
	n.Free()
	switch {
	case !served:
		return 0, gaveUp(l.Err(ErrTimeout))
	case got == gotBroken:
		return 0, ErrBroken
	}
	return index, nil
}

// sleepTogether waits, on a thread, for the end of g's round.
func (b *Barrier) sleepTogether(
	g *generation,
	epoch uint32,
	index int,
	spin *park.Spinner,
	l *park.Limit,
) (int, error) {
	if !g.threads.Sleep(epoch, spin, l, b) {
		if b.leave(g, epoch, nil) {
			return 0, gaveUp(l.Err(ErrTimeout))
		}
		g.threads.Sleep(epoch, nil, &forever, b) // the action runs
	}
	if g.broken.Load() == epoch+1 {
		return 0, ErrBroken
	}
	return index, nil
}

// spinner returns what waiters spin by before they sleep: nil if some of them
// would keep the others from their processors.
func (b *Barrier) spinner() *park.Spinner {
	if b.parties > park.Procs() {
		return nil
	}
	return &b.spin
}

// trip runs the action, which there is, of the full generation g, and releases
// its waiters.
func (b *Barrier) trip(g *generation) {
	got := gotBroken
	defer func() {
		b.mu.Lock()
		if got == gotBroken {
			b.broken = true
		}
		first := g.q.Drain() // even a waiter whose context is done by now
		if got == gotBroken {
			defer b.breakNext()
		}
		b.mu.Unlock()
		b.end(g, first, b.parties-1, got)
	}()
	b.action()
	got = gotNotice
}

// breakNext breaks the round after the one whose action failed.
func (b *Barrier) breakNext() {
	b.mu.Lock()
	if !b.broken { // Reset meanwhile
		b.mu.Unlock()
		return
	}
	b.breakGeneration()
}

// leave breaks the barrier for a waiter of g's round, which has timed out, and
// reports true; or false if the round is complete or broken. The waiter has the
// node n or, if that is nil, none.
func (b *Barrier) leave(g *generation, epoch uint32, n *wait.Node) bool {
	b.mu.Lock()
	if b.gen != g || g.threads.Epoch() != epoch {
		b.mu.Unlock()
		return false
	}
	if n != nil {
		g.q.Remove(n)
	}
	g.arrived-- // the rest are to be woken
	b.broken = true
	b.breakGeneration()
	return true
}
