package thread

import (
	"context"
	"slices"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/park"
)

// Joining is ours, not pthread_join's: that takes one joiner, once, without a
// deadline, and glibc 2.27 to 2.42 hangs on a second one.
//
//	running --finish--> ended --the system--> gone
//
// A joiner waits in two steps. First for ended: it is in the list, under mu,
// and is taken out by finish, which wakes it, or by itself, when it gives up;
// so it knows how its wait ended by whether it still stood there, not by the
// clock. Then for gone: the thread is not in the kernel's list of tasks any
// more and its stack is free. That takes some 10 us, for which it looks again
// and again.
//
// pthread wants each thread joined or detached, once. finish decides under mu:
// if nobody waits the thread detaches itself on its way out; if somebody does,
// the first joiner to see it gone calls pthread_tryjoin_np, which then cannot
// block. A joiner that gives up between ended and gone detaches it.

// joinSpin tells whether threads that are joined end while Join spins.
var joinSpin park.Spinner

type joiners struct {
	waiting []*park.Waiter
	claim   claim
	endedAt int64 // by futex.Now
}

// A claim is what pthread still wants for an ended thread.
type claim uint8

const (
	claimNone claim = iota // nothing: not created by us, or the thread detaches itself on its way out
	claimJoin              // a join or a detach
	claimGone              // nothing, and the thread is known to be gone
)

// end takes out all joiners of the thread that ends; the caller wakes them.
func (j *joiners) end() []*park.Waiter {
	waiting := j.waiting
	j.waiting = nil
	if len(waiting) > 0 {
		j.claim = claimJoin
	}
	j.endedAt = futex.Now()
	return waiting
}

// remove takes w out of the list and reports whether it still stood there.
func (j *joiners) remove(w *park.Waiter) bool {
	i := slices.Index(j.waiting, w)
	if i < 0 {
		return false
	}
	j.waiting = slices.Delete(j.waiting, i, i+1)
	return true
}

// Join waits for t to end, and until it is gone from the kernel's list of
// threads and its stack is free. It returns nil if the body returned, and else
// how it ended: ErrExit, ErrGoexit, ErrPthreadExit or a *PanicError. Any number
// of goroutines may join, at once and again; each gets the same. It returns
// ErrDeadlock on t itself, and ErrNotJoinable at once if t is detached or
// attached.
//
// What the body did synchronizes before the return from Join.
func (t *Thread) Join() error { return t.join(park.Forever()) }

// TryJoin is JoinTimeout(0).
func (t *Thread) TryJoin() error { return t.JoinTimeout(0) }

// JoinTimeout is Join for at most d; past that it returns ErrTimeout, and t can
// still be joined. d <= 0 never sleeps.
func (t *Thread) JoinTimeout(d time.Duration) error { return t.join(park.For(d)) }

// JoinContext is Join until ctx is done; it then returns ctx's cause, and t can
// still be joined. If ctx is done already it does not look at t.
func (t *Thread) JoinContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return t.join(l)
}

func init() {
	keep.Joinable = func(thread any) {
		t := thread.(*Thread)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.kept = true
	}
}

// Detach gives up the right to join t. Joins that wait already are not
// disturbed; later ones, and a second Detach, return ErrNotJoinable. So it
// does, and t can still be joined, for a thread that package osthread has
// started, which joins it.
func (t *Thread) Detach() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.joinable() || t.kept {
		return ErrNotJoinable
	}
	t.detached = true
	if t.ended {
		t.letGo()
		t.handle.close()
	}
	return nil
}

func (t *Thread) joinable() bool { return !t.detached && t.fromStart() && !t.isZero() }

func (t *Thread) join(l park.Limit) error {
	if !t.isJoinable() {
		return ErrNotJoinable
	}
	if t == Current() {
		return ErrDeadlock
	}
	if err := t.awaitEnded(l); err != nil {
		return err
	}
	if err := t.awaitGone(l); err != nil {
		return err
	}
	if l.Canceled() { // before the thread ended, it may be
		return l.Err(nil)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.result
}

func (t *Thread) isJoinable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.joinable()
}

func (t *Thread) awaitEnded(l park.Limit) error {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return nil
	}
	w := &park.Waiter{Spin: &joinSpin}
	t.joiners.waiting = append(t.joiners.waiting, w)
	t.mu.Unlock()

	if w.Park(l) == park.Unparked {
		return nil
	}
	t.mu.Lock()
	gaveUp := t.joiners.remove(w)
	t.mu.Unlock()
	if !gaveUp { // finish has woken this joiner: the thread has ended in time
		return nil
	}
	return l.Err(ErrTimeout)
}

// How a joiner waits for a thread that has ended to be gone.
const (
	goneSpins  = 200                   // looks with a pause between, about 50 us
	gonePauses = 8                     // of 15 ns, between two looks
	goneSleep  = 50 * time.Microsecond // between later looks: the thread waits for a processor
	// A thread that detached itself is told by its id, which Linux gives to a
	// new thread only after all others, some 30,000. After this time an id that
	// lives is another thread's. Windows uses ids again at once: there a handle
	// tells, where there is one (handle_windows.go).
	goneAtLast = time.Second
)

func (t *Thread) awaitGone(l park.Limit) error {
	for look := 0; !t.gone(); look++ {
		switch {
		case l.Expired():
			return t.giveUp(l.Err(ErrTimeout))
		case look >= goneSpins:
			time.Sleep(goneSleep)
		case park.CanSpin():
			park.Pause(gonePauses)
		default:
			osYield()
		}
	}
	return nil
}

// gone looks whether the ended thread is gone.
func (t *Thread) gone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.joiners.claim == claimGone {
		return true
	}
	if t.joiners.claim == claimJoin && !osTryJoin(t) {
		return false
	}
	if t.joiners.claim == claimJoin {
		t.joiners.claim = claimNone
	}
	if t.handle.lingers(t) {
		return false
	}
	t.joiners.claim = claimGone
	t.handle.close()
	return true
}

// giveUp leaves no thread behind that nobody would join.
func (t *Thread) giveUp(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.letGo()
	return err
}

func (t *Thread) letGo() {
	if t.joiners.claim == claimJoin {
		osDetach(t)
		t.joiners.claim = claimNone
	}
}
