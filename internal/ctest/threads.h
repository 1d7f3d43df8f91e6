/*
 * threads.h - threads as C code of the system makes, joins and ends them
 *
 * spawn and use_keys return what the system said, 0 for success.
 */
#ifndef CTEST_THREADS_H
#define CTEST_THREADS_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32

#include <process.h>
#include <windows.h>

typedef HANDLE thread;
typedef unsigned result;
#define THREAD_CALL	__stdcall

static int spawn(thread *t, result (THREAD_CALL *f)(void *), void *arg, size_t stack)
{
	*t = (HANDLE)_beginthreadex(NULL, (unsigned)stack, f, arg,
				    STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
	return *t ? 0 : errno;
}

static void join(thread t)
{
	WaitForSingleObject(t, INFINITE);
	CloseHandle(t);
}

static void exit_thread(void)
{
	ExitThread(0);
}

/* Both kinds that the library has one of. */
static int use_keys(int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (TlsAlloc() == TLS_OUT_OF_INDEXES &&
		    FlsAlloc(NULL) == FLS_OUT_OF_INDEXES)
			break;
	return i;
}

#else

#include <pthread.h>

typedef pthread_t thread;
typedef void *result;
#define THREAD_CALL

static int spawn(thread *t, result (*f)(void *), void *arg, size_t stack)
{
	pthread_attr_t a;
	int err;

	pthread_attr_init(&a);
	if (stack)
		pthread_attr_setstacksize(&a, stack);
	err = pthread_create(t, &a, f, arg);
	pthread_attr_destroy(&a);
	return err;
}

static void join(thread t)
{
	pthread_join(t, NULL);
}

static void exit_thread(void)
{
	pthread_exit(NULL);
}

static int use_keys(int n)
{
	pthread_key_t k;
	int i;

	for (i = 0; i < n && pthread_key_create(&k, NULL) == 0; i++)
		;
	return i;
}

#endif

#endif
