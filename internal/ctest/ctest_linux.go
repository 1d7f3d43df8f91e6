//go:build cgo

package ctest

/*
#cgo CFLAGS: -D_GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// count_values returns how many keys have a value in the calling thread.
static void *count_values(void *unused)
{
	pthread_key_t k;
	uintptr_t n = 0;

	for (k = 0; k < PTHREAD_KEYS_MAX; k++)
		n += pthread_getspecific(k) != NULL;
	return (void *)n;
}

// values_of_new makes a thread and returns how many keys have a value there, -1 if it fails.
static long values_of_new(void)
{
	pthread_t t;
	void *n;

	if (pthread_create(&t, NULL, count_values, NULL) || pthread_join(t, &n))
		return -1;
	return (long)(uintptr_t)n;
}

extern void ctestCall(uintptr_t n);

static void *vanish(void *unused)
{
	ctestCall(0);
	syscall(SYS_exit, 0);
	return unused;
}

static int start_vanish(void)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, vanish, NULL);

	return err ? err : pthread_detach(t);
}
*/
import "C"

// ValuesOfNew makes a thread of C, and returns how many keys of pthread have a value there when it begins, -1 if it fails. The keys are taken for
// numbers from 0, which they are on Linux.
func ValuesOfNew() int { return int(C.values_of_new()) }

// Vanish makes a thread of C that calls f and then ends by the system call exit,
// so that no destructor runs.
func Vanish(f func(n int)) error {
	call.Store(&f)
	if err := C.start_vanish(); err != 0 {
		return errno(err)
	}
	return nil
}
