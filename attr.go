package thread

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"example.com/thread/internal/headroom"
)

// Attr holds the attributes of a thread to come. The zero value, and a nil
// *Attr, ask for the defaults.
type Attr struct {
	// Name is what the system's tools show, cut to what they can: 15 bytes on
	// Linux, 63 on macOS; not inside a character, and at the first NUL; on
	// Windows it is whole, up to the first NUL, from Windows 10 1607 on.
	// Thread.Name returns it whole. Where the system shows no names it is
	// Thread.Name's alone. "" leaves the system's own.
	Name string
	// StackSize is in bytes, for the frames of C code: what glibc takes from a
	// thread's stack for thread-local variables is added to it. 0 stands for
	// what StackSize returns. See SetStackSize. On Windows the most is 64 MiB,
	// as Go's runtime cannot be called on a larger stack.
	StackSize int
	// GuardSize is in bytes, rounded up to whole pages: memory below the stack
	// whose use ends the process. 0 stands for the system's default, a page;
	// NoGuard for none. Windows has a guard of its own: there, and where
	// threads are pinned, any but 0 is errors.ErrUnsupported.
	GuardSize int
	// Affinity holds the numbers of the processors that the thread may run on,
	// on Windows within its processor group; nil leaves what it inherits. It is
	// of Linux and Windows, elsewhere errors.ErrUnsupported.
	Affinity []int
	// Policy and Priority are as for Thread.SetPriority. PolicyInherit leaves
	// what the thread inherits.
	Policy   Policy
	Priority int
	// QoS is the thread's quality-of-service class, of macOS with cgo;
	// QoSUnspecified leaves the system's own. Together with a Policy it is
	// syscall.EINVAL: a thread whose policy or priority is set, also later, is
	// out of the classes for good.
	QoS QoS
	// Nice is the thread's niceness, -20 to 19; 0 leaves what it inherits: for
	// 0 itself call Thread.SetNice. POSIX gives niceness to the process, Linux
	// to each thread; elsewhere any but 0 is errors.ErrUnsupported.
	Nice int
	// SignalMask holds the signals that are blocked in the thread; nil stands
	// for the mask the process began with, without those that Go's runtime
	// unblocks. In a pinned thread the runtime takes the mask back when the
	// thread starts a process. It is of Linux, and of macOS with cgo; elsewhere
	// any but nil is errors.ErrUnsupported.
	//
	// As pthread_sigmask does with its own, it leaves out in silence what must
	// not be blocked: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS (a fault
	// would end the process instead of being a panic), SIGURG and SIGPROF (of
	// Go's runtime), and signals 32 to 34 (of the C libraries, and of Go's
	// setuid). So a mask of all signals is safe.
	SignalMask []os.Signal
	// Apartment is the COM apartment that the thread is in while its body and
	// the destructors of its Keys run, on Windows. ApartmentNone leaves COM to
	// the body. Any other is errors.ErrUnsupported on other systems, and on
	// Windows without COM (Nano Server); what COM refuses is Start's error, the
	// HRESULT as a syscall.Errno.
	Apartment Apartment
	// Detached threads are nobody's to join.
	Detached bool
	// Pinned asks for a goroutine that is locked to a thread of Go's and dies
	// with it. A stack or guard size cannot be had there, and what the other
	// attributes leave to be inherited is as it is on the thread that Go takes,
	// not as the caller has it.
	Pinned bool
}

// A Policy is how the kernel schedules a thread (POSIX: SCHED_OTHER and so on).
type Policy int

// The policies. BATCH and IDLE are Linux's.
const (
	PolicyInherit Policy = iota // of the thread that calls Start
	PolicyOther                 // time sharing
	PolicyFIFO                  // real time: runs until it blocks; see "Real time"
	PolicyRR                    // real time: takes turns with its priority
	PolicyBatch                 // time sharing, for work without interaction
	PolicyIdle                  // only where nothing else would run
)

func (p Policy) String() string {
	names := [...]string{"inherit", "other", "FIFO", "RR", "batch", "idle"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Policy(%d)", int(p))
	}
	return names[p]
}

// attrs are an Attr's contents after the check, in the terms of the system.
type attrs struct {
	name     string
	stack    int
	guard    int // less than 0: default
	affinity []int
	policy   Policy
	priority int
	qos      QoS
	nice     int
	masked   bool
	mask     uint64 // bit n-1: signal n
	com      Apartment
	detached bool
	pinned   bool
}

func badAttr(format string, a ...any) error {
	return fmt.Errorf("thread: "+format+": %w", append(a, syscall.EINVAL)...)
}

// withValue says what value the system refused by err, which is nil if it did
// not.
func withValue(err error, format string, a ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("thread: "+format+": %w", append(a, err)...)
}

