//go:build cgo && !windows

package main

/*
#include <pthread.h>
#include <stdint.h>
#include <string.h>

extern void tourCalled(uintptr_t n);

static long recurse(long bytes)
{
	volatile char frame[4096];

	memset((char *)frame, (int)bytes, sizeof(frame));
	if (bytes <= (long)sizeof(frame))
		return frame[0];
	return recurse(bytes - (long)sizeof(frame)) + frame[1];
}

static void *body(void *n)
{
	tourCalled((uintptr_t)n);
	return NULL;
}

static int call_from_c(int n)
{
	pthread_t t[n];
	int made, err = 0;

	for (made = 0; made < n; made++) {
		err = pthread_create(&t[made], NULL, body, (void *)(uintptr_t)made);
		if (err)
			break;
	}
	while (made > 0)
		pthread_join(t[--made], NULL);
	return err;
}
*/
import "C"

import (
	"os"
	"syscall"
)

// recurseInC uses that many bytes of the thread's stack.
func recurseInC(bytes int) { C.recurse(C.long(bytes)) }

var called func(n int)

//export tourCalled
func tourCalled(n C.uintptr_t) { called(int(n)) }

// callFromC calls f on n threads that C makes.
func callFromC(n int, f func(n int)) error {
	called = f
	if errno := C.call_from_c(C.int(n)); errno != 0 {
		return os.NewSyscallError("pthread_create", syscall.Errno(errno))
	}
	return nil
}
