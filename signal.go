package thread

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"example.com/thread/internal/park"
)

// Signals of single threads: what signal.h has about threads.
//
// A signal sent to a thread is pending on that thread. If the thread does not
// block it, its handler runs there, which in a Go process is the runtime's, and
// os/signal gets it; see Thread.Signal. If the thread blocks it, it stays
// pending until the thread unblocks it or takes it by Sigwait. Nothing else
// takes it: no other thread sees it.
//
// Signals and faults that Go's runtime and the C libraries live by are not
// blocked, whatever the caller asks for: osNeverBlocked, see Attr.SignalMask.

// A MaskChange is what SetSignalMask does with a set.
type MaskChange int

// The changes of a mask.
const (
	BlockSignals   MaskChange = iota // add the set to the mask (POSIX: SIG_BLOCK)
	UnblockSignals                   // remove the set from the mask (SIG_UNBLOCK)
	ReplaceMask                      // make the set the mask (SIG_SETMASK)
)

func (c MaskChange) String() string {
	return nameOf(int(c), "MaskChange", "block", "unblock", "replace")
}

// SetSignalMask changes the calling thread's signal mask, and returns the one
// before (POSIX: pthread_sigmask). Of set it ignores the signals that must not
// be blocked, which Attr.SignalMask lists, and the kernel ignores SIGKILL and
// SIGSTOP. The mask stays as it is after Detach, for the goroutines that the
// thread runs then: restore it before.
//
// A process that the thread starts begins with the thread's mask, and so does
// a thread that C code makes on it. C code may change the mask, too.
//
// SetSignalMask returns ErrNotAttached in a goroutine without a thread of its
// own, syscall.EINVAL, or the system's error; errors.ErrUnsupported on systems
// other than Linux.
func SetSignalMask(change MaskChange, set SignalSet) (old SignalSet, err error) {
	if !osSignals {
		return 0, unsupported("signal mask of a running thread")
	}
	if change < BlockSignals || change > ReplaceMask {
		return 0, badAttr("signal mask: %v", change)
	}
	if Current() == nil {
		return 0, ErrNotAttached
	}
	return osChangeMask(change, set&^osNeverBlocked)
}

// SignalMask returns the calling thread's signal mask. Its errors are those of
// SetSignalMask.
func SignalMask() (SignalSet, error) { return SetSignalMask(BlockSignals, 0) }

// SignalPending returns the signals that are pending on the calling thread and
// on the process, which are blocked here (POSIX: sigpending). Its errors are
// those of SetSignalMask.
func SignalPending() (SignalSet, error) {
	if !osSignals {
		return 0, unsupported("pending signals of a thread")
	}
	if Current() == nil {
		return 0, ErrNotAttached
	}
	return osPending()
}

// Signal sends sig to t (POSIX: pthread_kill). Signal 0 checks whether it could
// be sent. If t blocks sig it stays pending on t, until t unblocks it or takes
// it by [Sigwait]. Otherwise Go's handler runs on t, as for a signal sent to
// the process:
//
//   - a signal that os/signal.Notify asks for goes to its channels, which do not
//     say which thread it was sent to;
//   - else SIGHUP, SIGINT, SIGTERM and those that end a Go process end it, and
//     the others, such as SIGUSR1 and the real-time ones, do nothing;
//   - a fault, such as SIGSEGV, ends the process with all stacks, and so does
//     SIGQUIT; SIGKILL and SIGSTOP are of the whole process;
//   - SIGURG and SIGPROF are what the runtime sends its threads itself: the one
//     may preempt t, the other does nothing but add a sample to a CPU profile;
//   - a signal with a handler of C's runs that handler on t. A blocking system
//     call on t returns EINTR if the handler has no SA_RESTART, which Go's has,
//     and always if it is one of those in signal(7). To bring a thread out of a
//     call use [Thread.Interrupt].
//
// Signal returns ErrEnded, or the system's error, which is syscall.EAGAIN for a
// real-time signal if too many are pending (RLIMIT_SIGPENDING). It returns
// syscall.EINVAL for what has no number from 0 to 64, and for signals of the C
// libraries (32 to 34) and of Thread.Interrupt (60); errors.ErrUnsupported on
// systems other than Linux.
//
// What the caller did before Signal synchronizes before the return from the
// Sigwait that takes the signal.
func (t *Thread) Signal(sig os.Signal) error {
	n, err := sendable(sig, osReservedSignals)
	if err != nil {
		return err
	}
	return t.sending(func() error { return osSend(t, n) })
}