func unsupported(what string) error { return fmt.Errorf("thread: %s: %w", what, errors.ErrUnsupported) }

// Check returns the error that Start would return for a, or nil. It makes
// nothing, so what the system alone can refuse is not seen, nor whether
// packages are being initialized. A nil Attr stands for the defaults.
func (a *Attr) Check() error {
	_, err := a.check()
	return err
}

// check reports what is wrong with a, or what the platform cannot do, before
// anything is made. The caller may change a afterwards.
func (a *Attr) check() (attrs, error) {
	if a == nil {
		a = new(Attr)
	}
	r := attrs{
		name: a.Name, affinity: slices.Clone(a.Affinity), policy: a.Policy, priority: a.Priority, qos: a.QoS, nice: a.Nice,
		com: a.Apartment, detached: a.Detached, pinned: a.Pinned || !osNative,
	}
	if err := r.checkStack(a); err != nil {
		return r, err
	}
	if a.Affinity != nil {
		if err := checkAffinity(a.Affinity); err != nil {
			return r, err
		}
	}
	if err := checkPriority(a.Policy, a.Priority); err != nil {
		return r, err
	}
	if err := checkQoS(a.QoS, a.Policy); err != nil {
		return r, err
	}
	if err := checkNice(a.Nice); err != nil {
		return r, err
	}
	if err := checkApartment(a.Apartment); err != nil {
		return r, err
	}
	return r, r.checkMask(a)
}

// reserve makes sure that there is room for the thread, until headroom.Settle.
func (r *attrs) reserve() error {
	if r.pinned {
		return headroom.Pinned()
	}
	return headroom.Native(r.stack)
}

func (r *attrs) checkStack(a *Attr) (err error) {
	if r.pinned {
		if a.StackSize != 0 || a.GuardSize != 0 {
			return unsupported("stack of a pinned thread")
		}
		return nil
	}
	if r.stack, err = checkStackSize(a.StackSize); err != nil {
		return err
	}
	if r.stack == 0 {
		r.stack = StackSize()
	}
	r.guard, err = checkGuardSize(a.GuardSize, r.stack)
	if err == nil && a.GuardSize != 0 && !osGuard {
		err = unsupported("guard size")
	}
	return err
}

// pin makes r, which asks for a native thread, ask for a pinned one.
func (r *attrs) pin() error {
	if r.stack != 0 || r.guard >= 0 {
		return unsupported("stack size, or guard size, of a thread started in package initialization")
	}
	r.pinned = true
	return nil
}

func (r *attrs) checkMask(a *Attr) error {
	if a.SignalMask == nil {
		return nil
	}
	if !osSignalMask {
		return unsupported("signal mask")
	}
	r.masked = true
	for _, s := range a.SignalMask {
		n := signalNumber(s)
		if n < 1 || n > 64 {
			return badAttr("signal %v is not in 1 to 64", s)
		}
		r.mask |= 1 << (n - 1)
	}
	r.mask &^= neverBlocked
	return nil
}

func checkAffinity(cpus []int) error {
	if !osAffinity {
		return unsupported("affinity")
	}
	if len(cpus) == 0 {
		return badAttr("affinity to no processor")
	}
	for _, c := range cpus {
		if c < 0 || c >= osMaxCPUs {
			return badAttr("affinity to processor %d, which is not in 0 to %d", c, osMaxCPUs-1)
		}
	}
	return nil
}

func checkPriority(p Policy, prio int) error {
	if p == PolicyInherit {
		if prio != 0 {
			return badAttr("priority %d without a policy", prio)
		}
		return nil
	}
	if p < 0 || p > PolicyIdle {
		return badAttr("%v", p)
	}
	least, most, err := osPriorityBounds(p)
	if err != nil {
		return err
	}
	if prio < least || prio > most {
		return badAttr("priority %d of policy %v is not in %d to %d", prio, p, least, most)
	}
	return nil
}

func checkNice(n int) error {
	if n == 0 {
		return nil
	}
	if !osNice {
		return unsupported("niceness of a thread")
	}
	if n < -20 || n > 19 {
		return badAttr("niceness %d is not in -20 to 19", n)
	}
	return nil
}

// cutName returns what of name fits into most bytes, up to the first NUL, in
// whole characters.
func cutName(name string, most int) string {
	name, _, _ = strings.Cut(name, "\x00")
	if len(name) <= most {
		return name
	}
	// A character has at most utf8.UTFMax bytes; what is longer without a start
	// is no UTF-8, and cut anywhere.
	for n := most; n > max(0, most-utf8.UTFMax); n-- {
		if utf8.RuneStart(name[n]) {
			return name[:n]
		}
	}
	return name[:most]
}

