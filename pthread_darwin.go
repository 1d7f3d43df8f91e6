//go:build cgo

package thread

// macOS with cgo: pthread_create for the thread, Mach and libproc for what
// pthreads do not tell. There is no way to ask whether a thread has left the
// kernel, but pthread_join waits for that, and for a thread that has left Go it
// takes some microseconds; so join does it.

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

extern int ostEntry(uintptr_t, uintptr_t);
extern int ostEnded(uintptr_t, uintptr_t);
extern void ostKnocked(void);

static inline uintptr_t ost_self_(void)
{
	return (uintptr_t)pthread_self();
}

static inline int ost_new_(uintptr_t *out, size_t stack, long guard,
			   const uint64_t *mask, uintptr_t slot)
{
	pthread_t t;
	int err = ost_create_(&t, stack, guard, mask, ostEntry, slot);

	if (!err)
		*out = (uintptr_t)t;
	return err;
}

static inline int ost_join_(uintptr_t t)
{
	return pthread_join((pthread_t)t, NULL);
}

static inline int ost_detach_(uintptr_t t)
{
	return pthread_detach((pthread_t)t);
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

	_ "example.com/thread/csrc" // "go mod vendor" drops folders without Go files that are imported
	"example.com/thread/internal/ident"
)

const (
	osNative     = true
	osAliens     = true
	osGuard      = true
	osAffinity   = false // thread_policy_set's affinity tags are hints, and refused on Apple silicon
	osNice       = false
	osQoS        = true
	osSignalMask = true
	osMaxCPUs    = 0
)

var pageSize = os.Getpagesize()

// minStack is the platform's least stack size in bytes.
var minStack = int(C.sysconf(C._SC_THREAD_STACK_MIN))

var firstThread = osNativeID() // package initialization runs on it

func init() {
	if slot := C.ost_slot_(); slot != nil {
		ident.Setup(uintptr(C.ost_self_()), uintptr(unsafe.Pointer(slot)))
	}
	C.ost_callbacks_((*[0]byte)(C.ostEnded), (*[0]byte)(C.ostKnocked))
}

//export ostEntry
func ostEntry(slot, back C.uintptr_t) C.int {
	C.ost_gate_unlock_()
	return C.int(nativeMain(uintptr(slot), uintptr(back)))
}

//export ostEnded
func ostEnded(slot, back C.uintptr_t) C.int { return C.int(ended(uintptr(slot), uintptr(back))) }

//export ostKnocked
func ostKnocked() { knocked() }

// osKnock makes a thread that calls knocked, and ends.
func osKnock() error {
	if errno := C.ost_knock_(); errno != 0 {
		return os.NewSyscallError("pthread_create", syscall.Errno(errno))
	}
	return nil
}

// What C knows by other names.
var (
	_ = [1]int{}[C.OST_DETACH_-endDetach]
	_ = [1]int{}[C.OST_LEAVE_-endLeave]
)

// osLeave ends the calling thread of C from within Go, as a return to C with
// how would. back is what C called Go with, 0 on a thread that C called Go on
// by a way of its own.
func osLeave(back uintptr, how int) { C.ost_leave_(C.uintptr_t(back), C.int(how)) }

// osMadeByC reports whether C made the calling thread, if it can tell.
func osMadeByC() (yes, known bool) {
	made := C.ost_made_by_c_()
	return made > 0, made >= 0
}

// osMakePreemptible does nothing: here the runtime counts the preemption
// signals on their way, and one of ours would spoil the count. On Linux see
// what it is for.
func osMakePreemptible(*Thread) {}

// osCreate makes a thread that runs nativeMain(t.slot).
func osCreate(t *Thread, a *attrs) error {
	var mask *C.uint64_t
	if a.masked {
		m := C.uint64_t(a.mask)
		mask = &m
	}
	var pt C.uintptr_t
	if errno := C.ost_new_(&pt, C.size_t(a.stack), C.long(a.guard), mask, C.uintptr_t(t.slot)); errno != 0 {
		return os.NewSyscallError("pthread_create", syscall.Errno(errno))
	}
	return nil
}

// osTryJoin joins the ended native thread t, for which it may have to wait some
// microseconds.
func osTryJoin(t *Thread) bool {
	if t.kind == native {
		C.ost_join_(C.uintptr_t(t.ident))
	}
	return true
}

