package osthread

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/contention"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// Model: verify/rwlock.pml. How waiters go through the queue: retries.go.
//
// # State
//
// The word counts the readers that hold the lock, and has the flags
//
//	rwUnderflow  There were more RUnlocks than readers: the sign of the count.
//	             A caller is about to undo its RUnlock.
//	rwWritten    A writer holds the lock. There are no readers then.
//	rwQueued     There may be waiters in the queue or, on one processor, woken
//	             to retry: an unlock that may let another in calls release.
//	rwWriters    A writer waits, in the queue or woken to retry. Newcomers do
//	             not join the readers that hold the lock.
//	rwStarving   The lock is handed off to the head of the queue, which has
//	             waited for longer than starvationThreshold or is an upgrader.
//	             There is no barging.
//	rwWatched    The lock has been acquired in watch mode (internal/watch).
//	             Never cleared, so that every unlock goes its slow path.
//	rwRetrying   Waiters have been woken to retry. Unless the lock is to be
//	             handed off an unlock leaves the rest to them.
//
// rwRetrying is set and cleared under the queue's guard. The others are set in
// a step that finds the lock held, and cleared under the guard. A flag other
// than rwWritten may be set too long, which costs a check; it is never cleared
// too early.
//
// The queue, its guard and what they protect are made when a caller first waits
// or upgrades, and kept.
//
// A reader joins other readers only if no writer waits, so a writer waits for
// the readers that hold the lock, not for newcomers. An upgrader stands in
// front of the queue and still counts as a reader.
//
// RUnlock is one addition, since a load before it would cost readers on other
// processors another transfer of the cache line. So it finds only afterwards
// that no reader held the lock, and undoes itself. Meanwhile nothing acquires:
// a reader that did would be missing in the count.
//
// # No lost wakeups
//
// Invariant: while the head of the queue could acquire the lock, some thread is
// committed to trying.
//
//   - An unlock reads the flags in the step that frees the lock. It calls
//     release if there is a queue and no waiter has been woken to retry.
//   - release, under the guard, wakes the head to retry, along with the readers
//     next to it if it is one.
//   - An RUnlock that undoes itself calls release, too: a caller may have found
//     rwUnderflow and put itself into the queue.
//   - The last of them clears rwRetrying and checks once more: in the step that
//     finds the lock held and puts it back into the queue; or, if it has
//     acquired or given up, by doing what release does. So an unlock that saw
//     rwRetrying came before that check.
//
// # Fairness
//
// Of the unlocks that leave the rest to a retry one in agingInterval calls
// release all the same. enqueue and release set rwStarving, in a step that
// finds the lock held, so that its holders see the flag when they unlock and
// hand off: to the writer at the head or to the readers there. In a fair lock
// every waiter counts as starving. With PreferReaders, readers ignore all flags
// but rwWritten, and readers in the queue go before the writers.
//
// # Memory order
//
// All accesses are sequentially consistent. Each acquisition is a swap that
// read what the last unlock had written, or is made by release, which read it,
// on the waiter's behalf, and Unpark passes that on.

// An RWLock is held by one writer or by any number of readers. The zero value
// is unlocked. It must not be copied after first use. It has no owner: any
// thread or goroutine may unlock it.
//
// A waiting writer keeps out new readers, so a reader must not lock again what
// it has locked: a writer may have come in between. An RWLock allows barging: a
// caller that finds it free takes it ahead of sleeping waiters. A waiter that
// has waited for 1 ms is handed the lock next, so neither readers nor writers
// starve.
//
// In the terms of the Go memory model, an Unlock or Downgrade synchronizes
// before the return of any later Lock and RLock, and an RUnlock before that of
// any later Lock and of an Upgrade that waited for it.
type RWLock struct {
	// PreferReaders lets a reader in whenever no writer holds the lock, even if
	// one waits. Then readers may lock again, and can keep writers out for
	// ever. It must not change after first use.
	PreferReaders bool
	// Fair hands the lock to waiters in the order in which they came, and lets
	// no other caller barge but the readers that PreferReaders lets in. That
	// costs a thread switch each time. It must not change after first use.
	Fair bool

	word atomic.Uint64
	// q is nil until a caller first waits or upgrades. It is not nil if the
	// word has flags for waiters.
	q atomic.Pointer[rwQueue]
	_ noCopy
}

