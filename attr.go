package thread

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"example.com/thread/internal/headroom"
)

// Attr holds the attributes of a new thread. The zero value, and a nil *Attr,
// ask for the defaults.
type Attr struct {
	// Name is shown by the system's tools, truncated to what they can show: 15
	// bytes on Linux, 63 on macOS, between two characters, and at the first
	// NUL; whole up to the first NUL on Windows 10 1607 and later. Thread.Name
	// returns all of it. A name that the system refuses, or cannot show, does
	// not fail Start: it is then Thread.Name's alone. "" keeps the name that
	// the system gives.
	Name string
	// StackSize is in bytes, for the frames of C code: what glibc takes from a
	// thread's stack for thread-local variables is added to it. 0 asks for what
	// StackSize returns. See SetStackSize. On Windows the maximum is 64 MiB:
	// Go's runtime cannot be called on a larger stack.
	StackSize int
	// GuardSize is in bytes, rounded up to whole pages: memory below the stack
	// whose use ends the process, see ReportStackOverflows. 0 asks for the
	// system's default, one page; NoGuard for none. Any value but 0 is
	// errors.ErrUnsupported on Windows, which has a guard of its own, and where
	// threads are pinned.
	GuardSize int
	// MeasureStack has Thread.StackUse return, after the thread's end, how much
	// of its stack it has used. It is supported on Linux with cgo, elsewhere it
	// is errors.ErrUnsupported.
	MeasureStack bool
	// Affinity lists the numbers of the processors that the thread may run on,
	// on Windows within its processor group; nil inherits. It is supported on
	// Linux and Windows, elsewhere it is errors.ErrUnsupported. Package
	// topology has sets of processors, and says which there are.
	Affinity []int
	// Policy and Priority are as for Thread.SetPriority. PolicyInherit inherits
	// both.
	Policy   Policy
	Priority int
	// Bandwidth is that of PolicyDeadline, as for Thread.SetBandwidth; with any
	// other policy it must be zero.
	Bandwidth Bandwidth
	// ResetOnFork is as for Thread.SetResetOnFork; false inherits.
	ResetOnFork bool
	// QoS is the thread's quality-of-service class, on macOS with cgo;
	// QoSUnspecified keeps the system's default. Together with a Policy it is
	// syscall.EINVAL: setting a policy or priority, even later, removes the
	// thread from the classes for good.
	QoS QoS
	// Nice is the thread's niceness, -20 to 19; 0 inherits. To set 0 itself,
	// call Thread.SetNice. POSIX assigns niceness to the process, Linux to each
	// thread; elsewhere any value but 0 is errors.ErrUnsupported.
	Nice int
	// TimerSlack is how much later than its deadline the kernel may end a timed
	// wait of the thread, so that wakeups coincide, in nanoseconds from 1; 0
	// inherits, which is 50 us unless something else was set. With 1 ns a wait
	// of 200 us ends 47 us late instead of 107 (2 processors). It is supported
	// on Linux, which ignores it for PolicyFIFO and PolicyRR: these have none.
	// Elsewhere any value but 0 is errors.ErrUnsupported. It does not affect
	// time.Sleep, nor goroutines without a thread of their own, whose timers
	// are the runtime's.
	TimerSlack time.Duration
	// SignalMask lists the signals that are blocked in the thread; nil asks for
	// the mask that the process began with, without the signals that Go's
	// runtime unblocks. A process that the thread starts inherits the mask. It
	// is supported on Linux, and on macOS with cgo; elsewhere any value but nil
	// is errors.ErrUnsupported.
	//
	// Like pthread_sigmask with the C library's own signals, it ignores signals
	// that must not be blocked: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV,
	// SIGSYS (a fault would end the process instead of being a panic), SIGURG
	// and SIGPROF (used by Go's runtime), 32 to 34 (used by the C libraries,
	// and by Go's setuid), and on Linux 60 (used by Interrupt). So a mask of
	// all signals is safe. SetSignalMask changes the mask later.
	SignalMask []os.Signal
	// Memory is the thread's memory policy, see SetMemoryPolicy; nil inherits.
	// Any other value is errors.ErrUnsupported on systems other than Linux.
	Memory *MemoryPolicy
	// Apartment is the COM apartment that the thread is in while its body and
	// the destructors of its Keys run, on Windows. ApartmentNone leaves COM to
	// the body. Any other value is errors.ErrUnsupported on other systems, and
	// on Windows without COM (Nano Server). What COM refuses is returned by
	// Start: the HRESULT as a syscall.Errno.
	Apartment Apartment
	// Detached threads cannot be joined.
	Detached bool
	// Pinned asks for a goroutine that is locked to a thread of Go's and ends
	// with it. It cannot have a stack or guard size. What it inherits is what
	// the thread that Go picks has, not what the caller has.
	Pinned bool
}

