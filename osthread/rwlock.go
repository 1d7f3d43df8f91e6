package osthread

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/rwlock.pml.
//
// # State
//
// The word counts the readers that hold the lock, and has the flags
//
//	rwWritten    a writer holds it; there are no readers then
//	rwQueued     somebody may be in the queue, or on one processor have a turn: who lets go of the lock, so that another might come in, goes
//	             through release
//	rwWriters    a writer waits, in the queue or with its turn: no reader joins others
//	rwStarving   the head of the queue has waited for longer than patience: nobody comes in by himself, release hands the lock over
//	rwUpgrading  a reader waits to be the only one: nobody comes in, and who leaves one reader behind goes through release
//	rwTurn       somebody has a turn, and will look: unless the lock is to be handed over, who lets go has nothing to do
//
// rwTurn is set and cleared under the queue's guard; the others are set in a
// step that finds the lock taken, and cleared under the guard. A flag but
// rwWritten may be set for too long, which costs a look; none may be clear
// while what it says is so. One who waits is
//
//	a newcomer, who looks for a while --> in the queue --+--> with its turn, looking --> in the queue, in front, ...
//	                                                     \--> in (handed)
//
// Who comes takes the lock if it is free, also before those in the queue, who
// would have to wake up first: a lock that is given to sleepers stands idle
// while they wake, meanwhile all others join the queue, and from then on each
// section costs a wake-up. A reader joins other readers only if no writer
// waits, so a writer waits for those who are in, not for those who come.
//
// # No wake-up is lost
//
// The lock must not stay open to the head of the queue while nobody is about to
// look. Who lets go sees the flags in that very step, and goes through release
// if there is a queue and nobody has a turn. release, under the guard, gives
// turns: it takes the head out, and the readers next to it if it is one, and
// wakes them to look for themselves. Who had the last turn clears rwTurn and
// looks once more: in the step that finds the lock taken and puts it back into
// the queue, or else, when it has come in or has given up, by going through
// release in its turn. So whoever let go and saw rwTurn did that before this
// last look.
//
// # Fairness
//
// Of those who leave the rest to a turn one in ageLooks goes through release
// all the same. enqueue and release set rwStarving when the head has waited for
// longer than patience, in a step that finds the lock taken, so that who holds
// it sees the flag when it lets go and hands over: to the writer at the head or
// to the readers there. In a fair lock nodes are as old as can be. With
// PreferReaders readers heed no flag but rwWritten, and those in the queue go
// before writers.
//
// # Order
//
// All accesses are sequentially consistent. Each acquisition is a swap that
// read what the last one who let go had written, or is made by release, which
// read it, on the other's behalf and told by Unpark.

// An RWLock is held by one writer or by any number of readers. The zero value
// is unlocked. It must not be copied after first use. It has no owner: any
// thread or goroutine may unlock.
//
// A writer that waits keeps out readers that come later, so a reader must not
// lock again what it has locked: between the two a writer may have come. Only
// where the lock is free may who comes, to read or to write, get it before
// those who sleep. But one who has waited for a millisecond is given it next,
// as with Lock, so neither readers nor writers starve.
//
// In the terms of the Go memory model, an Unlock or Downgrade synchronizes
// before the return of any later Lock and RLock, and an RUnlock before that of
// any later Lock and of an Upgrade that waited for it.
type RWLock struct {
	// PreferReaders lets a reader in whenever no writer holds the lock, also if
	// one waits. Then readers may lock again, and can keep writers out for
	// ever. It must not change after first use.
	PreferReaders bool
	// Fair gives the lock to those who wait in the order in which they came,
	// and to nobody before them, but for the readers that PreferReaders lets
	// in. It costs a switch of threads each time, and must not change after
	// first use.
	Fair bool

	word     atomic.Uint64
	passed   atomic.Uint32 // times that release left it to one with a turn
	q        wait.Queue
	turns    int // nodes taken out whose owners have yet to give their turn back; under the guard, as what follows
	writers  int // nodes of writers in the queue and with a turn
	readers  int // nodes of readers in the queue
	upgrader *wait.Node

	turnSince int64 // when turns were given last
	_         noCopy
}

const (
	rwWritten uint64 = 1 << iota
	rwQueued
	rwWriters
	rwStarving
	rwUpgrading
	rwTurn
	rwReader // and more

	// rwMisused is the sign of the count: somebody has unlocked what nobody had
	// locked, and is about to undo that.
	rwMisused = 1 << 63
)