// SignalValue is Signal with a value, which [Sigwait] returns (POSIX: sigqueue,
// glibc: pthread_sigqueue). Real-time signals, from 35 on, are queued: none is
// lost, and those of one number keep their order. Of others one is pending at
// most. A fault, whose handler would take the value for an address, is
// syscall.EINVAL.
func (t *Thread) SignalValue(sig os.Signal, value uintptr) error {
	n, err := sendable(sig, osReservedSignals|osFaults)
	if err != nil {
		return err
	}
	return t.sending(func() error { return osQueue(t, n, value) })
}

// sending calls send, which sends t a signal. The kernel orders memory between
// that and the call that takes the signal, which neither Go's memory model nor
// the race detector knows of: the count is an atomic that says so. What takes
// the signal reads it, in sigwait.
func (t *Thread) sending(send func() error) error {
	return t.whileAlive(func() error {
		t.sent.Add(1)
		return send()
	})
}

// sendable returns the number of sig, unless it is in not.
func sendable(sig os.Signal, not SignalSet) (int, error) {
	if !osSignals {
		return 0, unsupported("signal to a thread")
	}
	n, numbered := signalNumber(sig)
	if !numbered || n < 0 || n > maxSignal || not.Has(sig) {
		return 0, badAttr("cannot send signal %v", sig)
	}
	return n, nil
}

// A SignalInfo is a signal that Sigwait has taken (POSIX: siginfo_t).
type SignalInfo struct {
	Signal os.Signal
	Value  uintptr // given to SignalValue, or by C code to sigqueue
	Code   int     // what sent it, si_code of sigaction(2): -6 Signal, -1 SignalValue
	PID    int     // of the sender's process, if Code is not positive
	UID    int     // of its user, if Code is not positive
}

// Sigwait waits until one of the signals in set is pending on the calling
// thread, or on the process, and takes it (POSIX: sigwaitinfo). If several are,
// it takes a standard signal first, then the lowest number, then the one that
// was queued first; those of the thread before those of the process.
//
// The thread must block the signals, by [SetSignalMask] or Attr.SignalMask:
// otherwise one that comes while the thread does not wait goes to its handler,
// so Sigwait returns syscall.EINVAL. It ignores those in set that cannot be
// blocked; if none is left it returns syscall.EINVAL, too. A signal sent to the
// process goes to any of its threads that does not block it. That is usually
// another one, and os/signal gets it: send to the thread.
//
// Waiting holds the thread, and no P. A handler that runs meanwhile does not
// end the wait, but [Thread.Interrupt] does: within [Interruptible] Sigwait
// then returns syscall.EINTR. Sigwait also returns ErrNotAttached in a
// goroutine without a thread of its own, the system's error, and
// errors.ErrUnsupported on systems other than Linux.
func Sigwait(set SignalSet) (SignalInfo, error) { return sigwait(set, park.Unlimited()) }

// TrySigwait is SigwaitTimeout(set, 0).
func TrySigwait(set SignalSet) (SignalInfo, error) { return SigwaitTimeout(set, 0) }

// SigwaitTimeout is Sigwait for at most d (POSIX: sigtimedwait); after that it
// returns ErrTimeout, and has taken no signal.
func SigwaitTimeout(set SignalSet, d time.Duration) (SignalInfo, error) {
	return sigwait(set, park.For(d))
}

// SigwaitContext is Sigwait until ctx is done; it then returns ctx's cause, and
// has taken no signal. A signal that the kernel had given it before it noticed
// is returned.
func SigwaitContext(ctx context.Context, set SignalSet) (SignalInfo, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return SignalInfo{}, err
	}
	return sigwait(set, l)
}

func sigwait(set SignalSet, l park.Limit) (SignalInfo, error) {
	if !osSignals {
		return SignalInfo{}, unsupported("wait for signals")
	}
	mask, err := SignalMask()
	if err != nil {
		return SignalInfo{}, err
	}
	if set &^= osNeverBlocked | osUnblockable; set.IsEmpty() {
		return SignalInfo{}, badAttr("Sigwait: no signal that can be blocked")
	}
	if open := set.Minus(mask); !open.IsEmpty() {
		return SignalInfo{}, fmt.Errorf("thread: Sigwait: not blocked: %v: %w", open, syscall.EINVAL)
	}
	t := Current()
	info, err := osSigwait(t, set, &l)
	t.sent.Load() // pairs with sending's Add
	return info, err
}
