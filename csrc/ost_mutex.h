/*
 * ost_mutex.h - the lock that C and Go share
 *
 * ost_mutex_t is one 32-bit futex word with the layout of the Go type
 * thread.Lock: a pointer to either may be used as a pointer to the other, by
 * both languages at the same time. Use it for data that C code and Go code
 * share.
 *
 *	ost_mutex_t m = OST_MUTEX_INIT;
 *
 *	ost_mutex_lock(&m);
 *	...
 *	ost_mutex_unlock(&m);
 *
 * See ost_os.h for the systems and compilers. A process may not share it with
 * another; ost_pmutex_t is the mutex with POSIX's attributes.
 *
 * Functions return 0 or a positive errno value; errno itself is never set.
 *
 * The word:
 *
 *	          lock                      lock, just before it sleeps
 *	FREE (0) ------> HELD (1) ---------------> CONTENDED (2)
 *	   ^                |                           |
 *	   +----------------+---------------------------+
 *	         unlock                unlock, wakes one waiter
 *
 * CONTENDED may be too pessimistic (the waiters may have left) but never too
 * optimistic: a waiter sets it before it sleeps, and a waiter that has slept
 * acquires the lock by setting it again, because others may still sleep. Only
 * unlock makes the word FREE, so the holder's unlock sees that there is a
 * waiter. (Go's unlock goes from CONTENDED to FREE through HELD.)
 *
 * A lock has no owner. Any thread, in C or in Go, may unlock it. A thread that
 * locks it twice blocks until another thread unlocks it. A thread that exits
 * while it holds the lock leaves it locked.
 */
#ifndef OST_MUTEX_H
#define OST_MUTEX_H

#include "ost_os.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	uint32_t word;	/* accessed only atomically */
} ost_mutex_t;

#define OST_MUTEX_INIT	{ 0 }

#define OST_FREE_	0u
#define OST_HELD_	1u
#define OST_CONTENDED_	2u
#define OST_SPINS_	100	/* spin limit, as in Rust's std */

static inline int ost_take_(uint32_t *word)
{
	uint32_t from = OST_FREE_;

	return __atomic_compare_exchange_n(word, &from, OST_HELD_, 0,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * The slow path of lock. After every return from a sleep it tries the lock once
 * more before it reports a timeout: the sleep may have consumed the only
 * wakeup, and leaving with it would leave the other waiters asleep.
 */
static inline int ost_lock_slow_(uint32_t *word,
				 const struct timespec *deadline)
{
	int i, err = 0;

	for (i = 0; i < OST_SPINS_ && ost_load_(word) == OST_HELD_; i++)
		ost_pause_();
	if (ost_take_(word))
		return 0;
	while (ost_swap_(word, OST_CONTENDED_) != OST_FREE_) {
		if (err)
			return err;
		err = ost_sleep_on_(word, OST_CONTENDED_, deadline, 0);
	}
	return 0;
}

/*
 * ost_mutex_lock - lock m, sleeping until it is free
 *
 * Returns 0. The previous holder's unlock happens before the return.
 */
static inline int ost_mutex_lock(ost_mutex_t *m)
{
	if (ost_take_(&m->word))
		return 0;
	return ost_lock_slow_(&m->word, 0);
}

/*
 * ost_mutex_trylock - lock m if it is free
 *
 * Returns 0, or EBUSY if it is locked.
 */
static inline int ost_mutex_trylock(ost_mutex_t *m)
{
	return ost_take_(&m->word) ? 0 : EBUSY;
}

/*
 * ost_mutex_timedlock - lock m, sleeping until it is free or deadline passes
 *
 * deadline is an absolute time on CLOCK_MONOTONIC, as for
 * pthread_mutex_clocklock. A free lock is locked even if the deadline has
 * passed.
 *
 * Returns 0, ETIMEDOUT, or EINVAL if tv_nsec is not in 0 to 999999999.
 */
static inline int ost_mutex_timedlock(ost_mutex_t *m,
				      const struct timespec *deadline)
{
	if (ost_take_(&m->word))
		return 0;
	if (deadline->tv_nsec < 0 || deadline->tv_nsec > 999999999)
		return EINVAL;
	if (deadline->tv_sec < 0)
		return ETIMEDOUT;
	return ost_lock_slow_(&m->word, deadline);
}

/*
 * ost_mutex_unlock - unlock m and wake one waiter
 *
 * Any thread may unlock. Once another thread can lock m, only the address of m
 * is used, not its memory, so the new holder may free it.
 *
 * Returns 0, or EPERM if m is not locked; m is then unchanged.
 */
static inline int ost_mutex_unlock(ost_mutex_t *m)
{
	switch (ost_swap_(&m->word, OST_FREE_)) {
	case OST_FREE_:
		return EPERM;
	case OST_CONTENDED_:
		ost_wake_on_(&m->word, 1, 0);
	}
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