// An rwQueue is what only waiters need of an RWLock. It has another cache line
// than the word. What follows the queue is under its guard.
type rwQueue struct {
	wait.Queue
	queued   [rwKinds]int // nodes in the queue, by Key
	retries  retries      // nodes whose owners were woken to retry
	retrying uint64       // and their Key
}

func (w *RWLock) queue() *rwQueue {
	if q := w.q.Load(); q != nil {
		return q
	}
	w.q.CompareAndSwap(nil, new(rwQueue))
	return w.q.Load()
}

const (
	rwWritten uint64 = 1 << iota
	rwQueued
	rwWriters
	rwStarving
	rwRetrying
	rwWatched
	rwReader // and more

	rwUnderflow uint64 = 1 << 63

	minusReader = ^rwReader + 1
)

// readers returns how many readers hold a lock whose word is s, which is
// negative with rwUnderflow.
func readers(s uint64) int64 { return int64(s) / int64(rwReader) }

// What a caller wants, and the Key of its node.
const (
	toRead uint64 = iota
	toWrite
	toUpgrade // from reading to writing
	rwKinds
)

// By what a caller wants: the number of readers beside which it can acquire,
// for a reader any, and what that adds to the word.
var (
	rwBeside = [rwKinds]uint64{toWrite: 0, toUpgrade: 1}
	rwHow    = [rwKinds]watch.How{toRead: watch.Shared, toWrite: watch.Exclusive, toUpgrade: watch.Exclusive}
	rwAdds   = [rwKinds]uint64{toRead: rwReader, toWrite: rwWritten, toUpgrade: rwWritten + minusReader}
)

// Lock locks w for writing, sleeping until it is free.
func (w *RWLock) Lock() {
	if !w.word.CompareAndSwap(watch.Free, rwWritten) {
		w.lockSlow(toWrite)
	}
}

func (w *RWLock) lockSlow(want uint64) {
	if watch.On {
		w.lockWatched(want)
		return
	}
	if !w.try(want) { // not through the interface: it is often open
		acquireUnlimited(w, want)
	}
}

func (w *RWLock) lockWatched(want uint64) {
	w.watch()
	p := watch.Here()
	p.Wants(w, rwHow[want])
	direct := want == toWrite && w.word.CompareAndSwap(rwWatched, rwWatched|rwWritten)
	if !direct && !w.try(want) {
		acquireUnlimited(w, want)
	}
	p.Acquired(w, rwHow[want], 1)
}

// acquired notes in watch mode that the caller has locked w.
func (w *RWLock) acquired(want uint64) {
	if watch.On {
		w.watch()
		watch.Acquired(w, rwHow[want], 1)
	}
}

// watch sets rwWatched, in watch mode, before the caller waits for w or after
// it has locked it.
func (w *RWLock) watch() {
	if w.word.Load()&rwWatched == 0 && w.word.Or(rwWatched)&rwWatched == 0 {
		watch.First(w)
	}
}

// TryLock is LockTimeout(0).
func (w *RWLock) TryLock() bool { return w.lockNow(toWrite) }

// LockTimeout is Lock for at most d and reports whether it locked w.
func (w *RWLock) LockTimeout(d time.Duration) bool { return w.lockTimeout(d, toWrite) }

// LockContext is Lock until ctx is done; it then returns ctx's cause.
func (w *RWLock) LockContext(ctx context.Context) error { return w.lockContext(ctx, toWrite) }

