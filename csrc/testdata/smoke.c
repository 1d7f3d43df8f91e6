/*
 * smoke.c - every function of osthread.h from plain C, and from C++
 */
#include "osthread.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS	4
#define TIMES	100000

static ost_mutex_t m = OST_MUTEX_INIT;
static long counter;

static void *add(void *unused)
{
	long i;

	(void)unused;
	for (i = 0; i < TIMES; i++) {
		ost_mutex_lock(&m);
		counter++;
		ost_mutex_unlock(&m);
	}
	return 0;
}

static struct timespec after_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static int failed;

static void check(const char *what, int got, int want)
{
	if (got != want) {
		printf("%s: got %d, want %d\n", what, got, want);
		failed = 1;
	}
}

int main(void)
{
	struct timespec soon = after_ms(5), bad = { 0, 1000000000 };
	struct timespec past = { -1, 0 };
	pthread_t t[THREADS];
	int i;

	errno = 0;
	check("unlock of a free lock", ost_mutex_unlock(&m), EPERM);
	check("lock", ost_mutex_lock(&m), 0);
	check("trylock of a held lock", ost_mutex_trylock(&m), EBUSY);
	check("timedlock of a held lock", ost_mutex_timedlock(&m, &soon),
	      ETIMEDOUT);
	check("timedlock with a bad time", ost_mutex_timedlock(&m, &bad),
	      EINVAL);
	check("timedlock before time began", ost_mutex_timedlock(&m, &past),
	      ETIMEDOUT);
	check("unlock", ost_mutex_unlock(&m), 0);
	check("timedlock of a free lock", ost_mutex_timedlock(&m, &past), 0);
	check("unlock", ost_mutex_unlock(&m), 0);
	check("trylock", ost_mutex_trylock(&m), 0);
	check("unlock", ost_mutex_unlock(&m), 0);
	check("errno", errno, 0);
	for (i = 0; i < THREADS; i++)
		check("pthread_create", pthread_create(&t[i], 0, add, 0), 0);
	for (i = 0; i < THREADS; i++)
		check("pthread_join", pthread_join(t[i], 0), 0);
	check("counter", counter == (long)THREADS * TIMES, 1);
	return failed;
}
