//go:build cgo && !android

package thread

// Linux with cgo: pthread_create makes the threads. All else is done by system
// calls, which take a thread's id and so serve pinned threads as well
// (sched_linux.go).

/*
#cgo CFLAGS: -D_GNU_SOURCE -fno-omit-frame-pointer
#include "csrc/create.h"
#include <link.h>
#include <time.h>

static inline int ost_tryjoin_(uintptr_t t)
{
	return pthread_tryjoin_np((pthread_t)t, NULL);
}

static inline int64_t ost_clock_(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_BOOTTIME, &t))
		return INT64_MAX;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Installs the handler of sig, which is installed, by the C library: musl
// repeats a wait that ends with EINTR unless it knows of a handler without
// SA_RESTART.
static inline void ost_interrupts_(int sig)
{
	struct sigaction a;

	if (!sigaction(sig, NULL, &a))
		sigaction(sig, &a, NULL);
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

	"golang.org/x/sys/unix"

	"example.com/thread/internal/eintr"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/headroom"
)

const osExitUnseen = true

func init() {
	osClock = func() int64 { return int64(C.ost_clock_()) }
	eintr.Installed = func(sig syscall.Signal) { C.ost_interrupts_(C.int(sig)) }
}

var pid = os.Getpid() // a Go process does not fork

// staticTLS is how many bytes the C library takes from the stack of each
// thread; osCreate adds them to the size that was asked for. glibc takes the
// thread-local variables of everything that was loaded when the process began
// (its bug 11787), and less than a page for itself. musl adds them to the size
// by itself. What is loaded later has its variables elsewhere, so this is read
// once.
var staticTLS = roundUpToPage(int(C.ost_static_tls_()))

// How long osCreate retries.
const (
	againFor   = 100 * time.Millisecond
	againSleep = 50 * time.Microsecond  // initially
	againMost  = 400 * time.Microsecond // the longest sleep
)

// osCreate retries an EAGAIN.
//
// While a thread of the process is in execve the kernel refuses new threads
// with EAGAIN, as at a limit (copy_fs in kernel/fork.c). Go's runtime keeps its
// own execve and clone apart by a lock that others cannot take. An execve that
// succeeds ends the process, and a failed one is short. So unless memory is
// the reason, osCreate retries, even though the process may be at a limit.
func osCreate(t *Thread, a *attrs) error {
	stack := a.stack
	if stack != 0 {
		stack += staticTLS
	}
	err := create(t, a, stack)
	if err == syscall.EAGAIN && headroom.CanMap(a.mapped()) {
		sleep, end := againSleep, futex.Now()+int64(againFor)
		for err == syscall.EAGAIN && futex.Now() < end {
			time.Sleep(sleep)
			sleep = min(sleep+sleep/2, againMost)
			err = create(t, a, stack)
		}
	}
	return os.NewSyscallError("pthread_create", err)
}

// osMakePreemptible sends t a SIGURG.
//
// The runtime preempts with a SIGURG, marks the thread's M, and sends no other
// before Go has handled that one. It also sends one to an M whose thread has
// just ended, as long as the M holds its P. Nobody handles that signal, and the
// M stays marked when the next thread of C gets it (preemptone and preemptM in
// runtime/proc.go and signal_unix.go, seen in Go 1.26 and 1.27). A loop without
// calls would then block every garbage collection, and with GOMAXPROCS=1 all of
// Go. A signal that is handled here clears the mark. It takes 3 to 4 us, up to
// a twelfth of a start.
func osMakePreemptible(t *Thread) {
	syscall.RawSyscall(unix.SYS_TGKILL, uintptr(pid), uintptr(t.nativeID), uintptr(unix.SIGURG))
}

func osTryJoin(t *Thread) bool {
	return t.kind != native || C.ost_tryjoin_(C.uintptr_t(t.ident)) != C.EBUSY
}