// What a node in the queue waits for.
const (
	toRead uint64 = iota
	toWrite
)

// Lock locks w for writing, sleeping until nobody holds it.
func (w *RWLock) Lock() {
	if !w.word.CompareAndSwap(0, rwWritten) {
		w.lock(toWrite, park.Forever())
	}
}

// TryLock is LockTimeout(0).
func (w *RWLock) TryLock() bool { return w.LockTimeout(0) }

// LockTimeout is Lock for at most d and reports whether w is now locked. d <= 0
// never sleeps.
func (w *RWLock) LockTimeout(d time.Duration) bool { return w.lock(toWrite, park.For(d)) }

// LockContext is Lock until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not try.
func (w *RWLock) LockContext(ctx context.Context) error { return w.lockContext(toWrite, ctx) }

// RLock locks w for reading, sleeping while a writer holds it, or waits for
// readers to go. Its namesake, the type, is a recursive lock.
func (w *RWLock) RLock() {
	if s := w.word.Load(); s&(rwWritten|rwWriters|rwStarving|rwUpgrading|rwMisused) != 0 ||
		!w.word.CompareAndSwap(s, s+rwReader) {
		w.lock(toRead, park.Forever())
	}
}

// TryRLock is RLockTimeout(0).
func (w *RWLock) TryRLock() bool { return w.RLockTimeout(0) }

// RLockTimeout is RLock for at most d and reports whether w is now locked. d <=
// 0 never sleeps.
func (w *RWLock) RLockTimeout(d time.Duration) bool { return w.lock(toRead, park.For(d)) }

// RLockContext is RLock until ctx is done; it then returns ctx's cause. If ctx
// is done already it does not try.
func (w *RWLock) RLockContext(ctx context.Context) error { return w.lockContext(toRead, ctx) }

// Unlock undoes Lock. It panics with an error that is ErrNotLocked if no writer
// holds w.
func (w *RWLock) Unlock() {
	if w.word.CompareAndSwap(rwWritten, 0) {
		return
	}
	s := w.word.And(^rwWritten)
	if s&rwWritten == 0 {
		panic(misuse("RWLock.Unlock", ErrNotLocked))
	}
	w.release(s)
}

// RUnlock undoes one RLock. It panics with an error that is ErrNotLocked if no
// reader holds w.
func (w *RWLock) RUnlock() {
	if s := w.word.Add(^rwReader + 1); s >= rwReader || s&rwQueued != 0 {
		w.runlockSlow(s)
	}
}

// runlockSlow ends an RUnlock that has left the word as s.
func (w *RWLock) runlockSlow(s uint64) {
	if s&rwMisused != 0 {
		// Nobody comes in until this; those who came meanwhile wait for one who
		// lets go.
		w.release(w.word.Add(rwReader))
		panic(misuse("RWLock.RUnlock", ErrNotLocked))
	}
	if s < rwReader || s < 2*rwReader && s&rwUpgrading != 0 {
		w.release(s)
	}
}

// Upgrade turns the caller's lock for reading into one for writing, sleeping
// until the other readers have gone; no writer comes in between. It returns
// ErrDeadlock at once, with w still locked for reading, if another reader
// upgrades: each would wait for the other to go. It panics with an error that
// is ErrNotLocked, as do its kin when they try, if no reader holds w.
func (w *RWLock) Upgrade() error { return w.upgrade("Upgrade", park.Forever()) }

// TryUpgrade is UpgradeTimeout(0).
func (w *RWLock) TryUpgrade() error { return w.UpgradeTimeout(0) }

// UpgradeTimeout is Upgrade for at most d; past that it returns ErrTimeout, and
// w is still locked for reading. d <= 0 never sleeps.
func (w *RWLock) UpgradeTimeout(d time.Duration) error {
	return w.upgrade("UpgradeTimeout", park.For(d))
}

// UpgradeContext is Upgrade until ctx is done; it then returns ctx's cause, and
// w is still locked for reading. If ctx is done already it does not try.
func (w *RWLock) UpgradeContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return w.upgrade("UpgradeContext", l)
}

