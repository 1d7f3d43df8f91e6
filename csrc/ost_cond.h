/*
 * ost_cond.h - the condition variable that C and Go share
 *
 * ost_cond_t has the layout of the Go type shared.Cond: a pointer to either may
 * be used as a pointer to the other, by both languages at the same time. It is
 * POSIX's pthread_cond_t, for an ost_pmutex_t of any kind or an ost_mutex_t.
 *
 *	ost_pmutex_t m = OST_PMUTEX_INIT;
 *	ost_cond_t c = OST_COND_INIT;
 *
 *	ost_pmutex_lock(&m);			ost_pmutex_lock(&m);
 *	while (!ready)				ready = 1;
 *		ost_cond_wait(&c, &m);		ost_pmutex_unlock(&m);
 *	ost_pmutex_unlock(&m);			ost_cond_signal(&c);
 *
 * The words: seq, which waiters sleep on until it changes, and waiters, their
 * number.
 *
 *	wait		under the mutex: waiters + 1, read seq; unlock; sleep
 *			while seq is the same; waiters - 1; lock
 *	signal		nothing if there are no waiters; seq + 1, wake one
 *	broadcast	nothing if there are no waiters; seq + 1, wake all
 *
 * No lost wakeup. A waiter is counted before it unlocks, so a thread that has
 * locked the mutex since finds it, and the change of seq keeps it from falling
 * asleep. A wait has timed out only if the kernel says that its deadline has
 * passed, not a wakeup, and seq is the same; so a wakeup is never both used up
 * and reported as a timeout.
 *
 * A sleep ends with any wakeup, even if seq is what the waiter has read. The
 * kernel may give the wakeup of a signal to a waiter that came after its change
 * of seq, and if that slept on, nobody would be awake. So a wait may return
 * without a notification, as POSIX has it: test the predicate in a loop.
 *
 * A wait would miss notifications only if exactly 2^32 came while its thread
 * was not running.
 *
 * A thread or process that is killed while it waits stays counted, which costs
 * later signals a system call. One that is killed within signal, or woken by it
 * and before it returned: the waiters of a process-shared condition check seq
 * again within 100 ms. One that is killed between its change of the predicate
 * and its signal has not signaled: the caller that gets EOWNERDEAD from the
 * mutex calls broadcast.
 *
 * Memory order is the mutex's.
 */
#ifndef OST_COND_H
#define OST_COND_H

#include "ost_mutex.h"
#include "ost_pmutex.h"
#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	uint32_t seq;		/* these two are accessed only atomically */
	uint32_t waiters;
	uint32_t attr;
	uint32_t pad_;
} ost_cond_t;

#define OST_COND_MARK_	0x434f0000u
#define OST_COND_FLAGS_	OST_PSHARED
#define OST_COND_INIT	{ 0, 0, 0, 0 }

/*
 * ost_cond_init - make c a condition variable
 *
 * flags is 0 or OST_PSHARED. Memory of zeros is a condition variable, too, for
 * one process. The clock of a deadline is an argument of the wait, not an
 * attribute. Nobody may use c meanwhile. There is nothing to destroy: the
 * memory may be freed once all waits have returned.
 *
 * Returns 0, EINVAL for other flags, ENOTSUP if the system cannot share between
 * processes.
 */
static inline int ost_cond_init(ost_cond_t *c, unsigned flags)
{
	int err = ost_attr_init_(&c->attr, OST_COND_MARK_, flags,
				 OST_COND_FLAGS_);

	if (err)
		return err;
	ost_swap_(&c->seq, 0);
	ost_swap_(&c->waiters, 0);
	c->pad_ = 0;
	return 0;
}

/*
 * Sleeps once, for a slice at most. Returns 0 after a wakeup, EAGAIN after a
 * slice, ETIMEDOUT once the limit has ended. ost_wait_on_ does not distinguish
 * the first two.
 */
static inline int ost_cond_sleep_once_(ost_cond_t *c, uint32_t seq,
				       ost_limit_ *limit)
{
	struct timespec end;
	int64_t left = OST_SLICE_;

	if (!limit->slice)
		return ost_wait_on_(&c->seq, seq, limit);
	if (limit->at)
		left = ost_limit_left_(limit);
	if (!left)
		return ETIMEDOUT;
	end = ost_from_now_(left < OST_SLICE_ ? (long)left : OST_SLICE_);
	return ost_sleep_on_(&c->seq, seq, &end, limit->flags) ? EAGAIN : 0;
}

/* Sleeps until a notification. Returns 0, also spuriously, or ETIMEDOUT. */
static inline int ost_cond_sleep_(ost_cond_t *c, uint32_t seq,
				  ost_limit_ *limit)
{
	int err;

	do {
		err = ost_cond_sleep_once_(c, seq, limit);
		if (ost_load_(&c->seq) != seq)
			return 0;
	} while (err == EAGAIN);
	return err;
}

/* What a wait begins with. Returns 0 or EINVAL. */
static inline int ost_cond_begin_(ost_cond_t *c, clockid_t clock,
				  const struct timespec *deadline,
				  ost_limit_ *limit)
{
	unsigned flags;
	int err = ost_attr_(&c->attr, OST_COND_MARK_, OST_COND_FLAGS_, &flags);

	return err ? err : ost_limit_init_(limit, flags, clock, deadline);
}

/* Counts the caller, which has locked the mutex. Returns seq. */
static inline uint32_t ost_cond_enter_(ost_cond_t *c)
{
	__atomic_fetch_add(&c->waiters, 1, __ATOMIC_SEQ_CST);
	return ost_load_(&c->seq);
}

