//go:build cgo

package ctest

/*
#cgo CFLAGS: -D_GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
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

// values_of_new makes a thread and returns how many keys have a value there, -1
// if it fails.
static long values_of_new(void)
{
	pthread_t t;
	void *n;

	if (pthread_create(&t, NULL, count_values, NULL) || pthread_join(t, &n))
		return -1;
	return (long)(uintptr_t)n;
}

extern void ctestCall(uintptr_t n);

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;

static void at_end(void *unused)
{
	(void)unused;
	ctestCall(0);
}

static void make_end_key(void)
{
	pthread_key_create(&end_key, at_end);
}

static void set_end_key(void)
{
	pthread_once(&end_once, make_end_key);
	pthread_setspecific(end_key, &end_key);
}

static void *vanish(void *unused)
{
	ctestCall(0);
	syscall(SYS_exit, 0);
	return unused;
}

static void vanish_now(int sig)
{
	syscall(SYS_exit, 0 * sig);
}

// vanish_on makes sig end the thread that it is sent to.
static int vanish_on(int sig)
{
	struct sigaction a = { .sa_handler = vanish_now, .sa_flags = SA_ONSTACK };

	return sigaction(sig, &a, NULL);
}

// wait_for_sem waits for a semaphore that nobody posts. Returns an errno value.
static int wait_for_sem(void)
{
	sem_t s;
	int err;

	sem_init(&s, 0, 0);
	err = sem_wait(&s) ? errno : 0;
	sem_destroy(&s);
	return err;
}

// read_line reads a line of the file fd by stdio. Returns an errno value.
static int read_line(int fd)
{
	FILE *f = fdopen(dup(fd), "r");
	char line[80];
	int err = 0;

	if (!f)
		return errno;
	if (!fgets(line, sizeof(line), f))
		err = errno;
	fclose(f);
	return err;
}

static int cancel(uintptr_t thread)
{
	return pthread_cancel((pthread_t)thread);
}

static int wait_for_cancel(void)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	return wait_for_sem();
}

static int start_vanish(void)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, vanish, NULL);

	return err ? err : pthread_detach(t);
}
*/
import "C"

// ValuesOfNew makes a thread of C, and returns how many keys of pthread have a
// value there when it begins, -1 if it fails. The keys are taken for numbers
// from 0, which they are on Linux.
func ValuesOfNew() int { return int(C.values_of_new()) }

// Vanish makes a thread of C that calls f and then ends by the system call
// exit, so that no destructor runs.
func Vanish(f func(n int)) error {
	call.Store(&f)
	if err := C.start_vanish(); err != 0 {
		return errno(err)
	}
	return nil
}

// AtEnd has f called at the end of the calling thread, by a key of its own.
func AtEnd(f func(n int)) {
	call.Store(&f)
	C.set_end_key()
}

// Cancel calls pthread_cancel for the thread with that pthread_t.
func Cancel(thread uintptr) error { return errnoOrNil(C.cancel(C.uintptr_t(thread))) }

// WaitForCancel enables cancellation and waits to be canceled, in sem_wait.
func WaitForCancel() error { return errnoOrNil(C.wait_for_cancel()) }

// VanishOn makes the signal with that number end the thread that it is sent to,
// by the system call and whatever it does, for the rest of the process.
func VanishOn(sig int) error {
	_, err := C.vanish_on(C.int(sig))
	return err
}

// WaitForSem waits in sem_wait, until a signal handler runs.
func WaitForSem() error { return errnoOrNil(C.wait_for_sem()) }

// ReadLine reads a line of fd in fgets, until a signal handler runs.
func ReadLine(fd int) error { return errnoOrNil(C.read_line(C.int(fd))) }

func errnoOrNil(n C.int) error {
	if n == 0 {
		return nil
	}
	return errno(n)
}
