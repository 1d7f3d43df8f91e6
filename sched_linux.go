package thread

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/ident"
)

// Linux: system calls that take a thread's id, and so serve every kind of
// thread, with and without cgo. pthread_linux.go or pthread_none.go makes the
// threads.

const (
	osAffinity   = true
	osNice       = true
	osBandwidth  = true
	osSlack      = true
	osQoS        = false
	osSignalMask = true
	osMaxCPUs    = int(unsafe.Sizeof(unix.CPUSet{})) * 8
)

var (
	pageSize    = os.Getpagesize()
	firstThread = osNativeID() // package initialization runs on it
)

func osStackBounds() (least, most int, err error) {
	if !osNative {
		return 0, 0, unsupported("stack size")
	}
	return minStack, maxStack(), nil
}

// maxStack returns the size above which mmap refuses a stack no matter how much
// is in use. pthread_create then returns EAGAIN, which osCreate would retry.
// The limits are read once: they rarely change, and reading them costs as much
// as a thread.
var maxStack = sync.OnceValue(func() int {
	most := int64(math.MaxInt >> 1)
	if most > 1<<46 {
		most = 1 << 46 // half of the user's half of a 48-bit address space
	}
	var as unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &as) == nil && as.Cur < uint64(most) {
		most = int64(as.Cur)
	}
	// proc_sys_vm(5): unless overcommit is 1, a single mapping above all memory
	// and swap is refused.
	mode, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	if err == nil && strings.TrimSpace(string(mode)) == "1" {
		return int(most)
	}
	var si unix.Sysinfo_t
	if unix.Sysinfo(&si) == nil {
		most = min(most, int64(uint64(si.Totalram)+uint64(si.Totalswap))*int64(si.Unit))
	}
	return int(most)
})

func osNativeID() int { return ident.NativeID() }

func osOnFirstThread() bool { return osNativeID() == firstThread }

// osClock is in nanoseconds. If the system has no such clock, threads with the
// same id are not distinguished. With cgo it is C's, which needs no system call
// where the vDSO has the clock.
var osClock = func() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return math.MaxInt64
	}
	return ts.Nano()
}

func osIsGone(t *Thread) bool {
	if !osExists(t.nativeID) {
		return true
	}
	if t.since == 0 {
		return false
	}
	// proc_pid_stat(5): the third field follows the name in parentheses, which
	// may contain blanks and parentheses. The 22nd is the thread's start time,
	// in hundredths of a second since boot, rounded down.
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", t.nativeID))
	if err != nil {
		return false
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) <= 22-3 {
		return false
	}
	start, err := strconv.ParseInt(f[22-3], 10, 64)
	return err == nil && start > t.since/int64(10*time.Millisecond)
}

func osExists(id int) bool { return ident.Exists(id) }

func osYield() {
	runtime.Gosched()
	syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
}

const nameMax = 15 // TASK_COMM_LEN without the NUL

func osSetName(t *Thread, name string) error {
	name = cutName(name, nameMax)
	var refused error
	if t.nativeID == osNativeID() {
		p, err := unix.BytePtrFromString(name)
		if err != nil {
			return err
		}
		if refused = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(p)), 0, 0, 0); refused == nil {
			return nil
		}
	}
	// As pthread_setname_np does for another thread; and for the calling one if
	// a filter refuses the call.
	f, err := os.OpenFile(commOf(t), os.O_WRONLY, 0)
	if err != nil && refused != nil {
		return os.NewSyscallError("prctl", refused)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(name + "\x00") // an empty write would do nothing
	return err
}

func osGetName(t *Thread) string {
	var b [nameMax + 1]byte
	own := t.slot != unknown && t.slot == ident.Slot()
	if own && unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0) == nil {
		return unix.ByteSliceToString(b[:])
	}
	name, err := os.ReadFile(commOf(t))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(name), "\n")
}

func commOf(t *Thread) string { return fmt.Sprintf("/proc/self/task/%d/comm", t.nativeID) }

func osSetAffinity(t *Thread, cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	err := os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(t.nativeID, &set))
	return withValue(err, "affinity to processors %v", cpus)
}

func osGetAffinity(t *Thread) (cpus []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(t.nativeID, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	for c := range osMaxCPUs {
		if set.IsSet(c) {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}

var policies = [...]int{
	PolicyOther: unix.SCHED_NORMAL,
	PolicyFIFO:  unix.SCHED_FIFO,
	PolicyRR:    unix.SCHED_RR,
	PolicyBatch: unix.SCHED_BATCH,
	PolicyIdle:  unix.SCHED_IDLE,

	PolicyDeadline: unix.SCHED_DEADLINE,
}

// resetOnFork is SCHED_RESET_ON_FORK, which is or-ed to a policy.
const resetOnFork = 0x40000000

func osPriorityBounds(p Policy) (least, most int, err error) {
	if p == PolicyFIFO || p == PolicyRR {
		return 1, 99, nil // MAX_RT_PRIO - 1
	}
	return 0, 0, nil
}

type schedParam struct{ priority int32 }

func osSetPriority(t *Thread, p Policy, priority int) error {
	old, err := schedulerOf(t)
	if err == nil {
		err = setScheduler(t, policies[p]|old&resetOnFork, priority)
	}
	return withValue(err, "policy %v, priority %d", p, priority)
}

// schedulerOf returns the kernel's number of t's policy, perhaps with
// resetOnFork.
func schedulerOf(t *Thread) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_SCHED_GETSCHEDULER, uintptr(t.nativeID), 0, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("sched_getscheduler", errno)
	}
	return int(n), nil
}

func setScheduler(t *Thread, policy, priority int) error {
	param := schedParam{int32(priority)}
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, uintptr(t.nativeID), uintptr(policy),
		uintptr(unsafe.Pointer(&param)))
	if errno != 0 {
		return os.NewSyscallError("sched_setscheduler", errno)
	}
	return nil
}