// Downgrade turns the caller's lock for writing into one for reading. No writer
// comes in between; readers that wait may come in with it. It panics with an
// error that is ErrNotLocked if no writer holds w.
func (w *RWLock) Downgrade() {
	for {
		s := w.word.Load()
		if s&rwWritten == 0 {
			panic(misuse("RWLock.Downgrade", ErrNotLocked))
		}
		if s&rwMisused != 0 { // the reader would make up for the one too many, and seem not to be there
			runtime.Gosched()
			continue
		}
		if w.word.CompareAndSwap(s, s-rwWritten+rwReader) {
			w.release(s)
			return
		}
	}
}

// Locked reports whether anybody holds w. By the time the caller looks at the
// result it may be otherwise.
func (w *RWLock) Locked() bool { return held(w.word.Load()) }

// Readers returns how many readers hold w, likewise.
func (w *RWLock) Readers() int { return int(max(0, int64(w.word.Load())) / int64(rwReader)) }

// writeLocked reports whether a writer holds w.
func (w *RWLock) writeLocked() bool { return w.word.Load()&rwWritten != 0 }

// RLocker returns a Locker whose methods are w's RLock and RUnlock.
func (w *RWLock) RLocker() sync.Locker { return (*rlocker)(w) }

type rlocker RWLock

func (r *rlocker) Lock()   { (*RWLock)(r).RLock() }
func (r *rlocker) Unlock() { (*RWLock)(r).RUnlock() }

func (w *RWLock) lockContext(what uint64, ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !w.lock(what, l) {
		return l.Err(nil)
	}
	return nil
}

// held reports whether somebody holds a lock whose word is s.
func held(s uint64) bool { return s&rwWritten != 0 || s >= rwReader }

// mayEnter reports whether one who wants what may come in by himself. A reader
// that has its turn stood before the writers that wait.
func (w *RWLock) mayEnter(s, what uint64, turn bool) bool {
	switch {
	case what == toWrite:
		return s&^(rwQueued|rwWriters|rwTurn) == 0
	case w.PreferReaders:
		return s&(rwWritten|rwMisused) == 0
	case s&(rwWritten|rwStarving|rwUpgrading|rwMisused) != 0:
		return false
	default:
		return turn || s&rwWriters == 0 || s < rwReader
	}
}

// entered returns what the word becomes of s.
func entered(s, what uint64) uint64 {
	if what == toWrite {
		return s | rwWritten
	}
	return s + rwReader
}

// tryEnter comes in if it may.
func (w *RWLock) tryEnter(what uint64, turn bool) bool {
	for {
		s := w.word.Load()
		if !w.mayEnter(s, what, turn) {
			return false
		}
		if w.word.CompareAndSwap(s, entered(s, what)) {
			return true
		}
	}
}

// spin is tryEnter that looks for as long as a spinner of a Lock does, unless
// the lock is handed over.
func (w *RWLock) spin(what uint64, turn bool) bool {
	for look := range spinnerLooks() {
		if w.tryEnter(what, turn) {
			return true
		}
		if w.word.Load()&(rwStarving|rwUpgrading) != 0 {
			return false
		}
		backOff(look)
	}
	return w.tryEnter(what, turn)
}

func (w *RWLock) lock(what uint64, l park.Limit) bool {
	if !w.tryEnter(what, false) && (l.Expired() || !w.lockSlow(what, &l)) {
		return false
	}
	if l.Canceled() { // before the lock was free, it may be
		w.exit(what)
		return false
	}
	return true
}

func (w *RWLock) lockSlow(what uint64, l *park.Limit) bool {
	if !w.Fair && w.spin(what, false) {
		return true
	}
	if trace.Enabled() {
		lock := func() bool { return w.lockQueued(what, l) }
		return trace.Around(w, lock, func() { w.exit(what) })
	}
	return w.lockQueued(what, l)
}

func (w *RWLock) lockQueued(what uint64, l *park.Limit) bool {
	n := wait.New(nil, l)
	n.Key, n.Since = what, since(w.Fair)
	in := w.await(n, l)
	n.Free()
	return in
}

// exit undoes lock.
func (w *RWLock) exit(what uint64) {
	if what == toWrite {
		w.Unlock()
	} else {
		w.RUnlock()
	}
}

// await waits for w with the node n, which is in no queue.
func (w *RWLock) await(n *wait.Node, l *park.Limit) bool {
	for again := false; ; again = true {
		if w.enqueue(n, again) {
			return true
		}
		if !wait.Sleep(n, w.leave, l) {
			return false
		}
		if n.Got == gotLock {
			return true
		}
		// Before it looks at any clock: whoever gave the turn relies on the
		// look.
		in := w.spin(n.Key, true)
		if in || l.Expired() {
			w.giveBack(n)
			return in
		}
	}
}

