/*
 * ost_sem.h - the counting semaphore that C and Go share
 *
 * ost_sem_t has the layout of the Go type shared.Semaphore: a pointer to either
 * may be used as a pointer to the other, by both languages at the same time.
 * It is POSIX's sem_t (semaphore.h) without names.
 *
 *	ost_sem_t s = OST_SEM_INIT(3);
 *
 *	ost_sem_wait(&s);
 *	...
 *	ost_sem_post(&s);
 *
 * The word of 64 bits:
 *
 *	63          32 31           0
 *	+-------------+-------------+
 *	|   waiters   |    value    |	waiters sleep on the value, while it is 0
 *	+-------------+-------------+
 *
 *	post	value + 1; if there are waiters, wakes one
 *	wait	value - 1; if it is 0: waiters + 1, sleep, and then in one step
 *		value - 1 and waiters - 1, or after the deadline waiters - 1
 *
 * No lost wakeup: a waiter counts itself before it reads the value, and one
 * compare-and-swap of post both adds to the value and reads the waiters. So a
 * post that finds no waiter is seen by the waiter that comes. A waiter that has
 * slept tries once more before it reports a timeout. With two words there would
 * be a post that reads the waiters after the thread which it has let through
 * has freed the semaphore (glibc bug 12674); here post's last access is the one
 * that lets it through, and the wakeup uses the address alone.
 *
 * A thread or process that is killed:
 *   - while it waits: it stays counted, which costs each later post a system
 *     call that wakes nobody;
 *   - between post's addition and its wakeup, or once it was woken and before
 *     it took the unit: a waiter of a process-shared semaphore checks the
 *     value again within 100 ms;
 *   - while it has units: they are gone. A semaphore has no owner that could be
 *     seen to be dead.
 *
 * A value above OST_SEM_MAX, or the mark of another kind of object, is memory
 * that was corrupted: EINVAL.
 *
 * Memory order: post happens before the return of the wait that takes its unit.
 */
#ifndef OST_SEM_H
#define OST_SEM_H

#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	OST_ALIGNED_8_ uint64_t word;	/* accessed only atomically */
	uint32_t attr;
	uint32_t pad_;
} ost_sem_t;

#define OST_SEM_MAX	0x7fffffffu
#define OST_SEM_MARK_	0x53450000u
#define OST_SEM_FLAGS_	OST_PSHARED
#define OST_SEM_INIT(n)	{ (n), 0, 0 }

#define OST_SEM_WAITER_	((uint64_t)1 << 32)

/*
 * ost_sem_init - make s a semaphore of that value
 *
 * flags is 0 or OST_PSHARED. Memory of zeros is a semaphore, too, of value 0
 * and for one process. Nobody may use s meanwhile. There is nothing to destroy:
 * the memory may be freed once nobody waits on s.
 *
 * Returns 0, EINVAL if value is above OST_SEM_MAX or for other flags, ENOTSUP
 * if the system cannot share between processes.
 */
static inline int ost_sem_init(ost_sem_t *s, unsigned value, unsigned flags)
{
	int err = ost_attr_init_(&s->attr, OST_SEM_MARK_, flags,
				 OST_SEM_FLAGS_);

	if (value > OST_SEM_MAX)
		return EINVAL;
	if (err)
		return err;
	s->pad_ = 0;
	__atomic_store_n(&s->word, (uint64_t)value, __ATOMIC_SEQ_CST);
	return 0;
}

static inline uint32_t *ost_sem_value_(ost_sem_t *s)
{
	return ost_half_(&s->word, 0);
}

/*
 * Takes one unit, and with it the count of a waiter that leaves, if there is
 * one. Returns 0, EAGAIN if there is none, EINVAL for a corrupted value,
 * or ETIMEDOUT once limit, which may be null, has ended under contention.
 */
static inline int ost_sem_take_(ost_sem_t *s, uint64_t waiter,
				const ost_limit_ *limit)
{
	uint64_t d = ost_load64_(&s->word);
	unsigned failures = 0;

	for (;;) {
		if ((uint32_t)d > OST_SEM_MAX)
			return EINVAL;
		if (!(uint32_t)d)
			return EAGAIN;
		if (ost_cas64_(&s->word, &d, d - 1 - waiter))
			return 0;
		if (ost_backoff_(&failures, limit))
			return ETIMEDOUT;
	}
}