// RLock locks w for reading, sleeping while a writer holds it or waits for
// readers to unlock. The type of the same name is another thing: a recursive
// lock.
func (w *RWLock) RLock() {
	if s := w.word.Load(); watch.On || s&(rwWritten|rwWriters|rwStarving|rwUnderflow) != 0 ||
		!w.word.CompareAndSwap(s, s+rwReader) {
		w.lockSlow(toRead)
	}
}

// TryRLock is RLockTimeout(0).
func (w *RWLock) TryRLock() bool { return w.lockNow(toRead) }

// RLockTimeout is RLock for at most d and reports whether it locked w.
func (w *RWLock) RLockTimeout(d time.Duration) bool { return w.lockTimeout(d, toRead) }

// RLockContext is RLock until ctx is done; it then returns ctx's cause.
func (w *RWLock) RLockContext(ctx context.Context) error { return w.lockContext(ctx, toRead) }

func (w *RWLock) lockNow(want uint64) bool {
	locked := w.try(want)
	if locked {
		w.acquired(want)
	}
	return locked
}

func (w *RWLock) lockTimeout(d time.Duration, want uint64) bool {
	locked := acquireTimeout(d, w, want)
	if locked {
		w.acquired(want)
	}
	return locked
}

func (w *RWLock) lockContext(ctx context.Context, want uint64) error {
	err := acquireContext(ctx, w, want)
	if err == nil {
		w.acquired(want)
	}
	return err
}

// Unlock undoes Lock. It panics with an error that is [ErrNotLocked] if no
// writer holds w.
func (w *RWLock) Unlock() {
	if w.word.CompareAndSwap(rwWritten, 0) {
		return
	}
	s := w.word.And(^rwWritten)
	if s&rwWritten == 0 {
		panic(misuse("RWLock.Unlock", ErrNotLocked))
	}
	if s&rwWatched != 0 {
		watch.Released(w, watch.Exclusive, 1)
	}
	w.release(s, 1)
}

// RUnlock undoes one RLock. It panics with an error that is [ErrNotLocked] if
// no reader holds w.
func (w *RWLock) RUnlock() {
	if s := w.word.Add(minusReader); s != 0 {
		w.runlockSlow(s)
	}
}

// runlockSlow ends an RUnlock that has left the word as s.
func (w *RWLock) runlockSlow(s uint64) {
	if s&(rwWatched|rwUnderflow) == rwWatched {
		watch.Released(w, watch.Shared, 1)
	}
	switch {
	case s&rwUnderflow != 0:
		w.release(w.word.Add(rwReader), 2)
		panic(misuse("RWLock.RUnlock", ErrNotLocked))
	case mayLetIn(s):
		w.release(s, 2)
	}
}

// mayLetIn reports whether a reader that has left the word as s may have let a
// waiter in: the last one, or the last one but for an upgrader.
func mayLetIn(s uint64) bool {
	left := s / rwReader
	return left == 0 || left == 1 && s&rwStarving != 0
}

// Upgrade turns the caller's lock for reading into one for writing, sleeping
// until the other readers have unlocked; no writer comes in between. It returns
// [ErrDeadlock] at once, with w still locked for reading, if another reader
// upgrades: each would wait for the other. It panics with an error that is
// [ErrNotLocked], as do its variants when they try, if no reader holds w.
func (w *RWLock) Upgrade() error { return w.upgrade("Upgrade", park.Unlimited()) }

// TryUpgrade is UpgradeTimeout(0).
func (w *RWLock) TryUpgrade() error { return w.UpgradeTimeout(0) }

// UpgradeTimeout is Upgrade for at most d; past that it returns [ErrTimeout],
// and w is still locked for reading.
func (w *RWLock) UpgradeTimeout(d time.Duration) error {
	return w.upgrade("UpgradeTimeout", park.For(d))
}

