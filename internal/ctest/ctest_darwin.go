//go:build cgo

package ctest

// What the table of platforms is tried with on macOS. osthread.h wants a
// deployment target of macOS 14.4, but the tests are for older ones too, so the
// lock has one function here: the header's unlock, with the call imported
// weakly.

/*
#cgo CFLAGS: -O1
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void ctestCall(uintptr_t n);

extern int os_sync_wake_by_address_any(void *, size_t, uint32_t) __attribute__((weak_import));

static void *alien(void *p)
{
	ctestCall((uintptr_t)p);
	return NULL;
}

// aliens makes n threads that call Go, one after another.
static int aliens(int n)
{
	pthread_t t;
	int i, err = 0;

	for (i = 0; i < n && !err; i++) {
		err = pthread_create(&t, NULL, alien, (void *)(uintptr_t)i);
		if (!err)
			err = pthread_join(t, NULL);
	}
	return err;
}

// recurse uses bytes of stack, in frames of 4 KiB that it writes to. Each frame
// is known to the one below, so that the compiler makes no loop of it.
__attribute__((noinline)) static long recurse(long bytes, volatile char *above)
{
	volatile char frame[4096];

	memset((char *)frame, (int)bytes, sizeof(frame));
	if (above)
		above[0]++;
	if (bytes <= (long)sizeof(frame))
		return frame[0];
	return recurse(bytes - (long)sizeof(frame), frame) + frame[sizeof(frame) - 1];
}

static int m_unlock(uint32_t *word)
{
	if (!os_sync_wake_by_address_any)
		return ENOTSUP;
	if (!__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST))
		return EPERM;
	os_sync_wake_by_address_any(word, sizeof(*word), 0);
	return 0;
}
*/
import "C"

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var call atomic.Pointer[func(n int)]

//export ctestCall
func ctestCall(n C.uintptr_t) { (*call.Load())(int(n)) }

// Aliens runs f on n threads that C makes, one after another, each with its
// number. One call at a time.
func Aliens(n int, f func(n int)) error {
	call.Store(&f)
	if errno := C.aliens(C.int(n)); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// Recurse uses that many bytes of the thread's stack.
func Recurse(bytes int) { C.recurse(C.long(bytes), nil) }

// Malloc returns n zeroed bytes of C memory.
func Malloc(n int) unsafe.Pointer { return C.calloc(1, C.size_t(n)) }

// Free frees what Malloc returned.
func Free(p unsafe.Pointer) { C.free(p) }

// Unlock is osthread.h's on the word m, with the errno it returns; ENOTSUP
// before macOS 14.4.
func Unlock(m unsafe.Pointer) syscall.Errno { return syscall.Errno(C.m_unlock((*C.uint32_t)(m))) }