static inline int ost_sem_sleep_(ost_sem_t *s, ost_limit_ *limit)
{
	int err, late = 0;

	__atomic_fetch_add(&s->word, OST_SEM_WAITER_, __ATOMIC_SEQ_CST);
	for (;;) {
		err = ost_sem_take_(s, OST_SEM_WAITER_, limit);
		if (!err)
			return 0;
		if (err == EAGAIN && late)
			err = ETIMEDOUT;
		if (err != EAGAIN)
			break;
		late = ost_wait_on_(ost_sem_value_(s), 0, limit);
	}
	__atomic_fetch_sub(&s->word, OST_SEM_WAITER_, __ATOMIC_SEQ_CST);
	return err;
}

/*
 * ost_sem_trywait - take one unit if there is one
 *
 * Returns 0, EAGAIN if the value is 0, EINVAL if s is corrupted. It does not
 * sleep: a real-time thread and a signal handler may call it.
 */
static inline int ost_sem_trywait(ost_sem_t *s)
{
	unsigned flags;
	int err = ost_attr_(&s->attr, OST_SEM_MARK_, OST_SEM_FLAGS_, &flags);

	return err ? err : ost_sem_take_(s, 0, 0);
}

/*
 * ost_sem_clockwait - take one unit, sleeping until there is one or deadline
 * passes
 *
 * deadline is an absolute time of clock: CLOCK_MONOTONIC, CLOCK_REALTIME or,
 * where there is one, CLOCK_BOOTTIME. A null deadline never passes. A unit that
 * is there is taken even if the deadline has passed.
 *
 * Returns 0, ETIMEDOUT, or EINVAL if s is corrupted or, when there is no unit,
 * for another clock and for a tv_nsec that is not in 0 to 999999999.
 */
static inline int ost_sem_clockwait(ost_sem_t *s, clockid_t clock,
				    const struct timespec *deadline)
{
	ost_limit_ limit;
	unsigned flags;
	int i, err = ost_attr_(&s->attr, OST_SEM_MARK_, OST_SEM_FLAGS_, &flags);

	if (err)
		return err;
	err = ost_sem_take_(s, 0, 0);
	if (err != EAGAIN)
		return err;
	err = ost_limit_init_(&limit, flags, clock, deadline);
	if (err)
		return err;
	for (i = 0; i < OST_POLLS_; i++) {
		if ((uint32_t)ost_load64_(&s->word))
			break;
		ost_pause_();
	}
	return ost_sem_sleep_(s, &limit);
}

/* ost_sem_timedwait - ost_sem_clockwait by CLOCK_MONOTONIC */
static inline int ost_sem_timedwait(ost_sem_t *s,
				    const struct timespec *deadline)
{
	return ost_sem_clockwait(s, CLOCK_MONOTONIC, deadline);
}

/* ost_sem_wait - ost_sem_clockwait without a deadline */
static inline int ost_sem_wait(ost_sem_t *s)
{
	return ost_sem_clockwait(s, CLOCK_MONOTONIC, 0);
}

/*
 * ost_sem_post - add one unit and wake a waiter
 *
 * It does not sleep: a signal handler may call it, and a real-time thread,
 * which makes one system call if there are waiters. Once it has added the unit
 * it uses only the address of s, not its memory.
 *
 * Returns 0, EOVERFLOW if the value is OST_SEM_MAX, EINVAL if s is corrupted.
 */
static inline int ost_sem_post(ost_sem_t *s)
{
	uint64_t d = ost_load64_(&s->word);
	unsigned flags, failures = 0;
	uint32_t *value = ost_sem_value_(s);
	int err = ost_attr_(&s->attr, OST_SEM_MARK_, OST_SEM_FLAGS_, &flags);

	if (err)
		return err;
	for (;;) {
		if ((uint32_t)d > OST_SEM_MAX)
			return EINVAL;
		if ((uint32_t)d == OST_SEM_MAX)
			return EOVERFLOW;
		if (ost_cas64_(&s->word, &d, d + 1))
			break;
		ost_backoff_(&failures, 0);
	}
	if (d >> 32)
		ost_wake_on_(value, 1, flags);
	return 0;
}

/*
 * ost_sem_getvalue - store the value of s, at least 0, to value
 *
 * It may have changed by the time it is used.
 *
 * Returns 0, or EINVAL if s is corrupted.
 */
static inline int ost_sem_getvalue(ost_sem_t *s, unsigned *value)
{
	uint64_t d = ost_load64_(&s->word);
	unsigned flags;
	int err = ost_attr_(&s->attr, OST_SEM_MARK_, OST_SEM_FLAGS_, &flags);

	if (err)
		return err;
	if ((uint32_t)d > OST_SEM_MAX)
		return EINVAL;
	*value = (unsigned)(uint32_t)d;
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