// UpgradeContext is Upgrade until ctx is done; it then returns ctx's cause, and
// w is still locked for reading.
func (w *RWLock) UpgradeContext(ctx context.Context) error {
	return park.WithContext(ctx, func(l park.Limit) error { return w.upgrade("UpgradeContext", l) })
}

// Downgrade turns the caller's lock for writing into one for reading. No writer
// comes in between; waiting readers may come in with it. It panics with an
// error that is [ErrNotLocked] if no writer holds w.
func (w *RWLock) Downgrade() {
	w.downgrade()
	if watch.On {
		watch.Here().Changed(w, watch.Exclusive, watch.Shared)
	}
}

func (w *RWLock) downgrade() {
	for {
		s := w.word.Load()
		if s&rwWritten == 0 {
			panic(misuse("RWLock.Downgrade", ErrNotLocked))
		}
		if s&rwUnderflow != 0 {
			runtime.Gosched() // until it is undone
			continue
		}
		if w.word.CompareAndSwap(s, s-rwWritten+rwReader) {
			w.release(s, 2)
			return
		}
	}
}

// Locked reports whether w is locked. The result may be stale by the time it is
// used.
func (w *RWLock) Locked() bool { return w.writeLocked() || w.Readers() > 0 }

// Readers returns how many readers hold w. The result may be stale by the time
// it is used.
func (w *RWLock) Readers() int { return int(max(0, readers(w.word.Load()))) }

// RLocker returns a Locker whose methods are w's RLock and RUnlock.
func (w *RWLock) RLocker() sync.Locker { return (*rlocker)(w) }

type rlocker RWLock

func (r *rlocker) Lock()   { (*RWLock)(r).RLock() }
func (r *rlocker) Unlock() { (*RWLock)(r).RUnlock() }

// hasRoom reports whether a lock whose word is s can be acquired, flags for
// waiters aside.
func hasRoom(s, want uint64) bool {
	return s&(rwWritten|rwUnderflow) == 0 && (want == toRead || s/rwReader == rwBeside[want])
}

// mayAcquire reports whether a caller may acquire without a handoff. A reader
// that was woken to retry stood before the waiting writers.
func (w *RWLock) mayAcquire(s, want uint64, again bool) bool {
	closed := s&rwStarving != 0 || want == toRead && !again && s&rwWriters != 0 && s >= rwReader
	return hasRoom(s, want) && (!closed || want == toRead && w.PreferReaders)
}

// tryAcquire acquires if it may, or returns the word that it found.
func (w *RWLock) tryAcquire(want uint64, again bool) (s uint64, ok bool) {
	for {
		s := w.word.Load()
		if !w.mayAcquire(s, want, again) {
			return s, false
		}
		if w.word.CompareAndSwap(s, s+rwAdds[want]) {
			return s, true
		}
	}
}

func (w *RWLock) try(want uint64) bool {
	_, ok := w.tryAcquire(want, false)
	return ok
}

func (w *RWLock) spin(want uint64) bool { return w.poll(want, false) }

func (w *RWLock) poll(want uint64, again bool) bool {
	return poll(func() (ok, closed bool) {
		s, ok := w.tryAcquire(want, again)
		return ok, s&rwStarving != 0
	})
}

func (w *RWLock) retry(n *wait.Node) bool {
	if !w.poll(n.Key, true) {
		return false
	}
	w.giveUp(n)
	return true
}

// giveUp ends the retry of a waiter that has acquired, or gives up.
func (w *RWLock) giveUp(*wait.Node) {
	q := w.q.Load()
	q.Lock()
	q.retries.out--
	w.letIn()
}

func (w *RWLock) isFair() bool { return w.Fair }
func (w *RWLock) endHandoff()  {}

func (w *RWLock) undo(what uint64) {
	if what == toWrite {
		w.release(w.word.And(^rwWritten), 1)
	} else if s := w.word.Add(minusReader); mayLetIn(s) {
		w.release(s, 1)
	}
}