// A Policy is a scheduling policy of the kernel (POSIX: SCHED_OTHER and so on).
type Policy int

// The policies. Batch, idle and deadline exist on Linux only.
const (
	PolicyInherit  Policy = iota // of the thread that calls Start
	PolicyOther                  // time sharing
	PolicyFIFO                   // real time: runs until it blocks; see "Real time"
	PolicyRR                     // real time: round robin within its priority
	PolicyBatch                  // time sharing, for work without interaction
	PolicyIdle                   // only if nothing else is ready
	PolicyDeadline               // real time: the earliest deadline first; see Thread.SetBandwidth
)

func (p Policy) String() string {
	return nameOf(int(p), "Policy", "inherit", "other", "FIFO", "RR", "batch", "idle", "deadline")
}

// A QoS is a quality-of-service class of macOS: the purpose of a thread's work.
// The system derives from it the thread's priority, the kind of processor it
// runs on, the precision of its timers, and its share of other devices.
type QoS int

// The classes, lowest first; see Apple's sys/qos.h.
const (
	QoSUnspecified     QoS = iota // the system's default, or none after a policy was set
	QoSBackground                 // work that the user does not see: minutes or more
	QoSUtility                    // work whose progress the user may watch
	QoSDefault                    // between utility and user-initiated
	QoSUserInitiated              // work that the user waits for
	QoSUserInteractive            // what the user sees at once
)

func (q QoS) String() string {
	return nameOf(
		int(q), "QoS", "unspecified", "background", "utility", "default", "user-initiated", "user-interactive",
	)
}

// An Apartment is how a thread takes part in COM, the Component Object Model of
// Windows.
type Apartment int

// The apartments. A thread in an STA must dispatch window messages whenever it
// waits: calls into its objects from other threads arrive as messages, and a
// broadcast waits for every window. Of the waits in this module only the idle
// wait of executor.Worker dispatches them.
const (
	ApartmentNone Apartment = iota // none; the body may call CoInitializeEx itself
	ApartmentMTA                   // the process's multithreaded apartment: objects are called on any of its threads
	ApartmentSTA                   // a single-threaded apartment, the thread's own: objects are called on the thread
)

func (a Apartment) String() string { return nameOf(int(a), "Apartment", "none", "MTA", "STA") }

// nameOf returns names[n], or kind(n) if there is none.
func nameOf(n int, kind string, names ...string) string {
	if n < 0 || n >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, n)
	}
	return names[n]
}

// attrs are the contents of an Attr after check, in the system's terms.
type attrs struct {
	name     string
	stack    int
	guard    int // less than 0: default
	affinity []int
	policy   Policy
	priority int
	width    Bandwidth
	reset    bool // on fork
	qos      QoS
	nice     int
	slack    time.Duration
	masked   bool
	mask     uint64 // bit n-1: signal n
	memory   *MemoryPolicy
	com      Apartment
	measure  bool // the stack's use
	detached bool
	pinned   bool
}

func badAttr(format string, a ...any) error {
	return fmt.Errorf("thread: "+format+": %w", append(a, syscall.EINVAL)...)
}

