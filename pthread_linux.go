//go:build cgo && !android

package thread

// Linux with cgo: pthread_create for the thread, and for the rest the kernel's
// system calls, which take a thread's id and so serve pinned threads as well
// (linux.go).

/*
#cgo CFLAGS: -D_GNU_SOURCE -fno-omit-frame-pointer
#include "csrc/create.h"
#include <link.h>
#include <unistd.h>

extern int ostEntry(uintptr_t, uintptr_t);
extern int ostEnded(uintptr_t, uintptr_t);
extern void ostKnocked(void);

static inline int ost_tryjoin_(uintptr_t t)
{
	return pthread_tryjoin_np((pthread_t)t, NULL);
}

static inline int ost_detach_(uintptr_t t)
{
	return pthread_detach((pthread_t)t);
}

static inline uintptr_t ost_self_(void)
{
	return (uintptr_t)pthread_self();
}

#ifdef __GLIBC__

static inline int ost_add_tls_(struct dl_phdr_info *info, size_t size, void *p)
{
	size_t *sum = (size_t *)p;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
	return 0;
}

static inline size_t ost_static_tls_(void)
{
	size_t sum = 4096;

	dl_iterate_phdr(ost_add_tls_, &sum);
	return sum;
}

#else

static inline size_t ost_static_tls_(void)
{
	return 0;
}

#endif
*/
import "C"

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "example.com/thread/csrc" // "go mod vendor" drops folders without Go files that are imported
	"example.com/thread/internal/futex"
	"example.com/thread/internal/headroom"
	"example.com/thread/internal/ident"
)

const (
	osNative = true
	osAliens = true
	osGuard  = true
)

var pid = os.Getpid() // a Go process does not fork

// minStack is the platform's least stack size in bytes: with glibc 16 KiB on
// amd64, 128 KiB on arm64.
var minStack = int(C.sysconf(C._SC_THREAD_STACK_MIN))

// staticTLS is what the C library takes from the stack of each thread, on top
// of which the size that was asked for is the frames'. glibc takes the
// thread-local memory of all that was loaded when the process began (its bug
// 11787), and a little for itself: less than a page. musl adds it to the size
// by itself. What is loaded later has its memory elsewhere, so this need be
// read but once.
var staticTLS = roundUpToPage(int(C.ost_static_tls_()))

func init() {
	ident.Setup(uintptr(C.ost_self_()), uintptr(unsafe.Pointer(C.ost_slot_())))
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

// osMakePreemptible makes sure that the runtime can preempt the calling thread
// of C, t, in a loop that calls nothing.
//
// The runtime preempts by a SIGURG, marks the thread's M, and sends no other
// before that one is taken in Go. It does so to an M whose thread has just
// ended, too, while that still holds its P; nobody takes the signal, and the M
// stays marked when the next thread of C gets it (preemptone and preemptM in
// runtime/proc.go and signal_unix.go, seen in Go 1.26 and 1.27). Such a loop
// would then hold up every collection, and at GOMAXPROCS=1 all that is Go. A
// signal of our own, taken here, unmarks the M. It takes 3 to 4 us, as much as
// a twelfth of a start.
func osMakePreemptible(t *Thread) {
	syscall.RawSyscall(unix.SYS_TGKILL, uintptr(pid), uintptr(t.nativeID), uintptr(unix.SIGURG))
}

// How long the kernel is asked again for a thread that it refuses.
const (
	againFor   = 100 * time.Millisecond
	againSleep = 50 * time.Microsecond // at first; then longer, to
	againMost  = 400 * time.Microsecond
)

// osCreate makes a thread that runs nativeMain(t.slot).
//
// While a thread of the process is in execve the kernel refuses new ones, by
// EAGAIN as at a limit (copy_fs in kernel/fork.c). Go's runtime keeps its own
// out meanwhile, which is not for others to ask for. An execve that succeeds
// ends the process, and one that fails is over soon. So unless it is memory
// that cannot be had the kernel is asked again, even though it may be at a
// limit.
func osCreate(t *Thread, a *attrs) error {
	err := create(t, a)
	if err == syscall.EAGAIN && headroom.CanMap(a.stack) {
		sleep := againSleep
		for end := futex.Now() + int64(againFor); err == syscall.EAGAIN && futex.Now() < end; err = create(t, a) {
			time.Sleep(sleep)
			sleep = min(sleep+sleep/2, againMost)
		}
	}
	if err != nil {
		return os.NewSyscallError("pthread_create", err)
	}
	return nil
}

// create is osCreate of one try. Its error is a syscall.Errno.
func create(t *Thread, a *attrs) error {
	var mask *C.uint64_t
	if a.masked {
		m := C.uint64_t(a.mask)
		mask = &m
	}
	stack := a.stack
	if stack != 0 {
		stack += staticTLS
	}
	var pt C.pthread_t
	errno := C.ost_create_(&pt, C.size_t(stack), C.long(a.guard), mask, (*[0]byte)(C.ostEntry), C.uintptr_t(t.slot))
	if errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// osTryJoin joins the ended native thread t if it has left its stack.
func osTryJoin(t *Thread) bool {
	return t.kind != native || C.ost_tryjoin_(C.uintptr_t(t.ident)) != C.EBUSY
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
