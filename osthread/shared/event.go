//go:build !plan9

package shared

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// The word of an Event, for Go here and for C in csrc/ost_event.h, whose header
// has the arguments why no wakeup is lost and what a killed process leaves.
//
// Of manual reset:
//
//	31              2       1        0
//	+---------------+---------+-----+
//	|     epoch     | WAITERS | SET |
//	+---------------+---------+-----+
//
// Set sets SET, adds 1 to the epoch and clears WAITERS, and wakes all if there
// were WAITERS. Only Set changes a word that has WAITERS and no SET, so a
// waiter sleeps while the word is the same, and a Clear right after Set does
// not hide the Set.
//
// Of automatic reset, a lock seen from the other side (lock.go of package
// thread): Set is its Unlock, Wait its Lock.
//
//	     Wait                      Wait, just before it sleeps
//	SET (1) ------> UNSET (0) ---------------> WAITED (2)
//	   ^                |                           |
//	   +----------------+---------------------------+
//	          Set                 Set, wakes one waiter
const (
	eventSet     uint32 = 1
	eventWaiters uint32 = 2 // manual
	eventEpoch   uint32 = 4 // manual

	eventUnset  uint32 = 0 // automatic
	eventWaited uint32 = 2 // automatic: there may be waiters
)

const (
	eventMark    uint32 = 0x4556_0000
	eventAuto    uint32 = 0x0100
	eventAllowed        = attrShared | eventAuto
)

// An Event is a flag that threads wait for and that C code can use, too, as the
// ost_event_t of csrc/ost_event.h, and that processes can share. The zero value
// is not set, of manual reset, and for one process. It must not be copied after
// first use.
//
// An event of manual reset lets all through while it is set, and a Set lets
// through all that wait, even if a Clear comes right after. An event of
// automatic reset lets one through, which clears it; a Clear takes back a Set
// whose waiter does not run yet. POSIX has no events; the two kinds are those
// of Windows.
//
// A goroutine that waits blocks its thread. All methods return ErrCorrupt if
// the memory does not hold an event.
//
// In the terms of the Go memory model, a Set synchronizes before the return of
// a Wait that it lets through.
type Event struct {
	state atomic.Uint32
	attr  attrs
}

// Init makes e an event that is not set, of automatic reset if autoReset is
// true. processShared says that processes share e, as for [Semaphore.Init].
// Nobody may use e meanwhile. Init returns ErrUnsupported if the system cannot
// share between processes.
func (e *Event) Init(autoReset, processShared bool) error {
	kind := uint32(0)
	if autoReset {
		kind = eventAuto
	}
	flags, err := flagsFor(kind, processShared)
	if err != nil {
		return failed("Event.Init", err)
	}
	e.attr.word.Store(eventMark | flags)
	e.state.Store(0)
	return nil
}

// Set sets e and wakes those it lets through. Once e is set only its address is
// used.
func (e *Event) Set() error { return named("Event.Set", e.set()) }

func (e *Event) set() error {
	flags, err := e.attr.load(eventMark, eventAllowed)
	if err != nil {
		return err
	}
	if flags&eventAuto != 0 {
		return e.setAuto(flags)
	}
	for n := failures(0); ; n.pause() {
		s := e.state.Load()
		if s&eventSet != 0 {
			return nil
		}
		if e.state.CompareAndSwap(s, s&^eventWaiters+eventEpoch+eventSet) {
			if s&eventWaiters != 0 {
				wake(futexOf(&e.state), wakeAll, flags&attrShared != 0)
			}
			return nil
		}
	}
}

func (e *Event) setAuto(flags uint32) error {
	s := e.state.Swap(eventSet)
	if s != eventUnset && s != eventSet {
		wake(futexOf(&e.state), 1, flags&attrShared != 0)
	}
	if s > eventWaited {
		return ErrCorrupt
	}
	return nil
}

// Clear makes e not set.
func (e *Event) Clear() error { return named("Event.Clear", e.clear()) }

