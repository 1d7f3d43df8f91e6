//go:build cgo && !windows

package contender

/*
#cgo CFLAGS: -O2 -D_GNU_SOURCE
#cgo LDFLAGS: -lpthread
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

// The peer of scenario.Work.
__attribute__((noinline)) static uint64_t work(uint64_t x, long n)
{
	long i;

	for (i = 0; i < n; i++)
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return x;
}

struct section {
	pthread_mutex_t *lock, *gate;
	long n, work;
	uint64_t x;
};

static void sections(struct section *s)
{
	long i;

	if (s->work == 0) {
		for (i = 0; i < s->n; i++) {
			pthread_mutex_lock(s->lock);
			pthread_mutex_unlock(s->lock);
		}
		return;
	}
	for (i = 0; i < s->n; i++) {
		pthread_mutex_lock(s->lock);
		s->x = work(s->x, s->work);
		pthread_mutex_unlock(s->lock);
	}
}

static void *section_thread(void *p)
{
	struct section *s = p;

	pthread_mutex_lock(s->gate);
	pthread_mutex_unlock(s->gate);
	sections(s);
	return NULL;
}

// ns for n sections on that many threads; less than 0 is a negative errno.
static double run_lock(int threads, long n, long work)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_t *t = calloc(threads, sizeof(*t));
	struct section *s = calloc(threads, sizeof(*s));
	double began;
	int i, made, err = 0;

	for (i = 0; i < threads; i++)
		s[i] = (struct section){ &lock, &gate, n / threads + (i < n % threads), work, 0 };
	if (threads == 1) {
		began = now();
		sections(&s[0]);
		began = now() - began;
		free(t);
		free(s);
		return began;
	}
	pthread_mutex_lock(&gate);
	for (made = 0; made < threads; made++) {
		err = pthread_create(&t[made], NULL, section_thread, &s[made]);
		if (err)
			break;
	}
	began = now();
	pthread_mutex_unlock(&gate);
	for (i = 0; i < made; i++)
		pthread_join(t[i], NULL);
	began = now() - began;
	free(t);
	free(s);
	return err ? -err : began;
}

struct turns {
	sem_t ping, pong;
	long n;
};

static void *turn_thread(void *p)
{
	struct turns *t = p;
	long i;

	for (i = 0; i < t->n; i++) {
		while (sem_wait(&t->ping))
			;
		sem_post(&t->pong);
	}
	return NULL;
}

// Semaphores are how POSIX hands a token from thread to thread.
static double run_handoff(long n)
{
	struct turns *t = calloc(1, sizeof(*t));
	pthread_t other;
	double began;
	long i;
	int err;

	t->n = (n + 1) / 2;
	sem_init(&t->ping, 0, 0);
	sem_init(&t->pong, 0, 0);
	err = pthread_create(&other, NULL, turn_thread, t);
	if (err) {
		free(t);
		return -err;
	}
	began = now();
	for (i = 0; i < t->n; i++) {
		sem_post(&t->ping);
		while (sem_wait(&t->pong))
			;
	}
	began = now() - began;
	pthread_join(other, NULL);
	sem_destroy(&t->ping);
	sem_destroy(&t->pong);
	free(t);
	return began;
}

static void *empty(void *p)
{
	return p;
}

static double run_start_join(long n, size_t stack)
{
	pthread_attr_t a;
	pthread_t t;
	double began;
	long i;
	int err = 0;

	pthread_attr_init(&a);
	if (stack)
		err = pthread_attr_setstacksize(&a, stack);
	began = now();
	for (i = 0; i < n && !err; i++) {
		err = pthread_create(&t, &a, empty, NULL);
		if (!err)
			pthread_join(t, NULL);
	}
	began = now() - began;
	pthread_attr_destroy(&a);
	return err ? -err : began;
}
*/
import "C"

import (
	"syscall"
	"time"

	"example.com/thread/bench/internal/scenario"
)

// pthread is the C library's own, in C.
var pthread = Contender{Name: "pthread, C", Run: func(s scenario.Spec, n int) (time.Duration, error) {
	var ns C.double
	switch s.Kind {
	case scenario.Lock:
		ns = C.run_lock(C.int(s.Threads), C.long(n), C.long(s.Work))
	case scenario.Handoff:
		ns = C.run_handoff(C.long(n))
	case scenario.StartJoin:
		ns = C.run_start_join(C.long(n), C.size_t(s.Stack))
	default:
		return 0, unknown(s)
	}
	if ns < 0 {
		return 0, syscall.Errno(-ns)
	}
	return time.Duration(ns), nil
}}