func osPriority(t *Thread) (Policy, int, error) {
	n, err := schedulerOf(t)
	if err != nil {
		return 0, 0, err
	}
	var param schedParam
	_, _, errno := unix.Syscall(unix.SYS_SCHED_GETPARAM, uintptr(t.nativeID), uintptr(unsafe.Pointer(&param)), 0)
	if errno != 0 {
		return 0, 0, os.NewSyscallError("sched_getparam", errno)
	}
	for p := PolicyOther; p <= PolicyDeadline; p++ {
		if policies[p] == n&^resetOnFork {
			return p, int(param.priority), nil
		}
	}
	return 0, 0, unsupported(fmt.Sprintf("scheduling policy %d", n))
}

// osSetBandwidth sets the flag as well: clone(2) of a thread with the policy is
// EAGAIN without it.
func osSetBandwidth(t *Thread, b Bandwidth) error {
	err := unix.SchedSetAttr(t.nativeID, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_DEADLINE, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
		Runtime: uint64(b.Runtime), Deadline: uint64(b.Deadline), Period: uint64(b.Period),
	}, 0)
	return withValue(os.NewSyscallError("sched_setattr", err), "bandwidth %+v", b)
}

func osBandwidthOf(t *Thread) (Bandwidth, error) {
	a, err := schedAttr(t)
	if err != nil || a.Policy != unix.SCHED_DEADLINE {
		return Bandwidth{}, err
	}
	return Bandwidth{time.Duration(a.Runtime), time.Duration(a.Deadline), time.Duration(a.Period)}, nil
}

func schedAttr(t *Thread) (*unix.SchedAttr, error) {
	a, err := unix.SchedGetAttr(t.nativeID, 0)
	return a, os.NewSyscallError("sched_getattr", err)
}

func osSetResetOnFork(t *Thread, on bool) error {
	a, err := schedAttr(t)
	if err != nil {
		return err
	}
	if on {
		a.Flags |= unix.SCHED_FLAG_RESET_ON_FORK
	} else {
		a.Flags &^= unix.SCHED_FLAG_RESET_ON_FORK
	}
	return withValue(os.NewSyscallError("sched_setattr", unix.SchedSetAttr(t.nativeID, a, 0)), "reset on fork %v", on)
}

func osResetOnFork(t *Thread) (bool, error) {
	n, err := schedulerOf(t)
	return n&resetOnFork != 0, err
}

func osSetQoS(QoS) error { return unsupported("QoS class") }

func osGetQoS(*Thread) (QoS, error) { return 0, unsupported("QoS class") }

func osSetNice(t *Thread, n int) error {
	err := os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, t.nativeID, n))
	return withValue(err, "niceness %d", n)
}

// osSetTimerSlack uses prctl for the calling thread, and for another one the
// file of proc_pid_timerslack_ns(5), which exists under the id of each thread,
// though /proc lists those of processes only.
func osSetTimerSlack(t *Thread, d time.Duration) error {
	if t.nativeID == osNativeID() {
		err := os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d), 0, 0, 0))
		return withValue(err, "timer slack %v", d)
	}
	return os.WriteFile(slackOf(t), strconv.AppendInt(nil, int64(d), 10), 0)
}

func osTimerSlack(t *Thread) (time.Duration, error) {
	if t.nativeID == osNativeID() {
		// The slack is an unsigned word; PrctlRetInt takes it for a signed one.
		ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		return time.Duration(uint(ns)), os.NewSyscallError("prctl", err)
	}
	b, err := os.ReadFile(slackOf(t))
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return time.Duration(ns), err
}

func slackOf(t *Thread) string { return fmt.Sprintf("/proc/%d/timerslack_ns", t.nativeID) }

// Faults, Go's preemption and profiling, and the signals of the C libraries and
// of Thread.Interrupt; see Attr.SignalMask.
const osNeverBlocked = osFaults | 1<<(syscall.SIGURG-1) | 1<<(syscall.SIGPROF-1) | osReservedSignals

// osCPUTime uses the clock of pthread_getcpuclockid (glibc:
// MAKE_THREAD_CPUCLOCK(tid, CPUCLOCK_SCHED)).
func osCPUTime(id int) (time.Duration, error) {
	const perThread, sched = 4, 2
	clock := int32(unix.CLOCK_THREAD_CPUTIME_ID)
	if id != 0 {
		clock = int32(^id<<3 | perThread | sched)
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(ts.Nano()), nil
}
