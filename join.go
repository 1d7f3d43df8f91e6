package thread

import (
	"context"
	"slices"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/park"
	"example.com/thread/internal/waits"
)

// Join does not rely on pthread_join, which allows one joiner, once, without a
// deadline; and in glibc 2.27 to 2.42 a second concurrent join hangs.
//
//	running --finish--> ended --the system--> gone
//
// A joiner waits in two steps. It first waits for ended, in a list under mu.
// finish removes and wakes it, or it removes itself when it gives up; so the
// list, not the clock, decides how its wait ended. It then waits for gone: the
// thread has left the kernel's list of tasks and its stack is free. That takes
// some 10 us, so the joiner polls.
//
// pthread wants each thread joined or detached, once. finish decides under mu:
// if there is no joiner, the thread detaches itself on its way out. Otherwise
// the first joiner that sees it gone calls pthread_tryjoin_np, which cannot
// block then. A joiner that gives up between ended and gone detaches the
// thread. Model: verify/join.pml.

// joinSpin learns whether joined threads end while Join spins.
var joinSpin park.Spinner

type joiners struct {
	waiting []*park.Waiter
	claim   claim
	endedAt int64 // by futex.Now
}

// A claim is what pthread still requires for an ended thread.
type claim uint8

const (
	claimNone claim = iota // nothing: pthread did not create it, or it detaches itself
	claimJoin              // a join or a detach
	claimGone              // nothing, and the thread is known to be gone
)

// end removes all joiners of the thread, which is ending. The caller wakes
// them.
func (j *joiners) end() []*park.Waiter {
	waiting := j.waiting
	j.waiting = nil
	if len(waiting) > 0 {
		j.claim = claimJoin
	}
	j.endedAt = futex.Now()
	return waiting
}

// remove removes w from the list and reports whether it was there.
func (j *joiners) remove(w *park.Waiter) bool {
	i := slices.Index(j.waiting, w)
	if i < 0 {
		return false
	}
	j.waiting = slices.Delete(j.waiting, i, i+1)
	return true
}

// Join waits until t has ended, is gone from the kernel's list of threads, and
// its stack is free. It returns nil if the body returned, and otherwise how it
// ended: ErrExit, ErrGoexit, ErrPthreadExit or a *PanicError. Any number of
// goroutines may join, concurrently and repeatedly; all get the same result.
// Join returns ErrDeadlock on t itself, and ErrNotJoinable if t is detached or
// attached.
//
// What the body did synchronizes before the return from Join.
func (t *Thread) Join() error { return t.join(park.Unlimited()) }

// TryJoin is JoinTimeout(0).
func (t *Thread) TryJoin() error { return t.JoinTimeout(0) }

// JoinTimeout is Join for at most d; after that it returns ErrTimeout, and t
// can still be joined.
func (t *Thread) JoinTimeout(d time.Duration) error { return t.join(park.For(d)) }

// JoinContext is Join until ctx is done; it then returns ctx's cause, and t can
// still be joined.
func (t *Thread) JoinContext(ctx context.Context) error { return park.WithContext(ctx, t.join) }

func init() {
	keep.Join = func(thread any, l park.Limit, object any) (joined bool, err error) {
		return thread.(*Thread).joinFor(object, l)
	}
	keep.Wait = func(thread any) (waits.Wait, bool) { return waits.Of(thread.(*Thread).slot) }
	keep.IsGone = func(thread any) bool {
		t := thread.(*Thread)
		if osExitUnseen && t.kind == native {
			t.endIfGone()
		}
		return t.hasEnded()
	}
	keep.Joinable = func(thread any) {
		t := thread.(*Thread)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.kept = true
	}
}

// Detach gives up the right to join t. Joins that already wait are not
// affected; later ones, and a second Detach, return ErrNotJoinable. On a thread
// that package osthread started, and therefore joins, Detach returns
// ErrNotJoinable and does nothing.
func (t *Thread) Detach() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.joinable() || t.kept {
		return ErrNotJoinable
	}
	t.detached = true
	if t.ended {
		t.dropClaim()
		t.handle.close()
	}
	return nil
}

// joinable is isJoinable with mu held.
func (t *Thread) joinable() bool { return !t.detached && t.fromStart() && !t.isZero() }

func (t *Thread) isJoinable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.joinable()
}

func (t *Thread) join(l park.Limit) error {
	_, err := t.joinFor(t, l)
	return err
}

// joinFor is join for a caller that waits for object. joined says that err is
// t's result.
func (t *Thread) joinFor(object any, l park.Limit) (joined bool, err error) {
	if !t.isJoinable() {
		return false, ErrNotJoinable
	}
	me := Current()
	if t == me {
		return false, ErrDeadlock
	}
	if err := t.awaitEnd(me != nil, object, &l); err != nil {
		return false, err
	}
	if err := t.awaitGone(&l); err != nil {
		return false, err
	}
	if l.Canceled() { // perhaps before the thread ended
		return false, l.Err(nil)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return true, t.result
}

// awaitEnd waits until t has ended. thread says whether the caller has a thread
// of its own, object what it waits for.
func (t *Thread) awaitEnd(thread bool, object any, l *park.Limit) error {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return nil
	}
	w := &park.Waiter{Spin: &joinSpin, For: object}
	t.joiners.waiting = append(t.joiners.waiting, w)
	t.mu.Unlock()

	if osExitUnseen && t.kind == native && !l.Expired() {
		lostJoins.Add(1)
		defer lostJoins.Add(-1)
		startLostTimer()
	}
	if w.ParkAs(thread, l) == park.Unparked {
		return nil
	}
	t.mu.Lock()
	gaveUp := t.joiners.remove(w)
	t.mu.Unlock()
	if !gaveUp { // finish has woken this joiner: the thread ended in time
		return nil
	}
	return l.Err(ErrTimeout)
}

// How a joiner waits for an ended thread to be gone.
const (
	goneSpins  = 200                   // polls with a pause between, about 50 us
	gonePauses = 8                     // of 15 ns, between two polls
	goneSleep  = 50 * time.Microsecond // between later polls: the thread waits for a processor
	// A thread that detached itself is found by its id. Linux reuses an id only
	// after all others, some 30,000; after this time an id that is in use
	// belongs to another thread. Windows reuses ids at once, so a handle is
	// polled there, if there is one (win_windows.go).
	goneAtLast = time.Second
)

// awaitGone waits until the ended thread t is gone.
func (t *Thread) awaitGone(l *park.Limit) error {
	for poll := 0; !t.gone(); poll++ {
		switch {
		case l.Expired():
			return t.giveUp(l.Err(ErrTimeout))
		case poll >= goneSpins && !park.InBubble(): // whose clock would go on
			time.Sleep(goneSleep)
		case poll < goneSpins && park.CanSpin():
			park.Pause(gonePauses)
		default:
			osYield()
		}
	}
	return nil
}

// gone reports whether the ended thread t is gone.
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

// giveUp detaches t, so that an ended thread is not left without a joiner. It
// returns err.
func (t *Thread) giveUp(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropClaim()
	return err
}

// dropClaim detaches the ended thread t if pthread still wants a join. The
// caller has mu.
func (t *Thread) dropClaim() {
	if t.joiners.claim == claimJoin {
		osDetach(t)
		t.joiners.claim = claimNone
	}
}
