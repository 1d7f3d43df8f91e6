//go:build cgo && !windows

#include "ticker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct ticker {
	ticker_fn fn;
	uintptr_t user;
	int ticks, threads;
	pthread_t ids[];
};

static void *run(void *p)
{
	struct ticker *t = p;
	int n;

	for (n = 0; n < t->ticks; n++)
		t->fn(t->user, n);
	return NULL;
}

struct ticker *ticker_start(int threads, int ticks, ticker_fn fn, uintptr_t user)
{
	struct ticker *t = malloc(sizeof(*t) + threads * sizeof(t->ids[0]));
	int err;

	if (!t)
		return NULL;
	t->fn = fn;
	t->user = user;
	t->ticks = ticks;
	for (t->threads = 0; t->threads < threads; t->threads++) {
		err = pthread_create(&t->ids[t->threads], NULL, run, t);
		if (err) {
			ticker_stop(t);
			errno = err;
			return NULL;
		}
	}
	return t;
}

void ticker_stop(struct ticker *t)
{
	int i;

	for (i = 0; i < t->threads; i++)
		pthread_join(t->ids[i], NULL);
	free(t);
}