func (w *RWLock) enqueue(n *wait.Node, again bool) bool {
	q := w.queue()
	q.Lock()
	set, clear := rwQueued, uint64(0)
	if n.Key == toWrite {
		set |= rwWriters
	}
	if (again || q.Head() == nil || n.Since == sinceFair) && starves(n) {
		set |= rwStarving
	}
	if again {
		q.retries.out--
		if q.retries.out == 0 {
			clear = rwRetrying
		}
	}
	for { // no room for n, or rwStarving is set already
		s, ok := w.tryAcquire(n.Key, again)
		if ok {
			w.letIn()
			return true
		}
		if marked := s&^clear | set; s == marked || w.word.CompareAndSwap(s, marked) {
			break
		}
	}
	q.queued[n.Key]++
	if again {
		q.Restore(n)
	} else {
		q.PushBack(n)
	}
	q.Unlock()
	return false
}

func (w *RWLock) leave(n *wait.Node) bool {
	q := w.q.Load()
	q.Lock()
	left := q.Remove(n)
	if left {
		q.queued[n.Key]--
	}
	w.letIn()
	return left
}

// release is called after an unlock, which saw the flags of s in its step, by
// an exported method or, with frames = 2, a function that one calls.
func (w *RWLock) release(s uint64, frames int) {
	if s&rwQueued == 0 || s&rwRetrying != 0 && s&rwStarving == 0 && w.q.Load().retries.pass() {
		return
	}
	q := w.q.Load()
	q.Lock()
	overdue := q.retries.overdue()
	contention.Report(w.letIn(), frames)
	if overdue {
		stepAside()
	}
}

// letIn hands the lock to the waiters that are next, or wakes them to retry.
// The caller holds the guard, which letIn releases. letIn returns what an
// unlock charges the mutex profile with.
func (w *RWLock) letIn() (waited int64) {
	q := w.q.Load()
	w.tidy() // flags that keep out waiters which may acquire now
	first, got := w.next()
	w.tidy()
	waited = q.Charge(first)
	q.Unlock()
	if first != nil {
		wait.WakeAll(first, got)
		trace.Released(w)
	}
	return waited
}

// next takes out the waiters that are to be woken, and returns their chain and
// what they get.
func (w *RWLock) next() (first *wait.Node, got int) {
	q := w.q.Load()
	h := q.Head()
	if h == nil {
		return nil, 0
	}
	want := h.Key
	if w.PreferReaders && q.queued[toRead] > 0 {
		want = toRead
	}
	switch {
	case w.word.Load()&rwStarving != 0 || starves(h):
		if n := w.handOff(want); n > 0 {
			return w.take(want, n), gotLock
		}
	case q.retries.out == 0 && w.mayAcquire(w.word.Load(), want, true):
		n := w.ahead(want)
		q.retries.give(int64(n))
		q.retrying = want
		w.word.Or(rwRetrying)
		return w.take(want, n), gotRetry
	}
	return nil, 0
}

// handOff acquires the lock for the waiters that are next, which want the same,
// and returns their number. It returns 0 if there is no room for them: the
// holders will call release.
func (w *RWLock) handOff(want uint64) (n int) {
	for {
		s := w.word.Load()
		if !hasRoom(s, want) {
			if s&rwStarving != 0 || w.word.CompareAndSwap(s, s|rwStarving) {
				return 0
			}
			continue
		}
		if n == 0 {
			n = w.ahead(want)
		}
		if w.word.CompareAndSwap(s, s+uint64(n)*rwAdds[want]) {
			return n
		}
	}
}

// ahead returns the number of waiters that are next: one writer or upgrader; or
// the readers before the first writer, with PreferReaders all. It takes as long
// as taking them out, so it is called only then.
func (w *RWLock) ahead(want uint64) (n int) {
	q := w.q.Load()
	switch {
	case want != toRead:
		return 1
	case w.PreferReaders:
		return q.queued[toRead]
	}
	for h := q.Head(); h != nil && h.Key == toRead; h = h.Next() {
		n++
	}
	return n
}