// withValue adds to err the value that the system refused. It returns nil if
// err is nil.
func withValue(err error, format string, a ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("thread: "+format+": %w", append(a, err)...)
}

func unsupported(what string) error { return fmt.Errorf("thread: %s: %w", what, errors.ErrUnsupported) }

// Check returns the error that Start would return for a, or nil. It starts
// nothing, so it does not see what only the system can refuse, nor whether
// packages are being initialized. A nil Attr asks for the defaults.
func (a *Attr) Check() error {
	_, err := a.check()
	return err
}

// check returns the attributes, or what is wrong with a or unsupported on the
// platform. The caller may change a afterwards.
func (a *Attr) check() (attrs, error) {
	if a == nil {
		a = new(Attr)
	}
	r := attrs{
		name: a.Name, affinity: slices.Clone(a.Affinity), policy: a.Policy, priority: a.Priority,
		reset: a.ResetOnFork, qos: a.QoS, nice: a.Nice, slack: a.TimerSlack, memory: a.Memory.clone(), com: a.Apartment,
		measure: a.MeasureStack, detached: a.Detached, pinned: a.Pinned || !osNative,
	}
	if err := r.checkStack(a); err != nil {
		return r, err
	}
	if a.MeasureStack && !osMeasuresStacks {
		return r, unsupported("stack use")
	}
	if a.Affinity != nil {
		if err := checkAffinity(a.Affinity); err != nil {
			return r, err
		}
	}
	if err := r.checkPolicy(a); err != nil {
		return r, err
	}
	if err := checkQoS(a.QoS, a.Policy); err != nil {
		return r, err
	}
	if err := checkNice(a.Nice); err != nil {
		return r, err
	}
	if err := checkTimerSlack(a.TimerSlack); err != nil {
		return r, err
	}
	if a.Memory != nil {
		if err := checkMemoryPolicy(*a.Memory); err != nil {
			return r, err
		}
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
	return headroom.Native(r.mapped())
}

// mapped returns how many bytes the C library maps for the thread's stack, 0
// for its default.
func (r *attrs) mapped() int {
	if r.stack == 0 {
		return 0
	}
	return r.stack + staticTLS + max(r.guard, 0)
}

// refusable reports whether apply may fail.
func (r *attrs) refusable() bool {
	return r.affinity != nil || r.policy != PolicyInherit || r.reset || r.qos != QoSUnspecified || r.nice != 0 ||
		r.slack != 0 || r.masked || r.memory != nil || r.com != ApartmentNone
}

// apply gives the calling thread, t, the attributes that the system did not
// create it with.
func (r *attrs) apply(t *Thread) error {
	if r.name != "" {
		// A refused name harms nothing but the display of the system's tools,
		// and most names are defaults of package osthread. SetName returns the
		// error.
		_ = osSetName(t, r.name)
	}
	if r.affinity != nil {
		if err := osSetAffinity(t, r.affinity); err != nil {
			return err
		}
	}
	if err := r.applyPolicy(t); err != nil {
		return err
	}
	if r.qos != QoSUnspecified {
		if err := osSetQoS(r.qos); err != nil {
			return err
		}
	}
	if r.nice != 0 {
		if err := osSetNice(t, r.nice); err != nil {
			return err
		}
	}
	if r.slack != 0 {
		if err := osSetTimerSlack(t, r.slack); err != nil {
			return err
		}
	}
	if r.masked {
		// A native thread begins with the mask, but on its way into Go the
		// runtime unblocks the signals that would end the process.
		if err := osSetSignalMask(r.mask); err != nil {
			return err
		}
	}
	if r.memory != nil {
		if err := osSetMemoryPolicy(*r.memory); err != nil {
			return err
		}
	}
	if r.com != ApartmentNone { // last: nothing that fails after it must leave it
		return osEnterApartment(t, r.com)
	}
	return nil
}

func (r *attrs) applyPolicy(t *Thread) (err error) {
	switch r.policy {
	case PolicyInherit:
	case PolicyDeadline:
		err = osSetBandwidth(t, r.width)
	default:
		err = osSetPriority(t, r.policy, r.priority)
	}
	if err == nil && r.reset {
		err = osSetResetOnFork(t, true)
	}
	if err == nil && r.policy != PolicyInherit {
		t.hasPolicy(r.policy)
	}
	return err
}

// checkPolicy checks what a thread's scheduling depends on.
func (r *attrs) checkPolicy(a *Attr) (err error) {
	if a.Policy == PolicyDeadline && a.Priority != 0 {
		return badAttr("priority %d of policy %v", a.Priority, a.Policy)
	}
	if a.Policy != PolicyDeadline {
		err = checkPriority(a.Policy, a.Priority)
	}
	if err == nil {
		r.width, err = checkBandwidth(a.Policy, a.Bandwidth)
	}
	if err == nil {
		err = checkResetOnFork(a.ResetOnFork)
	}
	return err
}

func (r *attrs) checkStack(a *Attr) (err error) {
	if r.pinned {
		if a.StackSize != 0 || a.GuardSize != 0 {
			return unsupported("stack or guard size of a pinned thread")
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

// pin turns a request for a native thread into one for a pinned thread.
func (r *attrs) pin() error {
	if r.stack != 0 || r.guard >= 0 {
		return unsupported("stack or guard size during package initialization")
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
		n, _ := signalNumber(s)
		if n < 1 || n > 64 {
			return badAttr("signal mask: %v is not in 1 to 64", s)
		}
		r.mask |= 1 << (n - 1)
	}
	r.mask &^= osNeverBlocked
	return nil
}

func checkAffinity(cpus []int) error {
	if !osAffinity {
		return unsupported("affinity")
	}
	if len(cpus) == 0 {
		return badAttr("affinity: no processors")
	}
	for _, c := range cpus {
		if c < 0 || c >= osMaxCPUs {
			return badAttr("affinity: processor %d is not in 0 to %d", c, osMaxCPUs-1)
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
	if p < 0 || p > PolicyDeadline {
		return badAttr("%v", p)
	}
	if p == PolicyDeadline {
		if !osBandwidth {
			return unsupported("policy deadline")
		}
		return badAttr("policy %v without a bandwidth", p)
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

func checkQoS(q QoS, p Policy) error {
	if q == QoSUnspecified {
		return nil
	}
	if !osQoS {
		return unsupported("QoS class")
	}
	return refuseQoS(q, p)
}

// refuseQoS returns why no system accepts the class q together with the policy
// p, or nil.
func refuseQoS(q QoS, p Policy) error {
	if q < QoSUnspecified || q > QoSUserInteractive {
		return badAttr("%v", q)
	}
	if p != PolicyInherit {
		return badAttr("QoS class %v with policy %v", q, p)
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

func checkTimerSlack(d time.Duration) error {
	if d == 0 {
		return nil
	}
	if !osSlack {
		return unsupported("timer slack of a thread")
	}
	// The system call takes a word, where 0 stands for the default.
	if d < 0 || uint64(d) > uint64(^uintptr(0)) {
		return badAttr("timer slack %v is not in 1ns to %v", d, time.Duration(min(uint64(^uintptr(0)), math.MaxInt64)))
	}
	return nil
}

func checkApartment(a Apartment) error {
	switch {
	case a == ApartmentNone:
		return nil
	case !osApartment:
		return unsupported("COM apartment")
	case a < 0 || a > ApartmentSTA:
		return badAttr("%v", a)
	default:
		return nil
	}
}

// cutName truncates name to most bytes, between two characters, and at the
// first NUL.
func cutName(name string, most int) string {
	name, _, _ = strings.Cut(name, "\x00")
	if len(name) <= most {
		return name
	}
	// A character has at most utf8.UTFMax bytes. A longer run without a start
	// is not UTF-8, and is cut anywhere.
	for n := most; n > max(0, most-utf8.UTFMax); n-- {
		if utf8.RuneStart(name[n]) {
			return name[:n]
		}
	}
	return name[:most]
}
