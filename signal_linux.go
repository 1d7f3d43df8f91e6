package thread

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/eintr"
	"example.com/thread/internal/park"
)

// Linux: tgkill and rt_tgsigqueueinfo send, rt_sigprocmask and rt_sigpending
// are of the calling thread, and rt_sigtimedwait waits.
//
// signalfd(2) is the other way to wait. It is for loops around poll, and Go's
// poller does not serve it: a descriptor shows the signals that are pending on
// the thread that polls it, which is whichever runs the scheduler, not the one
// that they were sent to. It would also cost a descriptor a thread, and takes
// the signals of one number only in the order of the kernel, as this does.
//
// A thread in rt_sigtimedwait has handed off its P (park.Syscall). A context,
// and a request to the thread (internal/waits), ends the wait by a signal,
// wakeSignal, that is in the set as well. It is blocked from before these are
// watched until the watch is over:
//
//	blocked, watched     a wakeSignal stays pending, so the wait that begins
//	                     after it ends at once: none is lost
//	watch stopped        the function that sends it has returned, or will not run
//	drained, unblocked   what it sent is taken, so no handler and no later call
//	                     sees it
//
// wakeSignal is also that of Thread.Interrupt. Within Interruptible a wait may
// take signals of either: it asks for all of them after each, and Interrupt
// repeats its own.
//
// The kernel takes the lowest number first, and that of wakeSignal is above
// those that programs use, so a signal that is pending with it is returned.

const (
	osSignals    = !isMIPS
	osInterrupts = eintr.Supported

	wakeSignal = 60

	osReservedSignals = 7<<(32-1) | 1<<(wakeSignal-1)
	osUnblockable     = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1)
	osFaults          = 1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1) | 1<<(unix.SIGBUS-1) |
		1<<(unix.SIGFPE-1) | 1<<(unix.SIGSEGV-1) | 1<<(unix.SIGSYS-1)

	sigsetBytes = 8 // of the kernel's sigset_t

	// MIPS has other sets, and another siginfo_t.
	isMIPS = runtime.GOARCH == "mips" || runtime.GOARCH == "mipsle" ||
		runtime.GOARCH == "mips64" || runtime.GOARCH == "mips64le"
)

func osSignalName(n int) string { return unix.SignalName(syscall.Signal(n)) }

// wordBits is the number of bits of a word of the kernel's set, which has the
// lowest signals first.
const wordBits = 8 * int(unsafe.Sizeof(unix.Sigset_t{}.Val[0]))

func (s SignalSet) kernel() (k unix.Sigset_t) {
	for i := range maxSignal {
		if s>>i&1 == 1 {
			k.Val[i/wordBits] |= 1 << (i % wordBits)
		}
	}
	return k
}

func signalSet(k *unix.Sigset_t) (s SignalSet) {
	for i := range maxSignal {
		if k.Val[i/wordBits]>>(i%wordBits)&1 == 1 {
			s |= 1 << i
		}
	}
	return s
}

func osChangeMask(change MaskChange, set SignalSet) (SignalSet, error) {
	how := [...]int{
		BlockSignals: unix.SIG_BLOCK, UnblockSignals: unix.SIG_UNBLOCK, ReplaceMask: unix.SIG_SETMASK,
	}[change]
	k, old := set.kernel(), unix.Sigset_t{}
	if err := unix.PthreadSigmask(how, &k, &old); err != nil {
		return 0, os.NewSyscallError("rt_sigprocmask", err)
	}
	return signalSet(&old), nil
}

// osSetSignalMask sets the calling thread's signal mask.
func osSetSignalMask(mask uint64) error {
	_, err := osChangeMask(ReplaceMask, SignalSet(mask))
	return err
}

func osPending() (SignalSet, error) {
	var k unix.Sigset_t
	_, _, errno := syscall.RawSyscall(unix.SYS_RT_SIGPENDING, uintptr(unsafe.Pointer(&k)), sigsetBytes, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("rt_sigpending", errno)
	}
	return signalSet(&k), nil
}

// osSend is called while t is alive; an attached thread may end all the same.
func osSend(t *Thread, n int) error {
	return sent("tgkill", unix.Tgkill(unix.Getpid(), t.nativeID, syscall.Signal(n)))
}

func osQueue(t *Thread, n int, value uintptr) error {
	const queued = -1 // SI_QUEUE
	info := siginfo{Siginfo: unix.Siginfo{Signo: int32(n), Code: queued}}
	*info.sender() = sender{pid: int32(unix.Getpid()), uid: uint32(unix.Getuid()), value: value}
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_TGSIGQUEUEINFO, uintptr(unix.Getpid()), uintptr(t.nativeID),
		uintptr(n), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return sent("rt_tgsigqueueinfo", errno)
	}
	return nil
}

func sent(call string, err error) error {
	if err == syscall.ESRCH {
		return ErrEnded
	}
	return os.NewSyscallError(call, err)
}

// A siginfo is the kernel's siginfo_t. The sender follows the three numbers,
// aligned as its value is.
type siginfo struct {
	_ [0]uintptr
	unix.Siginfo
}

type sender struct {
	pid   int32
	uid   uint32
	value uintptr
}

func (s *siginfo) sender() *sender {
	const numbers, word = 3 * 4, unsafe.Sizeof(uintptr(0))
	return (*sender)(unsafe.Add(unsafe.Pointer(s), (numbers+word-1)/word*word))
}

func (s *siginfo) result() SignalInfo {
	r := SignalInfo{Signal: syscall.Signal(s.Signo), Code: int(s.Code)}
	if s.Code <= 0 { // else the kernel's, which has other fields there
		from := s.sender()
		r.PID, r.UID = int(from.pid), int(from.uid)
		if s.Code < 0 && s.Code != fromTgkill {
			r.Value = from.value
		}
	}
	return r
}