// take takes out the first n nodes that want the same, and returns their chain.
func (w *RWLock) take(want uint64, n int) *wait.Node {
	q := w.q.Load()
	q.queued[want] -= n
	var taken wait.Chain
	for h := q.Head(); n > 0; {
		next := h.Next()
		if h.Key == want {
			q.Unlink(h)
			taken.PushBack(h)
			n--
		}
		h = next
	}
	return taken.Head()
}

// tidy clears the flags that are no longer true. The caller holds the guard.
func (w *RWLock) tidy() {
	q := w.q.Load()
	var untrue uint64
	h, retrying := q.Head(), q.retries.out > 0
	if h == nil && !(retrying && park.OnOneP()) { // see stepAside
		untrue |= rwQueued
	}
	if q.queued[toWrite] == 0 && !(retrying && q.retrying == toWrite) {
		untrue |= rwWriters
	}
	if s := w.word.Load(); s&rwStarving != 0 && (h == nil || !starves(h)) {
		untrue |= rwStarving
	}
	if !retrying {
		untrue |= rwRetrying
	}
	if w.word.Load()&untrue != 0 {
		w.word.And(^untrue)
	}
}

func (w *RWLock) upgrade(op string, l park.Limit) error {
	if watch.On && l.Never() {
		watch.Here().Wants(w, watch.Exclusive)
	}
	err := w.upgradeUnnoted(op, l)
	if err == nil && watch.On {
		watch.Here().Changed(w, watch.Shared, watch.Exclusive)
	}
	return err
}

// upgradeUnnoted is upgrade, without what it notes in watch mode.
func (w *RWLock) upgradeUnnoted(op string, l park.Limit) (err error) {
	if trace.LocksEnabled() {
		span := trace.BlockLock(w)
		defer func() { span.Resume(err == nil, w.downgrade) }()
	}
	n := wait.New(nil, &l)
	defer n.Free()
	n.Key, n.Since, n.For = toUpgrade, sinceFair, w
	n.Contend()
	waits, err := w.beginUpgrade(op, n, &l)
	switch {
	case err == ErrTimeout || waits && !wait.Sleep(n, w.leave, &l):
		return l.Err(ErrTimeout)
	case err == nil && l.Canceled(): // perhaps before the other readers unlocked
		w.downgrade()
		return l.Err(nil)
	default:
		return err
	}
}

// beginUpgrade makes the caller the writer, or puts n into the queue and
// reports that it waits. If l has ended it returns ErrTimeout instead.
func (w *RWLock) beginUpgrade(op string, n *wait.Node, l *park.Limit) (waits bool, err error) {
	q := w.queue()
	q.Lock()
	defer q.Unlock()
	for {
		s := w.word.Load()
		switch {
		case readers(s) <= 0:
			panic(misuse("RWLock."+op, ErrNotLocked))
		case q.queued[toUpgrade] > 0:
			return false, ErrDeadlock
		case hasRoom(s, toUpgrade):
			if w.word.CompareAndSwap(s, s+rwAdds[toUpgrade]) {
				return false, nil
			}
		case l.Expired():
			return false, ErrTimeout
		case w.word.CompareAndSwap(s, s|rwQueued|rwStarving):
			q.queued[toUpgrade]++
			q.PushFront(n)
			return true, nil
		}
	}
}

// mustHold panics unless a writer holds w. A Condition's waiter locks w itself.
func (w *RWLock) mustHold(op string) (key uint64) {
	if !w.writeLocked() {
		panic(misuse("Condition."+op, ErrNotLocked))
	}
	return 0
}

// writeLocked reports whether a writer holds w.
func (w *RWLock) writeLocked() bool { return w.word.Load()&rwWritten != 0 }
