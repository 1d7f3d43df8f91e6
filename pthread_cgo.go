//go:build cgo && ((linux && !android) || darwin)

package thread

// What Linux and macOS share of making and watching threads with pthreads. The
// C side is csrc/create.h and pthread.c.

/*
#include "csrc/create.h"
#include <unistd.h>

extern int ostEntry(uintptr_t, uintptr_t);
extern int ostEnded(uintptr_t, uintptr_t);
extern void ostProbed(void);

// C has pthread_t as an integer on Linux and as a pointer on macOS.

static inline uintptr_t ost_self_(void)
{
	return (uintptr_t)pthread_self();
}

static inline int ost_detach_(uintptr_t t)
{
	return pthread_detach((pthread_t)t);
}

static inline int ost_new_(size_t stack, long guard, const uint64_t *mask,
			   uintptr_t slot)
{
	pthread_t t;

	return ost_create_(&t, stack, guard, mask, ostEntry, slot);
}
*/
import "C"

import (
	"os"
	"syscall"
	"unsafe"

	_ "example.com/thread/csrc" // for go mod vendor, and to be rebuilt if a header changes
	"example.com/thread/internal/ident"
)

const (
	osNative = true
	osAliens = true
	osGuard  = true
)

// minStack is the platform's least stack size in bytes: with glibc 16 KiB on
// amd64, 128 KiB on arm64.
var minStack = int(C.sysconf(C._SC_THREAD_STACK_MIN))

func init() {
	if slot := C.ost_slot_(); slot != nil {
		ident.Setup(uintptr(C.ost_self_()), uintptr(unsafe.Pointer(slot)))
	}
	C.ost_callbacks_((*[0]byte)(C.ostEnded), (*[0]byte)(C.ostProbed))
}

//export ostEntry
func ostEntry(slot, back C.uintptr_t) C.int {
	C.ost_admit_unlock_()
	return C.int(nativeMain(uintptr(slot), uintptr(back)))
}

//export ostEnded
func ostEnded(slot, back C.uintptr_t) C.int { return C.int(ended(uintptr(slot), uintptr(back))) }

//export ostProbed
func ostProbed() { probed() }

// The constants that C has under other names.
var (
	_ = [1]int{}[C.OST_DETACH_-endDetach]
	_ = [1]int{}[C.OST_LEAVE_-endLeave]
)

// create makes a thread that runs nativeMain(t.slot), with a stack of that many
// bytes, 0 for the default. Its error is a syscall.Errno.
func create(t *Thread, a *attrs, stack int) error {
	var mask *C.uint64_t
	if a.masked {
		m := C.uint64_t(a.mask)
		mask = &m
	}
	if errno := C.ost_new_(C.size_t(stack), C.long(a.guard), mask, C.uintptr_t(t.slot)); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

func osProbe() error {
	if errno := C.ost_probe_(); errno != 0 {
		return os.NewSyscallError("pthread_create", syscall.Errno(errno))
	}
	return nil
}

func osDetach(t *Thread) {
	if t.kind == native {
		C.ost_detach_(C.uintptr_t(t.ident))
	}
}

// osLeave gets the jmp_buf of the call of Go as back.
func osLeave(back uintptr, how int) { C.ost_leave_(C.uintptr_t(back), C.int(how)) }

// osMadeByC knows it if the key of Go's runtime is known.
func osMadeByC() (yes, known bool) {
	made := C.ost_made_by_c_()
	return made > 0, made >= 0
}

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

func osUnwatch() { C.ost_unwatch_() }

func osExited() uintptr { return uintptr(C.ost_exited_()) }

func osSelf() Ident {
	if ident.Fast() {
		return Ident(ident.Self())
	}
	return Ident(C.ost_self_())
}
