//go:build cgo

package thread

// macOS with cgo: pthread_create makes the threads, and Mach and libproc supply
// what pthreads do not. There is no way to ask whether a thread has left the
// kernel. pthread_join waits for that, and takes some microseconds on a thread
// that has left Go, so osTryJoin calls it.

/*
#cgo CFLAGS: -fno-omit-frame-pointer
#include "csrc/create.h"
#include <libproc.h>
#include <pthread.h>
#include <pthread/qos.h>
#include <sched.h>
#include <sys/proc_info.h>
#include <time.h>
#include <unistd.h>

static inline int ost_join_(uintptr_t t)
{
	return pthread_join((pthread_t)t, NULL);
}

static inline uint64_t ost_native_id_(void)
{
	uint64_t id = 0;

	pthread_threadid_np(NULL, &id);
	return id;
}

static inline int ost_getname_(uintptr_t t, char *name, size_t size)
{
	return pthread_getname_np((pthread_t)t, name, size);
}

static inline int ost_setpriority_(uintptr_t t, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return pthread_setschedparam((pthread_t)t, policy, &param);
}

static inline int ost_getpriority_(uintptr_t t, int *policy, int *priority)
{
	struct sched_param param;
	int err = pthread_getschedparam((pthread_t)t, policy, &param);

	if (!err)
		*priority = param.sched_priority;
	return err;
}

static inline int ost_getqos_(uintptr_t t, qos_class_t *class)
{
	return pthread_get_qos_class_np((pthread_t)t, class, NULL);
}

static inline int ost_setmask_(uint64_t mask)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	for (sig = 1; sig <= 31; sig++)
		if (mask >> (sig - 1) & 1)
			sigaddset(&set, sig);
	return pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static inline int ost_cputime_(uint64_t id, uint64_t *ns)
{
	struct proc_threadinfo info;

	if (proc_pidinfo(getpid(), PROC_PIDTHREADID64INFO, id, &info,
			 sizeof(info)) != sizeof(info))
		return errno ? errno : ESRCH;
	*ns = info.pth_user_time + info.pth_system_time;
	return 0;
}

static inline int ost_own_cputime_(uint64_t *ns)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		return errno;
	*ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	return 0;
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	osAffinity   = false // thread_policy_set's affinity tags are hints, and refused on Apple silicon
	osNice       = false
	osBandwidth  = false
	osSlack      = false
	osQoS        = true
	osSignalMask = true
	osMaxCPUs    = 0
	osExitUnseen = false
	staticTLS    = 0 // the system adds it to the stack size
)

var (
	pageSize    = os.Getpagesize()
	firstThread = osNativeID() // package initialization runs on it
)

func osCreate(t *Thread, a *attrs) error {
	return os.NewSyscallError("pthread_create", create(t, a, a.stack))
}

// osMakePreemptible does nothing: on macOS the runtime counts its preemption
// signals in flight, and an additional one would break the count.
func osMakePreemptible(*Thread) {}

// osTryJoin may wait for some microseconds.
func osTryJoin(t *Thread) bool {
	if t.kind == native {
		C.ost_join_(C.uintptr_t(t.ident))
	}
	return true
}

func osStackBounds() (least, most int, err error) {
	const half = 1 << 46 // of the user's half of the address space
	return minStack, half, nil
}

// osNativeID returns the number of pthread_threadid_np.
func osNativeID() int { return int(C.ost_native_id_()) }

func osOnFirstThread() bool { return osNativeID() == firstThread }

func osClock() int64 { return 0 }

// osIsGone cannot ask. Ids are not reused, and pthread's functions refuse a
// pthread_t without a thread.
func osIsGone(*Thread) bool { return false }

// osExists cannot ask. A joined thread is gone, and a detached one nearly so.
func osExists(int) bool { return false }

func osYield() {
	runtime.Gosched()
	C.sched_yield()
}

const nameMax = 63 // MAXTHREADNAMESIZE without the NUL

// osSetName can name the calling thread only.
func osSetName(t *Thread, name string) error {
	if t.ident != osSelf() {
		return unsupported("name of another thread")
	}
	name = cutName(name, nameMax)
	b := append([]byte(name), 0)
	if errno := C.pthread_setname_np((*C.char)(unsafe.Pointer(&b[0]))); errno != 0 {
		return os.NewSyscallError("pthread_setname_np", syscall.Errno(errno))
	}
	return nil
}

func osGetName(t *Thread) string {
	var b [nameMax + 1]byte
	if C.ost_getname_(C.uintptr_t(t.ident), (*C.char)(unsafe.Pointer(&b[0])), C.size_t(len(b))) != 0 {
		return ""
	}
	name, _, _ := strings.Cut(string(b[:]), "\x00")
	return name
}

func osSetAffinity(*Thread, []int) error { return unsupported("affinity") }

func osGetAffinity(*Thread) ([]int, error) { return nil, unsupported("affinity") }

var policies = map[Policy]C.int{PolicyOther: C.SCHED_OTHER, PolicyFIFO: C.SCHED_FIFO, PolicyRR: C.SCHED_RR}

// osPriorityBounds gives PolicyOther a range too, in which 0, the only priority
// it has on other systems, stands for the default.
func osPriorityBounds(p Policy) (least, most int, err error) {
	policy, ok := policies[p]
	if !ok {
		return 0, 0, unsupported(fmt.Sprintf("policy %v", p))
	}
	least, most = int(C.sched_get_priority_min(policy)), int(C.sched_get_priority_max(policy))
	if p == PolicyOther {
		least = 0
	}
	return least, most, nil
}

func osSetPriority(t *Thread, p Policy, priority int) error {
	if p == PolicyOther && priority == 0 {
		least, most := C.sched_get_priority_min(C.SCHED_OTHER), C.sched_get_priority_max(C.SCHED_OTHER)
		priority = int(least+most) / 2 // 31, the default
	}
	if errno := C.ost_setpriority_(C.uintptr_t(t.ident), policies[p], C.int(priority)); errno != 0 {
		err := os.NewSyscallError("pthread_setschedparam", syscall.Errno(errno))
		return withValue(err, "policy %v, priority %d", p, priority)
	}
	return nil
}

func osPriority(t *Thread) (Policy, int, error) {
	var policy, priority C.int
	if errno := C.ost_getpriority_(C.uintptr_t(t.ident), &policy, &priority); errno != 0 {
		return 0, 0, os.NewSyscallError("pthread_getschedparam", syscall.Errno(errno))
	}
	for p, n := range policies {
		if n == policy {
			return p, int(priority), nil
		}
	}
	return 0, 0, unsupported(fmt.Sprintf("scheduling policy %d", policy))
}

var qosClasses = [...]C.qos_class_t{
	QoSUnspecified: C.QOS_CLASS_UNSPECIFIED, QoSBackground: C.QOS_CLASS_BACKGROUND,
	QoSUtility: C.QOS_CLASS_UTILITY, QoSDefault: C.QOS_CLASS_DEFAULT,
	QoSUserInitiated: C.QOS_CLASS_USER_INITIATED, QoSUserInteractive: C.QOS_CLASS_USER_INTERACTIVE,
}

// osSetQoS is not left to pthread_attr_t, which a pinned thread does not have.
func osSetQoS(q QoS) error {
	if errno := C.pthread_set_qos_class_self_np(qosClasses[q], 0); errno != 0 {
		return os.NewSyscallError("pthread_set_qos_class_self_np", syscall.Errno(errno))
	}
	return nil
}

func osGetQoS(t *Thread) (QoS, error) {
	var class C.qos_class_t
	if errno := C.ost_getqos_(C.uintptr_t(t.ident), &class); errno != 0 {
		return 0, os.NewSyscallError("pthread_get_qos_class_np", syscall.Errno(errno))
	}
	for q, c := range qosClasses {
		if c == class {
			return QoS(q), nil
		}
	}
	return 0, unsupported(fmt.Sprintf("QoS class %#x", class))
}

func osSetSignalMask(mask uint64) error {
	if errno := C.ost_setmask_(C.uint64_t(mask)); errno != 0 {
		return os.NewSyscallError("pthread_sigmask", syscall.Errno(errno))
	}
	return nil
}

// Faults, Go's preemption and profiling, and the C library's signals; see
// Attr.SignalMask.
const osNeverBlocked = 1<<(syscall.SIGILL-1) | 1<<(syscall.SIGTRAP-1) | 1<<(syscall.SIGBUS-1) | 1<<(syscall.SIGFPE-1) |
	1<<(syscall.SIGSEGV-1) | 1<<(syscall.SIGSYS-1) | 1<<(syscall.SIGURG-1) | 1<<(syscall.SIGPROF-1) | 7<<(32-1)

func osSetBandwidth(*Thread, Bandwidth) error { return unsupported("bandwidth of a thread") }

func osBandwidthOf(*Thread) (Bandwidth, error) {
	return Bandwidth{}, unsupported("bandwidth of a thread")
}

func osSetResetOnFork(*Thread, bool) error { return unsupported("reset on fork") }

func osResetOnFork(*Thread) (bool, error) { return false, unsupported("reset on fork") }

func osSetNice(*Thread, int) error { return unsupported("niceness of a thread") }

func osSetTimerSlack(*Thread, time.Duration) error { return unsupported("timer slack of a thread") }

func osTimerSlack(*Thread) (time.Duration, error) { return 0, unsupported("timer slack of a thread") }

func osCPUTime(id int) (time.Duration, error) {
	var ns C.uint64_t
	if id == 0 {
		if errno := C.ost_own_cputime_(&ns); errno != 0 {
			return 0, os.NewSyscallError("clock_gettime", syscall.Errno(errno))
		}
		return time.Duration(ns), nil
	}
	if errno := C.ost_cputime_(C.uint64_t(id), &ns); errno != 0 {
		return 0, os.NewSyscallError("proc_pidinfo", syscall.Errno(errno))
	}
	return time.Duration(ns), nil
}
