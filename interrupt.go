package thread

import (
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
)

// Interrupt brings a thread out of a blocking call by a signal whose handler
// does nothing: a system call that sleeps returns EINTR. What is hard is the
// moment. A signal that comes before the call begins is handled and gone, and
// one that comes after it has ended hits the next call.
//
// pthread_cancel is no way out. It ends the thread: it unwinds or abandons the
// frames of Go below the call, without their deferred calls and with the locks
// that they hold. It must never be used on a thread that runs Go code.
//
// The thread says by Interruptible when it may be interrupted. Its record has a
// word for that:
//
//	closed   the thread is not in Interruptible: no signal is sent
//	open     it is, and Interrupt has not been called
//	asked    Interrupt has been called: signals are sent until the thread
//	         acknowledges
//
//	closed --Interruptible begins--> open    by the thread
//	open   --Interruptible ends----> closed  by the thread
//	open   --Interrupt-------------> asked   by any thread, with mu
//	asked  --Interrupted-----------> open    by the thread, with mu: acknowledged
//	asked  --Interruptible ends----> closed  by the thread, with mu: acknowledged
//
// No interrupt is lost: the caller that moves the word to asked sends a signal
// at once, and a timer sends others at growing intervals until the thread
// acknowledges. A call that begins after one signal is met by the next.
//
// No signal is stray. Invariant: a signal is sent with mu held and the word
// asked. The thread leaves asked with mu held, so from then on none is sent,
// and those sent before are handled or pending. The thread takes the pending
// ones (osDrain) before it goes on. It does so only after an Interrupt;
// otherwise Interruptible costs two atomic writes.
//
// Model: verify/interrupt.pml.
//
// Rounds count how often the word was asked, so that the timer of one round
// stops when that round is acknowledged.

const (
	intrClosed uint32 = iota
	intrOpen
	intrAsked
)

// The intervals at which a signal is repeated.
const (
	repeatFirst = 50 * time.Microsecond
	repeatMost  = 10 * time.Millisecond
)

type interrupt struct {
	state atomic.Uint32
	depth int    // of Interruptible; the thread's own
	round uint64 // with mu: how often it was asked
}

// Interruptible calls f, during which [Thread.Interrupt] brings the calling
// thread out of a blocking call: a system call that sleeps, by Go or by C code,
// returns EINTR. It reports whether Interrupt was called meanwhile and was not
// noticed by [Interrupted], whatever f's call returned. A call of Interruptible
// in f is part of the outer one.
//
// f should consist of the call and little more. What is interrupted is the
// system call: a C function that repeats it, and Go's own os and net packages,
// which do, go on. Use package syscall or golang.org/x/sys/unix, or C code that
// returns on EINTR. Other signals may end a call with EINTR as well, see
// signal(7); Interrupted tells them apart. Waits of this module do not end, but
// for [Sigwait].
//
// Interruptible returns without a call of f: ErrNotAttached in a goroutine
// without a thread of its own; syscall.EBUSY if C code has a handler for the
// signal, which is 60; or the system's error. It returns errors.ErrUnsupported
// on systems other than Linux on amd64, 386, arm64, arm and riscv64. A thread
// on which C code blocks the signal is not interrupted.
func Interruptible(f func()) (interrupted bool, err error) {
	if !osInterrupts {
		return false, unsupported("interrupting a call")
	}
	t := Current()
	if t == nil {
		return false, ErrNotAttached
	}
	if err := osInterruptible(); err != nil {
		return false, err
	}
	// Deferred calls run when f panics, or calls Goexit or Exit. If C code ends
	// the thread, its record ends, and nothing is sent any more.
	defer func() { interrupted = t.endInterruptible() }()
	t.beginInterruptible()
	f()
	return false, nil
}

func (t *Thread) beginInterruptible() {
	if t.interrupt.depth++; t.interrupt.depth == 1 {
		t.interrupt.state.Store(intrOpen)
	}
}

// endInterruptible reports whether there was an Interrupt.
func (t *Thread) endInterruptible() bool {
	if t.interrupt.depth--; t.interrupt.depth > 0 {
		return t.interrupt.state.Load() == intrAsked
	}
	if t.interrupt.state.CompareAndSwap(intrOpen, intrClosed) {
		return false
	}
	return t.acknowledge(intrClosed)
}

// acknowledge moves the word of the calling thread, t, from asked to state, and
// takes the signals that were sent. It reports false if it was asked by an
// Interrupt that has failed meanwhile.
func (t *Thread) acknowledge(state uint32) bool {
	t.mu.Lock()
	asked := t.interrupt.state.Swap(state) == intrAsked
	t.mu.Unlock()
	osDrain()
	return asked
}

// Interrupted reports whether [Thread.Interrupt] was called for the calling
// thread since Interruptible began, or since Interrupted last returned true. It
// is for a loop in Interruptible's function around a call that returned EINTR.
// Outside Interruptible it returns false.
func Interrupted() bool {
	t := Current()
	if t == nil || t.interrupt.state.Load() != intrAsked {
		return false
	}
	return t.acknowledge(intrOpen)
}

// isAsked reports whether the calling thread, t, has to come out of its call.
func (t *Thread) isAsked() bool { return t.interrupt.state.Load() == intrAsked }

// Interrupt brings t, which is in [Interruptible], out of a blocking call, or
// out of the next one if it is in none: it sends a signal, which is repeated
// until Interruptible's function ends or calls [Interrupted]. Interrupt does
// not wait for that. Calls before that are the same as one.
//
// It returns ErrNotInterruptible if t is not in Interruptible, and then has no
// effect: so each call that returned nil is noticed, by Interruptible or by
// Interrupted. It returns ErrEnded, syscall.EBUSY, or the system's error if the
// first signal cannot be sent; errors.ErrUnsupported where Interruptible does.
//
// What the caller did before Interrupt synchronizes before the return from the
// Interruptible, or the Interrupted, that reports it.
func (t *Thread) Interrupt() error {
	if !osInterrupts {
		return unsupported("interrupting a call")
	}
	return t.whileAlive(func() error {
		if !t.interrupt.state.CompareAndSwap(intrOpen, intrAsked) {
			if t.isAsked() {
				return nil
			}
			return ErrNotInterruptible
		}
		if err := osInterrupt(t); err != nil {
			t.interrupt.state.Store(intrOpen) // the thread does not leave asked without mu
			return err
		}
		t.interrupt.round++
		t.repeat(t.interrupt.round)
		return nil
	})
}

// repeat arranges for signals until the round is acknowledged. A timer of a
// bubble of testing/synctest would stand still while its goroutines wait for t.
func (t *Thread) repeat(round uint64) {
	if futex.Now() >= 0 {
		t.repeatAfter(round, repeatFirst)
		return
	}
	// A thread is in no bubble. If none can be made, the repetitions have the
	// bubble's time.
	_, err := Start(func() { t.repeatAfter(round, repeatFirst) }, &Attr{Detached: true})
	if err != nil {
		t.repeatAfter(round, repeatFirst)
	}
}

func (t *Thread) repeatAfter(round uint64, d time.Duration) {
	time.AfterFunc(d, func() {
		err := t.whileAlive(func() error {
			if t.interrupt.round != round || !t.isAsked() {
				return ErrNotInterruptible
			}
			// What the system refuses, for a queue that is full, it may take
			// later.
			_ = osInterrupt(t)
			return nil
		})
		if err == nil {
			t.repeatAfter(round, min(2*d, repeatMost))
		}
	})
}
