/*
 * audio.h - the C thread of the example: a source of blocks of samples
 *
 * It sleeps until each block is due, and otherwise calls only what a real-time
 * thread may: the writer's side of ost_ring.h, and clock_gettime.
 */
#ifndef AUDIO_H
#define AUDIO_H

#include "ost_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES		64
#define PERIOD_NS	1333333	/* 64 samples at 48 kHz */

struct block {
	uint64_t number;
	float sample[SAMPLES];
};

struct source {
	ost_ring_t *ring;
	size_t size;
	uint64_t blocks;	/* to make */
	pthread_t thread;
	uint64_t dropped;	/* the ring was full */
	int64_t longest;	/* ns for one block in the ring */
	int64_t latest;		/* ns after its time a block was begun */
	int not_fifo;		/* why the thread is not SCHED_FIFO, or 0 */
	int err;		/* of the ring, or 0 */
};

static int64_t ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ns(&t);
}

/* A triangle of 375 Hz. */
static void make(struct block *b, uint64_t number)
{
	int i;

	b->number = number;
	for (i = 0; i < SAMPLES; i++)
		b->sample[i] = (float)(i < 32 ? i : 64 - i) / 32;
}

static void *source_main(void *arg)
{
	struct source *s = (struct source *)arg;
	ost_ring_writer_t w;
	struct timespec due;
	uint64_t i;
	int64_t began, took;
	void *p;
	int err = ost_ring_writer(&w, s->ring, s->size);

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (i = 1; !err && i <= s->blocks; i++) {
		due.tv_nsec += PERIOD_NS;
		if (due.tv_nsec > 999999999) {
			due.tv_sec++;
			due.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, 0);
		began = now();
		if (began - ns(&due) > s->latest)
			s->latest = began - ns(&due);
		err = ost_ring_reserve(&w, sizeof(struct block), &p);
		if (err == EAGAIN) {
			s->dropped++;
			err = 0;
			continue;
		}
		if (!err) {
			make((struct block *)p, i);
			err = ost_ring_commit(&w);
		}
		took = now() - began;
		if (took > s->longest)
			s->longest = took;
	}
	s->err = err;
	ost_ring_writer_close(&w);
	return 0;
}

static int source_start(struct source *s)
{
	struct sched_param param = { .sched_priority = 20 };
	int err = pthread_create(&s->thread, 0, source_main, s);

	if (!err)
		s->not_fifo = pthread_setschedparam(s->thread, SCHED_FIFO,
						    &param);
	return err;
}

static void source_join(struct source *s)
{
	pthread_join(s->thread, 0);
}

#endif