const fromTgkill = -6 // SI_TKILL, which has no value

// osSigwait takes one of set, which the calling thread, t, blocks, and waits
// for it until l, or an Interrupt, ends that.
func osSigwait(t *Thread, set SignalSet, l *park.Limit) (SignalInfo, error) {
	switch info, errno := take(set); {
	case errno == 0:
		return info.result(), nil
	case errno != syscall.EAGAIN && errno != syscall.EINTR:
		return SignalInfo{}, os.NewSyscallError("rt_sigtimedwait", errno)
	case l.Expired():
		return SignalInfo{}, l.Err(ErrTimeout)
	}
	old, err := osChangeMask(BlockSignals, 1<<(wakeSignal-1))
	if err != nil {
		return SignalInfo{}, err
	}
	info, err := sigwaitRousable(t, set, l)
	osDrain()
	if _, back := osChangeMask(ReplaceMask, old); err == nil {
		err = back
	}
	return info, err
}

// sigwaitRousable is the wait of osSigwait, with wakeSignal blocked. When it
// returns nothing sends that any more, but an Interrupt.
func sigwaitRousable(t *Thread, set SignalSet, l *park.Limit) (SignalInfo, error) {
	if l.Context() != nil {
		// A filter may refuse the call, and the wait would never end.
		const none = 0
		if err := osSend(t, none); err != nil && !isPassing(err) {
			return SignalInfo{}, err
		}
		var over atomic.Bool
		sent := make(chan struct{})
		stop := l.AfterDone(func() {
			defer close(sent)
			wake(t, &over)
		})
		defer func() {
			if over.Store(true); !stop() {
				<-sent
			}
		}()
	}
	record := park.BeginWait("signal", unsafe.Pointer(t), l, rouseSigwait)
	defer record.End()
	for !l.Canceled() && !l.Asked() {
		info, errno := timedwait(set|1<<(wakeSignal-1), l)
		switch {
		case errno == 0 && info.Signo != wakeSignal:
			return info.result(), nil
		case errno == syscall.EAGAIN:
			return SignalInfo{}, ErrTimeout
		case errno != 0 && errno != syscall.EINTR: // after a handler has run the loop asks the clock
			return SignalInfo{}, os.NewSyscallError("rt_sigtimedwait", errno)
		case t.isAsked():
			return SignalInfo{}, syscall.EINTR
		}
	}
	return SignalInfo{}, l.Err(nil)
}

// rouseSigwait is the Rouser of Sigwait. It asks to be called again while too
// many signals are pending.
func rouseSigwait(parker unsafe.Pointer) (again bool) {
	return isPassing(osSend((*Thread)(parker), wakeSignal))
}

// wake sends wakeSignal to t, which waits until over. The kernel refuses it
// while too many signals are pending, of all processes of the user.
func wake(t *Thread, over *atomic.Bool) {
	for err := osSend(t, wakeSignal); err != nil && err != ErrEnded && !over.Load(); err = osSend(t, wakeSignal) {
		time.Sleep(time.Millisecond)
	}
}

// isPassing reports whether a signal that was refused with err may be sent
// later.
func isPassing(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EINTR)
}

var handlerInstalled atomic.Bool

// osInterruptible makes sure that wakeSignal has the handler of package eintr.
func osInterruptible() error {
	if handlerInstalled.Load() {
		return nil
	}
	err := installHandler()
	handlerInstalled.Store(err == nil)
	return err
}

func installHandler() error {
	if err := eintr.Install(wakeSignal); err != nil {
		return fmt.Errorf("thread: handler of signal %d: %w", wakeSignal, err)
	}
	return nil
}

// osInterrupt sends wakeSignal to t. os/signal may have replaced the handler
// since the last time.
func osInterrupt(t *Thread) error {
	if err := installHandler(); err != nil {
		return err
	}
	return osSend(t, wakeSignal)
}

// osDrain takes each wakeSignal that is pending on the calling thread.
func osDrain() {
	for {
		if _, errno := take(1 << (wakeSignal - 1)); errno != 0 && errno != syscall.EINTR {
			return
		}
	}
}

// longest is the longest wait of one call: a 32-bit time_t could not hold much
// more.
const longest = 1 << 30 * time.Second

// timedwait waits for one of set until l's deadline. It returns EAGAIN then,
// and EINTR if a handler has run. It hands off its P only if no signal is
// pending.
func timedwait(set SignalSet, l *park.Limit) (siginfo, syscall.Errno) {
	info, errno := take(set)
	if errno != syscall.EAGAIN {
		return info, errno
	}
	k := set.kernel()
	if !l.HasDeadline() {
		_, errno = park.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&k)),
			uintptr(unsafe.Pointer(&info)), 0, sigsetBytes, 0, 0)
		return info, errno
	}
	left := l.Left()
	if left <= 0 {
		return info, errno
	}
	ts := unix.NsecToTimespec(int64(min(left, longest)))
	_, errno = park.Syscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&k)), uintptr(unsafe.Pointer(&info)),
		uintptr(unsafe.Pointer(&ts)), sigsetBytes, 0, 0)
	if errno == syscall.EAGAIN && left > longest {
		errno = syscall.EINTR
	}
	return info, errno
}

// take takes one of set, or returns EAGAIN.
func take(set SignalSet) (info siginfo, errno syscall.Errno) {
	k, none := set.kernel(), unix.Timespec{}
	_, _, errno = syscall.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&k)),
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&none)), sigsetBytes, 0, 0)
	return info, errno
}
