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
// this process alone, as well: csrc/osthread.h must use the same.

/*
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#cgo nocallback ost_sync_there_
#cgo nocallback ost_sync_wait_
#cgo nocallback ost_sync_wake_any_
#cgo nocallback ost_sync_wake_all_

#define OST_WORD_	4	// bytes
#define OST_PRIVATE_	0	// OS_SYNC_WAIT_ON_ADDRESS_NONE, OS_SYNC_WAKE_BY_ADDRESS_NONE
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

static inline int ost_sync_wait_(uint32_t *word, uint32_t old, int64_t ns)
{
	int r;

	if (ns < 0)
		r = os_sync_wait_on_address(word, old, OST_WORD_, OST_PRIVATE_);
	else
		r = os_sync_wait_on_address_with_timeout(word, old, OST_WORD_,
				OST_PRIVATE_, OST_MACH_TIME_, (uint64_t)ns);
	return r < 0 ? errno : 0;
}

static inline int ost_sync_wake_any_(uint32_t *word)
{
	return os_sync_wake_by_address_any(word, OST_WORD_, OST_PRIVATE_) < 0 ?
	       errno : 0;
}

static inline int ost_sync_wake_all_(uint32_t *word)
{
	return os_sync_wake_by_address_all(word, OST_WORD_, OST_PRIVATE_) < 0 ?
	       errno : 0;
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

func init() {
	if C.ost_sync_there_() != 0 {
		system = &addressCalls{wait: osSyncWait, wakeAny: osSyncWakeAny, wakeAll: osSyncWakeAll}
	}
}

func osSyncWait(w *uint32, old uint32, ns int64) syscall.Errno {
	return syscall.Errno(C.ost_sync_wait_((*C.uint32_t)(unsafe.Pointer(w)), C.uint32_t(old), C.int64_t(ns)))
}

func osSyncWakeAny(w *uint32) syscall.Errno {
	return syscall.Errno(C.ost_sync_wake_any_((*C.uint32_t)(unsafe.Pointer(w))))
}

func osSyncWakeAll(w *uint32) syscall.Errno {
	return syscall.Errno(C.ost_sync_wake_all_((*C.uint32_t)(unsafe.Pointer(w))))
}
