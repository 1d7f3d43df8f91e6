//go:build cgo && !android

package thread

/*
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The guard of the calling thread's stack, and the size of that. A handler may
// read these: the initial-exec model allocates nothing.
static __thread uintptr_t guard_low_ __attribute__((tls_model("initial-exec")));
static __thread uintptr_t guard_high_ __attribute__((tls_model("initial-exec")));
static __thread size_t stack_size_ __attribute__((tls_model("initial-exec")));

static struct sigaction before_;

// Learns where the calling thread's guard is. Without one there is nothing to
// report.
static void ost_learn_guard_(void)
{
	pthread_attr_t attr;
	size_t guard = 0;
	void *p;

	if (pthread_getattr_np(pthread_self(), &attr))
		return;
	if (!pthread_attr_getstack(&attr, &p, &stack_size_) &&
	    !pthread_attr_getguardsize(&attr, &guard)) {
		guard_high_ = (uintptr_t)p;
		guard_low_ = guard_high_ - guard;
	}
	pthread_attr_destroy(&attr);
}

// A line that is composed without the C library's allocator and locks.
struct ost_line_ {
	char text[256];
	size_t n;
};

static void ost_add_(struct ost_line_ *l, const char *s)
{
	while (*s && l->n < sizeof(l->text))
		l->text[l->n++] = *s++;
}

static void ost_add_number_(struct ost_line_ *l, uintptr_t v, unsigned base)
{
	char digits[24];
	int i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	ost_add_(l, digits + i);
}

static void ost_report_overflow_(uintptr_t address)
{
	struct ost_line_ l = { .n = 0 };
	char name[16] = "";
	int saved = errno;

	prctl(PR_GET_NAME, name, 0, 0, 0);
	ost_add_(&l, "thread \"");
	ost_add_(&l, name);
	ost_add_(&l, "\" (");
	ost_add_number_(&l, (uintptr_t)syscall(SYS_gettid), 10);
	ost_add_(&l, "): stack overflow in C code at 0x");
	ost_add_number_(&l, address, 16);
	ost_add_(&l, ": stack of ");
	ost_add_number_(&l, stack_size_, 10);
	ost_add_(&l, " bytes, see thread.Attr.StackSize\n");
	if (write(STDERR_FILENO, l.text, l.n) < 0)
		errno = saved; // there is nobody to report that to
	errno = saved;
}

static void ost_on_fault_(int sig, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;

	if (address >= guard_low_ && address < guard_high_)
		ost_report_overflow_(address);
	if (before_.sa_flags & SA_SIGINFO)
		before_.sa_sigaction(sig, info, context);
	else if (before_.sa_handler != SIG_DFL && before_.sa_handler != SIG_IGN)
		before_.sa_handler(sig);
	else
		sigaction(sig, &before_, NULL); // the instruction faults again
}

// Installs the handler, with the flags and the mask of the one before.
static int ost_report_overflows_(void)
{
	struct sigaction a;

	if (sigaction(SIGSEGV, NULL, &before_))
		return errno;
	a = before_;
	a.sa_flags |= SA_SIGINFO | SA_ONSTACK;
	a.sa_sigaction = ost_on_fault_;
	return sigaction(SIGSEGV, &a, NULL) ? errno : 0;
}
*/
import "C"

import (
	"os"
	"sync"
	"syscall"
)

// The handler runs on the alternative stack that Go's runtime gives each
// thread. It calls the handler before it with the same context, so that Go's
// can make a panic of a fault in Go code: it sets the registers to which the
// kernel returns.

const osReportsOverflows = true

var osReportOverflows = sync.OnceValue(func() error {
	if errno := C.ost_report_overflows_(); errno != 0 {
		return os.NewSyscallError("sigaction", syscall.Errno(errno))
	}
	return nil
})

// osLearnGuard is called on a native thread before its body.
func osLearnGuard() { C.ost_learn_guard_() }
