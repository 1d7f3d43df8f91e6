//go:build !plan9

package shared

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/park"
)

// What the objects have in common beside the sleep, as csrc/ost_word.h has it
// for C: the attribute word and its check, the halves of a word of 64 bits, and
// the pause of a loop of compare-and-swaps that keeps failing, so that a
// process which changes a word all the time slows its peers down and does not
// keep them busy.

// attrs is the attribute word of an object: the flags of Init, of 16 bits,
// below a mark of the type that Init sets. 0 is an object that was never
// initialized, without flags. Another process may change it at any time.
type attrs struct{ word atomic.Uint32 }

// attrShared is the flag OST_PSHARED of csrc/ost_os.h.
const (
	attrShared uint32 = 0x8
	flagsMask  uint32 = 0xffff
)

// load returns the flags, or ErrCorrupt for the mark of another type and for
// flags that the type or the system does not have.
func (a *attrs) load(mark, allowed uint32) (flags uint32, err error) {
	w := a.word.Load()
	if w == 0 {
		return 0, nil
	}
	if w&^flagsMask != mark || w&flagsMask&^allowed != 0 || w&attrShared != 0 && !canShare() {
		return 0, ErrCorrupt
	}
	return w & flagsMask, nil
}

// flagsFor returns the flags of an object, with attrShared if it is shared
// between processes, or ErrUnsupported where that is not possible.
func flagsFor(flags uint32, processShared bool) (uint32, error) {
	if !processShared {
		return flags, nil
	}
	if !canShare() {
		return 0, ErrUnsupported
	}
	return flags | attrShared, nil
}

// lowHalf and highHalf are where the halves of a word of 64 bits are, in words
// of 32.
var lowHalf, highHalf = func() (low, high uintptr) {
	w := uint64(1)
	if *(*uint32)(unsafe.Pointer(&w)) == 1 {
		return 0, 1
	}
	return 1, 0
}()

// half returns the half of w at place, lowHalf or highHalf, to sleep on.
func half(w *atomic.Uint64, place uintptr) *uint32 {
	return (*uint32)(unsafe.Add(unsafe.Pointer(w), 4*place))
}

func futexOf(w *atomic.Uint32) *uint32 { return (*uint32)(unsafe.Pointer(w)) }

// A failures counts the compare-and-swaps of a loop that have failed.
type failures int

const failuresPerNap = 1000

// pause counts a failure, and sleeps for 1 ms after each 1,000 of them.
func (n *failures) pause() {
	if *n++; *n%failuresPerNap == 0 {
		time.Sleep(time.Millisecond)
	}
}

// polls is how often a wait polls its word before it sleeps.
const polls = 100

// poll calls cond until it is true, for a short time.
func poll(cond func() bool) {
	if !park.CanSpin() {
		return
	}
	for range polls {
		if cond() {
			return
		}
		park.Pause(1)
	}
}

// spinners are for waits for what another thread does next, as the waits of a
// semaphore and an event, each for the objects whose address selects it:
// whether spinning pays is known from the last waits. They are in the process's
// own memory.
var spinners [64]struct {
	park.Spinner
	_ [128 - unsafe.Sizeof(park.Spinner{})]byte // a cache line each
}

// spin polls cond, for some 40 us if that has paid before.
func spin(word *uint32, cond func() bool) {
	if park.CanSpin() {
		spinners[uintptr(unsafe.Pointer(word))/8%uintptr(len(spinners))].Until(cond)
	}
}

// errEnded is what a wait returns once its limit has ended.
var errEnded = errors.New("ended")

// pass is a call that waits until l has ended: try passes without a sleep or
// returns ErrBusy, and wait sleeps. A free object lets the caller pass even if
// the time is over.
func pass(call string, l limit, try func() error, wait func(limit) error) error {
	err := try()
	if err == ErrBusy && l.until != nil {
		if err := l.until.check(); err != nil {
			return failed(call, err)
		}
	}
	if err == ErrBusy {
		err = wait(l)
	}
	if err == errEnded {
		return l.err(call)
	}
	return named(call, err)
}

// passContext is pass until ctx is done. If it is done before, the caller does
// not pass.
func passContext(call string, ctx context.Context, try func() error, wait func(limit) error) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return pass(call, l, try, wait)
}

// named returns err as the error of a call. ErrBusy, which is no failure, stays
// as it is.
func named(call string, err error) error {
	if err == nil || err == ErrBusy {
		return err
	}
	return failed(call, err)
}