func (e *Event) clear() error {
	flags, err := e.attr.load(eventMark, eventAllowed)
	if err != nil {
		return err
	}
	for n := failures(0); ; n.pause() {
		s := e.state.Load()
		switch {
		case flags&eventAuto != 0 && s > eventWaited:
			return ErrCorrupt
		case s&eventSet == 0 || e.state.CompareAndSwap(s, s&^eventSet):
			return nil
		}
	}
}

// IsSet reports whether e is set. It may be stale by the time it is used.
func (e *Event) IsSet() (bool, error) {
	flags, err := e.attr.load(eventMark, eventAllowed)
	s := e.state.Load()
	if err != nil || flags&eventAuto != 0 && s > eventWaited {
		return false, failed("Event.IsSet", ErrCorrupt)
	}
	return s&eventSet != 0, nil
}

// Wait passes e, sleeping until it is set. It clears an event of automatic
// reset.
func (e *Event) Wait() error { return pass("Event.Wait", forever(), e.try, e.wait) }

// TryWait passes e if it is set, and returns ErrBusy if not.
func (e *Event) TryWait() error { return named("Event.TryWait", e.try()) }

func (e *Event) try() error {
	flags, err := e.attr.load(eventMark, eventAllowed)
	if err != nil {
		return err
	}
	s := e.state.Load()
	switch {
	case flags&eventAuto == 0:
		if s&eventSet != 0 {
			return nil
		}
	case s > eventWaited:
		return ErrCorrupt
	case s == eventSet && e.state.CompareAndSwap(eventSet, eventUnset):
		return nil
	}
	return ErrBusy
}

// WaitTimeout is Wait for at most d; then it returns ErrTimeout.
func (e *Event) WaitTimeout(d time.Duration) error {
	return pass("Event.WaitTimeout", within(d), e.try, e.wait)
}

// WaitContext is Wait until ctx is done; then it returns ctx's cause.
func (e *Event) WaitContext(ctx context.Context) error {
	return passContext("Event.WaitContext", ctx, e.try, e.wait)
}

// WaitUntil is Wait until d; then it returns ErrTimeout.
func (e *Event) WaitUntil(d Deadline) error {
	return pass("Event.WaitUntil", untilTime(d), e.try, e.wait)
}

func (e *Event) wait(l limit) error {
	flags, err := e.attr.load(eventMark, eventAllowed)
	if err != nil {
		return err
	}
	spin(futexOf(&e.state), func() bool { return e.state.Load()&eventSet != 0 })
	w := begin(e, futexOf(&e.state), l, flags&attrShared != 0)
	defer w.end()
	if flags&eventAuto != 0 {
		return e.waitAuto(&w)
	}
	return e.waitManual(&w)
}

// waitAuto tries once more after each sleep, as the sleep may have consumed the
// only wakeup, and takes the event by WAITED, since others may sleep still.
func (e *Event) waitAuto(w *waiter) error {
	for more := true; ; more = w.sleep(futexOf(&e.state), eventWaited) {
		if e.state.Load() > eventWaited {
			return ErrCorrupt
		}
		if e.state.Swap(eventWaited) == eventSet {
			return nil
		}
		if !more {
			return errEnded
		}
	}
}

func (e *Event) waitManual(w *waiter) error {
	s := e.state.Load()
	for n := failures(0); s&(eventSet|eventWaiters) == 0; n.pause() {
		if e.state.CompareAndSwap(s, s|eventWaiters) {
			s |= eventWaiters
			break
		}
		s = e.state.Load()
	}
	if s&eventSet != 0 {
		return nil
	}
	for w.sleep(futexOf(&e.state), s) {
		if e.state.Load() != s {
			return nil
		}
	}
	if e.state.Load() != s {
		return nil
	}
	return errEnded
}

// String returns e's address and whether it is set. It may be called at any
// time.
func (e *Event) String() string {
	set, err := e.IsSet()
	switch {
	case err != nil:
		return fmt.Sprintf("shared.Event(%p, %v)", e, err)
	case set:
		return fmt.Sprintf("shared.Event(%p, set)", e)
	default:
		return fmt.Sprintf("shared.Event(%p, not set)", e)
	}
}
