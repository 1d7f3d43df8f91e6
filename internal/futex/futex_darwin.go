//go:build cgo && !portablefutex

package futex

// macOS: os_sync_wait_on_address and its variants, since macOS 14.4 the
// system's only public futex calls. They are imported weakly, so a program
// starts on older systems too, and sleeps in the scheduler there. Older SDKs do
// not declare them, so they are declared here, after
// os/os_sync_wait_on_address.h and os/clock.h.
//
// A call from Go to C costs some 60 ns besides the system call (on Linux,
// amd64), and the thread keeps its P until sysmon takes it. A locked goroutine
// pays more in the scheduler: two more thread switches for each sleep
// (golang/go#21827).
//
// The kernel identifies a word by its size, 4, and the flags, 0 for memory of
// this process alone and 1 for shared memory, as well: csrc/ost_os.h must use
// the same.

/*
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#cgo nocallback ost_sync_there_
#cgo nocallback ost_sync_wait_
#cgo nocallback ost_sync_wake_any_
#cgo nocallback ost_sync_wake_all_

#define OST_WORD_	4	// bytes
#define OST_MACH_TIME_	32	// OS_CLOCK_MACH_ABSOLUTE_TIME

#define OST_WEAK_	__attribute__((weak_import))

extern int os_sync_wait_on_address(void *, uint64_t, size_t, uint32_t) OST_WEAK_;
extern int os_sync_wait_on_address_with_timeout(void *, uint64_t, size_t,
		uint32_t, uint32_t, uint64_t) OST_WEAK_;
extern int os_sync_wake_by_address_any(void *, size_t, uint32_t) OST_WEAK_;
extern int os_sync_wake_by_address_all(void *, size_t, uint32_t) OST_WEAK_;

static inline int ost_sync_there_(void)
{
	return os_sync_wait_on_address &&
	       os_sync_wait_on_address_with_timeout &&
	       os_sync_wake_by_address_any && os_sync_wake_by_address_all;
}

static inline int ost_sync_wait_(uint32_t *word, uint32_t old, int64_t ns,
		uint32_t flags)
{
	int r;

	if (ns < 0)
		r = os_sync_wait_on_address(word, old, OST_WORD_, flags);
	else
		r = os_sync_wait_on_address_with_timeout(word, old, OST_WORD_,
				flags, OST_MACH_TIME_, (uint64_t)ns);
	return r < 0 ? errno : 0;
}

static inline int ost_sync_wake_any_(uint32_t *word, uint32_t flags)
{
	return os_sync_wake_by_address_any(word, OST_WORD_, flags) < 0 ?
	       errno : 0;
}

static inline int ost_sync_wake_all_(uint32_t *word, uint32_t flags)
{
	return os_sync_wake_by_address_all(word, OST_WORD_, flags) < 0 ?
	       errno : 0;
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Flags of the calls: OS_SYNC_WAIT_ON_ADDRESS_NONE and _SHARED, which have the
// values of those for waking.
const (
	osSyncNone   = 0
	osSyncShared = 1
)

func init() {
	if C.ost_sync_there_() != 0 {
		system, sharedSystem = osSync(osSyncNone), osSync(osSyncShared)
	}
}

func osSync(flags C.uint32_t) *addressCalls {
	return &addressCalls{
		wait: func(w *uint32, old uint32, ns int64) syscall.Errno {
			return syscall.Errno(C.ost_sync_wait_(word(w), C.uint32_t(old), C.int64_t(ns), flags))
		},
		wakeAny: func(w *uint32) syscall.Errno { return syscall.Errno(C.ost_sync_wake_any_(word(w), flags)) },
		wakeAll: func(w *uint32) syscall.Errno { return syscall.Errno(C.ost_sync_wake_all_(word(w), flags)) },
	}
}

func word(w *uint32) *C.uint32_t { return (*C.uint32_t)(unsafe.Pointer(w)) }