// osDetach detaches the ended native thread t.
func osDetach(t *Thread) {
	if t.kind == native {
		C.ost_detach_(C.uintptr_t(t.ident))
	}
}

// osWatch has the calling, attached thread's end told: by ended, or for a
// thread of Go's by osOrphan.
func osWatch(t *Thread) error {
	goThread := C.int(0)
	if t.kind == bound {
		goThread = 1
	}
	if errno := C.ost_watch_(C.uintptr_t(t.slot), goThread); errno != 0 {
		return os.NewSyscallError("pthread_setspecific", syscall.Errno(errno))
	}
	return nil
}

// osUnwatch undoes osWatch.
func osUnwatch() { C.ost_unwatch_() }

// osOrphan returns the slot of an attached thread of Go's that has ended;
// unknown if there is none.
func osOrphan() uintptr { return uintptr(C.ost_orphan_()) }

func osSelf() Ident {
	if ident.Fast() {
		return Ident(ident.Self())
	}
	return Ident(C.ost_self_())
}

// osStackBounds returns the least and most bytes a stack may have.
func osStackBounds() (least, most int, err error) {
	const half = 1 << 46 // of the user's half of the address space
	return minStack, half, nil
}

// osNativeID returns the thread's number of pthread_threadid_np, as the tools
// show it.
func osNativeID() int { return int(C.ost_native_id_()) }

// osOnFirstThread reports whether the caller is on the thread that Go began
// with: the process's first, unless Go is a library.
func osOnFirstThread() bool { return osNativeID() == firstThread }

func osClock() int64 { return 0 }

// osIsGone cannot ask. Ids are not used again, and pthread's calls refuse a
// pthread_t that is no thread's.
func osIsGone(*Thread) bool { return false }

// osExists cannot ask. A thread that was joined is gone; one that detached
// itself is as good as gone.
func osExists(int) bool { return false }

// osYield goes through Go's scheduler first: a loop around the system call
// alone would never give up its P.
func osYield() {
	runtime.Gosched()
	C.sched_yield()
}

// osApply gives the calling thread, t, its attributes, but for what it was made
// with.
func osApply(t *Thread, a *attrs) error {
	if a.name != "" {
		if err := osSetName(t, a.name); err != nil {
			return err
		}
	}
	if a.policy != PolicyInherit {
		if err := osSetPriority(t, a.policy, a.priority); err != nil {
			return err
		}
	}
	if a.qos != QoSUnspecified {
		if err := setQoS(a.qos); err != nil {
			return err
		}
	}
	if a.masked {
		// A native thread began with the mask, but on the way into Go the
		// runtime has unblocked what would end the process.
		if errno := C.ost_setmask_(C.uint64_t(a.mask)); errno != 0 {
			return os.NewSyscallError("pthread_sigmask", syscall.Errno(errno))
		}
	}
	return nil
}

const nameMax = 63 // MAXTHREADNAMESIZE without the NUL

// osSetName names the calling thread. The system lets a thread name no other.
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

// osPriorityBounds returns the least and most priority of a policy. PolicyOther
// has priorities here too, and 0, which all other systems want, stands for the
// default.
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
		// 31, the default
		priority = int(C.sched_get_priority_min(C.SCHED_OTHER)+C.sched_get_priority_max(C.SCHED_OTHER)) / 2
	}
	if errno := C.ost_setpriority_(C.uintptr_t(t.ident), policies[p], C.int(priority)); errno != 0 {
		return withValue(
			os.NewSyscallError("pthread_setschedparam", syscall.Errno(errno)),
			"policy %v, priority %d",
			p,
			priority,
		)
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
	QoSUnspecified: C.QOS_CLASS_UNSPECIFIED, QoSBackground: C.QOS_CLASS_BACKGROUND, QoSUtility: C.QOS_CLASS_UTILITY, QoSDefault: C.QOS_CLASS_DEFAULT,
	QoSUserInitiated: C.QOS_CLASS_USER_INITIATED, QoSUserInteractive: C.QOS_CLASS_USER_INTERACTIVE,
}

// setQoS sets the calling thread's class. A pthread_attr_t could hold it too,
// but a pinned thread is made without one of ours.
func setQoS(q QoS) error {
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

func osSetNice(*Thread, int) error { return unsupported("niceness of a thread") }

// osCPUTime returns the processor time of the thread with that id, 0 for the
// caller's.
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
