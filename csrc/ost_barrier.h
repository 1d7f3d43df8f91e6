/*
 * ost_barrier.h - the barrier that C and Go share
 *
 * ost_barrier_t has the layout of the Go type shared.Barrier: a pointer to
 * either may be used as a pointer to the other, by both languages at the same
 * time. It is POSIX's pthread_barrier_t, with deadlines.
 *
 *	ost_barrier_t b;
 *
 *	ost_barrier_init(&b, 3, 0);
 *	...
 *	ost_barrier_wait(&b);	... in each of three threads, again and again
 *
 * The word of 64 bits:
 *
 *	63          32 31           0
 *	+-------------+-------------+	parties sleep on the generation, until it
 *	| generation  |   arrived   |	changes
 *	+-------------+-------------+
 *
 *	wait, not the last	arrived + 1, sleep
 *	wait, the last		generation + 1 and arrived 0, wakes all
 *	after the deadline	arrived - 1, unless the generation has changed
 *
 * Each change is one compare-and-swap of both halves. So a party that is fast
 * and comes again counts for the next generation, even if another has not yet
 * looked, and a party whose deadline has passed either takes itself back or was
 * let through. A party would miss its generation only if it did not run while
 * exactly 2^32 others passed.
 *
 * A party that is killed after it has arrived counts for that generation, and
 * the others pass without it; killed before, the others wait: use a deadline. A
 * last party that is killed before its wakeup: the parties of a process-shared
 * barrier check again within 100 ms.
 *
 * Memory that was corrupted is EINVAL: no parties, as many arrived as
 * there are parties or more, the mark of another kind of object.
 *
 * Memory order: what each party does before its wait happens before the return
 * of the wait of every other party of that generation.
 */
#ifndef OST_BARRIER_H
#define OST_BARRIER_H

#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	OST_ALIGNED_8_ uint64_t word;	/* accessed only atomically */
	uint32_t parties;
	uint32_t attr;
} ost_barrier_t;

#define OST_BARRIER_SERIAL	(-1)	/* as PTHREAD_BARRIER_SERIAL_THREAD */
#define OST_BARRIER_MAX		0x7fffffffu
#define OST_BARRIER_MARK_	0x42410000u
#define OST_BARRIER_FLAGS_	OST_PSHARED
#define OST_BARRIER_INIT(n)	{ 0, (n), 0 }

/*
 * ost_barrier_init - make b a barrier for that many parties
 *
 * flags is 0 or OST_PSHARED. Memory of zeros is no barrier: it has no parties.
 * Nobody may use b meanwhile. There is nothing to destroy: the memory may be
 * freed once all waits have returned, and not already when one has.
 *
 * Returns 0, EINVAL if parties is 0 or above OST_BARRIER_MAX or for other
 * flags, ENOTSUP if the system cannot share between processes.
 */
static inline int ost_barrier_init(ost_barrier_t *b, unsigned parties,
				   unsigned flags)
{
	int err;

	if (!parties || parties > OST_BARRIER_MAX)
		return EINVAL;
	err = ost_attr_init_(&b->attr, OST_BARRIER_MARK_, flags,
			     OST_BARRIER_FLAGS_);
	if (err)
		return err;
	ost_swap_(&b->parties, parties);
	__atomic_store_n(&b->word, 0, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * Counts the caller. Returns 0 and the generation to wait for the end of,
 * OST_BARRIER_SERIAL for the last, or EINVAL.
 */
static inline int ost_barrier_arrive_(ost_barrier_t *b, unsigned flags,
				      uint32_t *generation)
{
	uint32_t parties = ost_load_(&b->parties);
	uint32_t *half = ost_half_(&b->word, 1);
	uint64_t d = ost_load64_(&b->word), to;
	unsigned failures = 0;
	int last;

	for (;;) {
		if ((uint32_t)d >= parties || parties > OST_BARRIER_MAX)
			return EINVAL;
		*generation = (uint32_t)(d >> 32);
		last = (uint32_t)d + 1 == parties;
		to = last ? (uint64_t)(*generation + 1) << 32 : d + 1;
		if (ost_cas64_(&b->word, &d, to))
			break;
		ost_backoff_(&failures, 0);
	}
	if (!last)
		return 0;
	if (parties > 1)
		ost_wake_on_(half, OST_ALL_, flags);
	return OST_BARRIER_SERIAL;
}

/* Takes a party back. Returns ETIMEDOUT, 0 if it was let through, or EINVAL. */
static inline int ost_barrier_leave_(ost_barrier_t *b, uint32_t generation)
{
	uint64_t d = ost_load64_(&b->word);
	unsigned failures = 0;

	for (;;) {
		if ((uint32_t)(d >> 32) != generation)
			return 0;
		if (!(uint32_t)d)
			return EINVAL;
		if (ost_cas64_(&b->word, &d, d - 1))
			return ETIMEDOUT;
		ost_backoff_(&failures, 0);
	}
}

/*
 * ost_barrier_clockwait - wait until all parties do, or deadline passes
 *
 * The deadline is as for ost_sem_clockwait. The last party passes even if its
 * deadline has passed. A party whose deadline passes is as if it had not come.
 *
 * Returns OST_BARRIER_SERIAL to the last party and 0 to the others, ETIMEDOUT,
 * or EINVAL if b is corrupted, for another clock, and for a tv_nsec that is not
 * in 0 to 999999999.
 */
static inline int ost_barrier_clockwait(ost_barrier_t *b, clockid_t clock,
					const struct timespec *deadline)
{
	ost_limit_ limit;
	unsigned flags;
	uint32_t generation, *half = ost_half_(&b->word, 1);
	int err = ost_attr_(&b->attr, OST_BARRIER_MARK_, OST_BARRIER_FLAGS_,
			    &flags);

	if (err)
		return err;
	err = ost_limit_init_(&limit, flags, clock, deadline);
	if (err)
		return err;
	err = ost_barrier_arrive_(b, flags, &generation);
	if (err)
		return err;
	while (ost_load_(half) == generation)
		if (ost_wait_on_(half, generation, &limit))
			return ost_barrier_leave_(b, generation);
	return 0;
}

/* ost_barrier_timedwait - ost_barrier_clockwait by CLOCK_MONOTONIC */
static inline int ost_barrier_timedwait(ost_barrier_t *b,
					const struct timespec *deadline)
{
	return ost_barrier_clockwait(b, CLOCK_MONOTONIC, deadline);
}

/* ost_barrier_wait - ost_barrier_clockwait without a deadline */
static inline int ost_barrier_wait(ost_barrier_t *b)
{
	return ost_barrier_clockwait(b, CLOCK_MONOTONIC, 0);
}

#ifdef __cplusplus
}
#endif

#endif