// enqueue puts n into the queue and reports false, or comes in for it and
// reports true. Again is for one that had its turn, which ends.
func (w *RWLock) enqueue(n *wait.Node, again bool) (in bool) {
	w.q.Lock()
	flags := rwQueued
	if n.Key == toWrite {
		flags |= rwWriters
	}
	if (again || w.q.Head() == nil || n.Since == since0) && old(n) {
		flags |= rwStarving
	}
	for { // the lock is taken, or rwStarving is set already, where mayEnter says no
		s := w.word.Load()
		if w.mayEnter(s, n.Key, again) {
			if !w.word.CompareAndSwap(s, entered(s, n.Key)) {
				continue
			}
			if again {
				w.forget(n)
			}
			w.letIn()
			return true
		}
		marked := s | flags
		if again && w.turns == 1 {
			marked &^= rwTurn
		}
		if s == marked || w.word.CompareAndSwap(s, marked) {
			break
		}
	}
	if n.Key == toRead {
		w.readers++
	} else if !again {
		w.writers++
	}
	if again {
		w.turns--
		w.q.Restore(n)
	} else {
		w.q.PushBack(n)
	}
	w.q.Unlock()
	return false
}

// giveBack ends the turn of one who is in, or has given up.
func (w *RWLock) giveBack(n *wait.Node) {
	w.q.Lock()
	w.forget(n)
	w.letIn()
}

// forget is the part of it under the guard.
func (w *RWLock) forget(n *wait.Node) {
	w.turns--
	if n.Key == toWrite {
		w.writers--
	}
}

// leave takes n out of the queue and reports whether it stood there.
func (w *RWLock) leave(n *wait.Node) bool {
	w.q.Lock()
	if !w.q.Remove(n) {
		w.q.Unlock()
		return false
	}
	if n.Key == toWrite {
		w.writers--
	} else {
		w.readers--
	}
	w.letIn()
	return true
}

// release is what one does who has let go of the lock, and saw the flags of s
// in that step.
func (w *RWLock) release(s uint64) {
	if s&rwQueued == 0 || s&rwTurn != 0 && s&(rwStarving|rwUpgrading) == 0 && w.passed.Add(1)%ageLooks != 0 {
		return
	}
	w.q.Lock()
	late := w.turns > 0 && futex.Now()-w.turnSince > patience
	w.letIn()
	if late {
		stepAside()
	}
}

// letIn lets in, or gives turns to, whoever may come in. The caller has the
// guard, which letIn gives back.
func (w *RWLock) letIn() {
	w.tidy() // what keeps those out who may come in now
	first, got := w.next()
	w.tidy()
	w.q.Unlock()
	if first != nil {
		wait.WakeAll(first, got)
		trace.Released(w)
	}
}

// next takes out those who are to be woken, and returns the first, which leads
// to the others, and what they have got.
func (w *RWLock) next() (first *wait.Node, got int) {
	if u := w.upgrader; u != nil {
		if w.turnInto() {
			w.upgrader = nil
			*u.NextLink() = nil
			return u, gotLock
		}
		if !w.PreferReaders {
			return nil, 0
		}
	}
	h := w.q.Head()
	if h == nil {
		return nil, 0
	}
	what := h.Key
	if w.PreferReaders && w.readers > 0 {
		what = toRead
	}
	switch {
	case w.word.Load()&rwStarving != 0 || old(h):
		n := w.hand(what)
		if n == 0 {
			return nil, 0
		}
		if what == toWrite {
			w.writers--
		}
		return w.take(what, n), gotLock
	case w.turns > 0 || !w.mayEnter(w.word.Load(), what, true):
		return nil, 0
	default:
		w.turns, w.turnSince = w.ahead(what), futex.Now()
		w.word.Or(rwTurn)
		return w.take(what, w.turns), gotTurn
	}
}

// ahead returns the number of those who are next and want what: the writer at
// the head; or the readers before the first writer, with PreferReaders all. It
// takes as long as taking them out, so it is for when they are taken out.
func (w *RWLock) ahead(what uint64) (n int) {
	switch {
	case what == toWrite:
		return 1
	case w.PreferReaders:
		return w.readers
	}
	for h := w.q.Head(); h != nil && h.Key == toRead; h = h.Next() {
		n++
	}
	return n
}