static inline void ost_cond_leave_(ost_cond_t *c)
{
	__atomic_fetch_sub(&c->waiters, 1, __ATOMIC_SEQ_CST);
}

/*
 * ost_cond_clockwait - unlock m, wait for a notification or deadline, lock m
 *
 * The caller has locked m, once. The deadline is as for ost_sem_clockwait. It
 * may return 0 without a notification. With OST_PSHARED m is process-shared,
 * too.
 *
 * Returns 0 or ETIMEDOUT with m locked; EOWNERDEAD with m locked, as
 * ost_pmutex_lock does; ENOTRECOVERABLE with m not locked. Returns EPERM
 * without a wait if the caller has not locked m, and EINVAL if c or m is
 * corrupted, if m is recursive and locked more than once, for another clock,
 * and for a tv_nsec that is not in 0 to 999999999; m is as it was then.
 */
static inline int ost_cond_clockwait(ost_cond_t *c, ost_pmutex_t *m,
				     clockid_t clock,
				     const struct timespec *deadline)
{
	ost_limit_ limit;
	uint32_t seq, depth;
	int err, locked;

	err = ost_cond_begin_(c, clock, deadline, &limit);
	if (err)
		return err;
	depth = __atomic_load_n(&m->depth, __ATOMIC_RELAXED);
	if ((ost_pm_attr_(m) & OST_PMUTEX_KIND_) == OST_MUTEX_RECURSIVE &&
	    depth & ~OST_PM_PINNED_)
		return ost_own_is_(ost_load64_(&m->owner), ost_self_()) ?
		       EINVAL : EPERM;
	seq = ost_cond_enter_(c);
	err = ost_pmutex_unlock(m);
	if (err) {
		ost_cond_leave_(c);
		return err;
	}
	err = ost_cond_sleep_(c, seq, &limit);
	ost_cond_leave_(c);
	locked = ost_pmutex_lock(m);
	/* Go has pinned the goroutine that called this function */
	if (depth & OST_PM_PINNED_ && (!locked || locked == EOWNERDEAD))
		__atomic_store_n(&m->depth, OST_PM_PINNED_, __ATOMIC_RELAXED);
	return locked ? locked : err;
}

/* ost_cond_timedwait - ost_cond_clockwait by CLOCK_MONOTONIC */
static inline int ost_cond_timedwait(ost_cond_t *c, ost_pmutex_t *m,
				     const struct timespec *deadline)
{
	return ost_cond_clockwait(c, m, CLOCK_MONOTONIC, deadline);
}

/* ost_cond_wait - ost_cond_clockwait without a deadline */
static inline int ost_cond_wait(ost_cond_t *c, ost_pmutex_t *m)
{
	return ost_cond_clockwait(c, m, CLOCK_MONOTONIC, 0);
}

/*
 * ost_cond_clockwait_plain - ost_cond_clockwait with an ost_mutex_t
 *
 * c is not process-shared, as m is not.
 *
 * Returns 0 or ETIMEDOUT with m locked; EPERM if m is not locked; EINVAL as
 * ost_cond_clockwait does, and if c is process-shared.
 */
static inline int ost_cond_clockwait_plain(ost_cond_t *c, ost_mutex_t *m,
					   clockid_t clock,
					   const struct timespec *deadline)
{
	ost_limit_ limit;
	uint32_t seq;
	int err;

	err = ost_cond_begin_(c, clock, deadline, &limit);
	if (err)
		return err;
	if (limit.flags & OST_PSHARED)
		return EINVAL;
	seq = ost_cond_enter_(c);
	err = ost_mutex_unlock(m);
	if (err) {
		ost_cond_leave_(c);
		return err;
	}
	err = ost_cond_sleep_(c, seq, &limit);
	ost_cond_leave_(c);
	ost_mutex_lock(m);
	return err;
}

/* ost_cond_timedwait_plain - ost_cond_clockwait_plain by CLOCK_MONOTONIC */
static inline int ost_cond_timedwait_plain(ost_cond_t *c, ost_mutex_t *m,
					   const struct timespec *deadline)
{
	return ost_cond_clockwait_plain(c, m, CLOCK_MONOTONIC, deadline);
}

/* ost_cond_wait_plain - ost_cond_clockwait_plain without a deadline */
static inline int ost_cond_wait_plain(ost_cond_t *c, ost_mutex_t *m)
{
	return ost_cond_clockwait_plain(c, m, CLOCK_MONOTONIC, 0);
}

/* Wakes n waiters. */
static inline int ost_cond_notify_(ost_cond_t *c, int n)
{
	unsigned flags;
	int err = ost_attr_(&c->attr, OST_COND_MARK_, OST_COND_FLAGS_, &flags);

	if (err || !ost_load_(&c->waiters))
		return err;
	__atomic_fetch_add(&c->seq, 1, __ATOMIC_SEQ_CST);
	ost_wake_on_(&c->seq, n, flags);
	return 0;
}

/*
 * ost_cond_signal - wake at least one of those that wait for c, if any does
 *
 * The caller need not have locked the mutex. It does not sleep: a signal
 * handler may call it, and a real-time thread, which makes one system call if
 * there are waiters.
 *
 * Returns 0, or EINVAL if c is corrupted.
 */
static inline int ost_cond_signal(ost_cond_t *c)
{
	return ost_cond_notify_(c, 1);
}

/* ost_cond_broadcast - wake all that wait for c; as ost_cond_signal */
static inline int ost_cond_broadcast(ost_cond_t *c)
{
	return ost_cond_notify_(c, OST_ALL_);
}

#ifdef __cplusplus
}
#endif

#endif