// whileAlive calls f while t cannot end, so that t's ids are t's. An attached
// thread of Go's, and one that C ends by a system call, can end all the same:
// those were there a moment ago (see notice).
func (t *Thread) whileAlive(f func() error) error {
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.isZero() || t.fromStart() && t != Current() && osIsGone(t) {
		return ErrEnded
	}
	return f()
}

func (t *Thread) fromStart() bool { return t.kind == native || t.kind == pinned }

// isZero reports whether t is no thread's record: the zero value, which nothing
// makes.
func (t *Thread) isZero() bool { return t.slot == unknown }

// Name returns the name that t was given. That of an attached thread without
// one is asked of the system, as C code may name the thread at any time, which
// on Linux takes some 15 us for another thread than the caller's; after the
// thread's end it is the last that was seen.
func (t *Thread) Name() string {
	if name, ours := t.givenName(); ours {
		return name
	}
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return t.name
	}
	if name := osGetName(t); name != "" {
		t.name = name
	}
	return t.name
}

// givenName returns the name of t and whether it was given here, not by the
// system.
func (t *Thread) givenName() (name string, ours bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.name, t.named || t.fromStart()
}

// SetName names t, for the system's tools too; see Attr.Name. On macOS a thread
// can name only itself. It returns ErrEnded, the system's error, or on Windows
// before 10 1607 errors.ErrUnsupported; the name is then as it was.
func (t *Thread) SetName(name string) error {
	return t.whileAlive(func() error {
		if err := osSetName(t, name); err != nil {
			return err
		}
		t.name, t.named = name, true
		return nil
	})
}

// SetName names the calling thread; see Thread.SetName. It returns
// ErrNotAttached in a goroutine without a thread of its own.
func SetName(name string) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	return t.SetName(name)
}

// SetAffinity binds t to the processors with the numbers cpus. It returns
// ErrEnded, syscall.EINVAL if none of them is there, on Windows if one of them
// is not, or the system's error; on other systems than Linux and Windows
// errors.ErrUnsupported.
func (t *Thread) SetAffinity(cpus []int) error {
	if err := checkAffinity(cpus); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetAffinity(t, cpus) })
}

// Affinity returns the numbers of the processors that t may run on, ascending.
// It returns ErrEnded, or the system's error; on other systems than Linux and
// Windows errors.ErrUnsupported.
func (t *Thread) Affinity() (cpus []int, err error) {
	err = t.whileAlive(func() error { cpus, err = osGetAffinity(t); return err })
	return cpus, err
}

// SetPriority sets t's scheduling policy and, for PolicyFIFO and PolicyRR, its
// priority, on Linux 1 to 99; for the others it is 0. On Windows the policy is
// PolicyOther and the priority -2 to 2, or -15 or 15. On macOS the priorities
// are those of sched_get_priority_min and its twin, also for PolicyOther, where
// 0 stands for the default; any call takes t out of the QoS classes for good.
// It returns ErrEnded, syscall.EINVAL, or the system's error, which is
// syscall.EPERM for a real-time policy without the right to it. A policy that
// the system has not is errors.ErrUnsupported: on Windows all but PolicyOther,
// on macOS PolicyBatch and PolicyIdle, and elsewhere than on Linux, Windows and
// macOS with cgo every one.
func (t *Thread) SetPriority(p Policy, priority int) error {
	if p == PolicyInherit {
		return badAttr("policy %v of a thread that runs", p)
	}
	if err := checkPriority(p, priority); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetPriority(t, p, priority) })
}

// Priority returns t's scheduling policy and priority. It returns ErrEnded, or
// the system's error; errors.ErrUnsupported elsewhere than on Linux, Windows
// and macOS with cgo, and for a policy of Linux that has no name here
// (SCHED_DEADLINE).
func (t *Thread) Priority() (p Policy, priority int, err error) {
	err = t.whileAlive(func() error { p, priority, err = osPriority(t); return err })
	return p, priority, err
}

// SetNice sets t's niceness, -20 to 19. It returns ErrEnded, syscall.EINVAL, or
// the system's error: syscall.EACCES to lower it without the right to; on other
// systems than Linux errors.ErrUnsupported.
func (t *Thread) SetNice(n int) error {
	if !osNice {
		return unsupported("niceness of a thread")
	}
	if err := checkNice(n); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetNice(t, n) })
}

// CPUTime returns how long t has run on a processor, user and system, also
// after its end. It returns the system's error, and errors.ErrUnsupported
// elsewhere than on Linux, Windows and macOS with cgo; ErrEnded for an attached
// thread that ended without Detach, and for one that C code ended by a system
// call.
func (t *Thread) CPUTime() (time.Duration, error) {
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost || t.isZero() {
		return 0, ErrEnded
	}
	if !t.ended {
		return osCPUTime(t.nativeID)
	}
	if t.cpu == 0 {
		if _, err := osCPUTime(0); err != nil {
			return 0, err
		}
	}
	return t.cpu, nil
}