// take takes the first n nodes that want what out.
func (w *RWLock) take(what uint64, n int) (first *wait.Node) {
	if what == toRead {
		w.readers -= n
	}
	last := &first
	for h := w.q.Head(); n > 0; {
		next := h.Next()
		if h.Key == what {
			w.q.Remove(h)
			*last = h
			last = h.NextLink()
			n--
		}
		h = next
	}
	return first
}

// hand takes the lock on behalf of those who are next and want what, and
// returns their number; or sees to it that its holder hands it over, and
// returns 0.
func (w *RWLock) hand(what uint64) (n int) {
	for {
		s := w.word.Load()
		switch {
		case s&(rwWritten|rwMisused) != 0 || what == toWrite && s >= rwReader:
			if s&rwStarving != 0 || w.word.CompareAndSwap(s, s|rwStarving) {
				return 0
			}
		case what == toWrite:
			if w.word.CompareAndSwap(s, s|rwWritten) {
				return 1
			}
		default:
			if n == 0 {
				n = w.ahead(what)
			}
			if w.word.CompareAndSwap(s, s+uint64(n)*rwReader) {
				return n
			}
		}
	}
}

// tidy clears the flags that are true no more.
func (w *RWLock) tidy() {
	var gone uint64
	h := w.q.Head()
	if h == nil && w.upgrader == nil && (w.turns == 0 || !park.OnOneP()) { // see stepAside
		gone |= rwQueued
	}
	if w.writers == 0 {
		gone |= rwWriters
	}
	if w.word.Load()&rwStarving != 0 && (h == nil || !old(h)) {
		gone |= rwStarving
	}
	if w.upgrader == nil {
		gone |= rwUpgrading
	}
	if w.turns == 0 {
		gone |= rwTurn
	}
	if w.word.Load()&gone != 0 {
		w.word.And(^gone)
	}
}

// turnInto makes the only reader the writer, and reports false if there are
// others.
func (w *RWLock) turnInto() bool {
	for {
		s := w.word.Load()
		if s/rwReader != 1 {
			return false
		}
		if w.word.CompareAndSwap(s, s-rwReader|rwWritten) {
			return true
		}
	}
}

func (w *RWLock) upgrade(what string, l park.Limit) error {
	var err error
	upgraded := false
	if trace.Enabled() {
		upgrade := func() bool { upgraded, err = w.upgradeQueued(what, &l); return upgraded }
		trace.Around(w, upgrade, w.Downgrade)
	} else {
		upgraded, err = w.upgradeQueued(what, &l)
	}
	switch {
	case err != nil:
		return err
	case upgraded && l.Canceled(): // before the other readers left, it may be
		w.Downgrade()
		return l.Err(nil)
	case !upgraded:
		return l.Err(ErrTimeout)
	default:
		return nil
	}
}

// upgradeQueued reports whether the caller is the writer now; if not l has
// ended, or there is an error.
func (w *RWLock) upgradeQueued(what string, l *park.Limit) (upgraded bool, err error) {
	n := wait.New(nil, l)
	defer n.Free()
	switch waits, err := w.beginUpgrade(what, n, l); {
	case err == ErrTimeout: // l tells why
		return false, nil
	case err != nil:
		return false, err
	case !waits:
		return true, nil
	default:
		return wait.Sleep(n, w.stopUpgrade, l), nil
	}
}

// beginUpgrade makes the caller the writer, or n the upgrader, which waits. If
// l has ended it returns ErrTimeout instead of that.
func (w *RWLock) beginUpgrade(what string, n *wait.Node, l *park.Limit) (waits bool, err error) {
	w.q.Lock()
	defer w.q.Unlock()
	for {
		s := w.word.Load()
		switch {
		case s&(rwWritten|rwMisused) != 0 || s < rwReader:
			panic(misuse("RWLock."+what, ErrNotLocked))
		case w.upgrader != nil:
			return false, ErrDeadlock
		case s < 2*rwReader:
			if w.word.CompareAndSwap(s, s-rwReader|rwWritten) {
				return false, nil
			}
		case l.Expired():
			return false, ErrTimeout
		case w.word.CompareAndSwap(s, s|rwQueued|rwUpgrading):
			w.upgrader = n
			return true, nil
		}
	}
}

func (w *RWLock) stopUpgrade(n *wait.Node) bool {
	w.q.Lock()
	if w.upgrader != n {
		w.q.Unlock()
		return false
	}
	w.upgrader = nil
	w.letIn()
	return true
}
