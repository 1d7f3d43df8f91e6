/*
 * ost_event.h - the event that C and Go share, of manual or automatic reset
 *
 * ost_event_t has the layout of the Go type shared.Event: a pointer to either
 * may be used as a pointer to the other, by both languages at the same time.
 * The two kinds are those of Windows' CreateEvent; POSIX has none.
 *
 *	ost_event_t e = OST_EVENT_INIT;
 *
 *	ost_event_wait(&e);	... in another thread	ost_event_set(&e);
 *
 * # Manual reset
 *
 * Once set the event lets all through until it is cleared.
 *
 *	31              2       1        0
 *	+---------------+---------+-----+
 *	|     epoch     | WAITERS | SET |
 *	+---------------+---------+-----+
 *
 *	set	SET, epoch + 1, no WAITERS; wakes all if there were WAITERS
 *	clear	no SET
 *	wait	WAITERS while there is no SET; sleeps while the word is the same
 *
 * Only set changes a word that has WAITERS and no SET, and it changes the
 * epoch: so a waiter that slept was let through when the word differs, even if
 * a clear came right after. That would fail only after exactly 2^30 sets and
 * clears between two looks of one waiter.
 *
 * # Automatic reset
 *
 * A set lets one wait through, which clears the event. It is a lock seen from
 * the other side (ost_mutex.h): set is its unlock, wait its lock.
 *
 *	     wait                      wait, just before it sleeps
 *	SET (1) ------> UNSET (0) ---------------> WAITED (2)
 *	   ^                |                           |
 *	   +----------------+---------------------------+
 *	          set                 set, wakes one waiter
 *
 * A wait that has slept clears the event by WAITED, not by UNSET, because
 * others may sleep still. WAITED may be too pessimistic, never too optimistic.
 * clear takes back a set whose waiter has been woken and has not run yet, which
 * then sleeps on. A set of an event that is set adds nothing: use a semaphore
 * to count.
 *
 * # Both
 *
 * A thread or process that is killed while it waits leaves WAITERS or WAITED,
 * which costs the next set a system call. One that is killed within set before
 * its wakeup, or woken and before it cleared an automatic event: a waiter of a
 * process-shared event checks the word again within 100 ms.
 *
 * Every word is valid for a manual event. A word of an automatic one that is
 * above 2, or the mark of another kind of object, is memory that was corrupted:
 * EINVAL.
 *
 * Memory order: set happens before the return of a wait that it lets through.
 */
#ifndef OST_EVENT_H
#define OST_EVENT_H

#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	uint32_t state;	/* accessed only atomically */
	uint32_t attr;
} ost_event_t;

#define OST_EVENT_AUTO		0x0100u	/* a flag of init: automatic reset */
#define OST_EVENT_MARK_		0x45560000u
#define OST_EVENT_FLAGS_	(OST_PSHARED | OST_EVENT_AUTO)
#define OST_EVENT_INIT		{ 0, 0 }
#define OST_EVENT_AUTO_INIT	{ 0, OST_EVENT_MARK_ | OST_EVENT_AUTO }

/* manual reset */
#define OST_EVENT_SET_		1u
#define OST_EVENT_WAITERS_	2u
#define OST_EVENT_EPOCH_	4u

/* automatic reset; SET is the same */
#define OST_EVENT_UNSET_	0u
#define OST_EVENT_WAITED_	2u

/*
 * ost_event_init - make e an event that is not set
 *
 * flags is the sum of OST_EVENT_AUTO, for automatic reset, and OST_PSHARED, or
 * 0. Memory of zeros is an event of manual reset, for one process. Nobody may
 * use e meanwhile. There is nothing to destroy.
 *
 * Returns 0, EINVAL for other flags, ENOTSUP if the system cannot share between
 * processes.
 */
static inline int ost_event_init(ost_event_t *e, unsigned flags)
{
	int err = ost_attr_init_(&e->attr, OST_EVENT_MARK_, flags,
				 OST_EVENT_FLAGS_);

	if (!err)
		ost_swap_(&e->state, 0);
	return err;
}

/*
 * ost_event_set - set e and wake those it lets through
 *
 * It does not sleep: a signal handler may call it, and a real-time thread,
 * which makes one system call if there are waiters. Once e is set only its
 * address is used, not its memory.
 *
 * Returns 0, or EINVAL if e is corrupted.
 */
static inline int ost_event_set(ost_event_t *e)
{
	unsigned flags, failures = 0;
	uint32_t s, to, *word = &e->state;
	int err = ost_attr_(&e->attr, OST_EVENT_MARK_, OST_EVENT_FLAGS_,
			    &flags);

	if (err)
		return err;
	if (flags & OST_EVENT_AUTO) {
		s = ost_swap_(word, OST_EVENT_SET_);
		if (s != OST_EVENT_SET_ && s != OST_EVENT_UNSET_)
			ost_wake_on_(word, 1, flags);
		return s > OST_EVENT_WAITED_ ? EINVAL : 0;
	}
	s = ost_load_(word);
	for (;;) {
		if (s & OST_EVENT_SET_)
			return 0;
		to = (s & ~OST_EVENT_WAITERS_) + OST_EVENT_EPOCH_ +
		     OST_EVENT_SET_;
		if (ost_cas_(word, &s, to))
			break;
		ost_backoff_(&failures, 0);
	}
	if (s & OST_EVENT_WAITERS_)
		ost_wake_on_(word, OST_ALL_, flags);
	return 0;
}

/*
 * ost_event_clear - make e not set
 *
 * It does not sleep: a signal handler and a real-time thread may call it.
 *
 * Returns 0, or EINVAL if e is corrupted.
 */
static inline int ost_event_clear(ost_event_t *e)
{
	unsigned flags, failures = 0;
	uint32_t s;
	int err = ost_attr_(&e->attr, OST_EVENT_MARK_, OST_EVENT_FLAGS_,
			    &flags);

	if (err)
		return err;
	s = ost_load_(&e->state);
	for (;;) {
		if (flags & OST_EVENT_AUTO && s > OST_EVENT_WAITED_)
			return EINVAL;
		if (!(s & OST_EVENT_SET_) ||
		    ost_cas_(&e->state, &s, s & ~OST_EVENT_SET_))
			return 0;
		ost_backoff_(&failures, 0);
	}
}

/*
 * ost_event_is_set - store whether e is set, 0 or 1, to set
 *
 * It may have changed by the time it is used.
 *
 * Returns 0, or EINVAL if e is corrupted.
 */
static inline int ost_event_is_set(ost_event_t *e, int *set)
{
	unsigned flags;
	int err = ost_attr_(&e->attr, OST_EVENT_MARK_, OST_EVENT_FLAGS_,
			    &flags);
	uint32_t s;

	if (err)
		return err;
	s = ost_load_(&e->state);
	if (flags & OST_EVENT_AUTO && s > OST_EVENT_WAITED_)
		return EINVAL;
	*set = (int)(s & OST_EVENT_SET_);
	return 0;
}

/* Passes an event that is set. Returns 0, EAGAIN if it is not, or EINVAL. */
static inline int ost_event_pass_(ost_event_t *e, unsigned flags)
{
	uint32_t s = OST_EVENT_SET_;

	if (!(flags & OST_EVENT_AUTO))
		return ost_load_(&e->state) & OST_EVENT_SET_ ? 0 : EAGAIN;
	if (ost_cas_(&e->state, &s, OST_EVENT_UNSET_))
		return 0;
	return s > OST_EVENT_WAITED_ ? EINVAL : EAGAIN;
}

static inline int ost_event_sleep_auto_(ost_event_t *e,
					ost_limit_ *limit)
{
	int late = 0;
	uint32_t s;

	for (;;) {
		s = ost_load_(&e->state);
		if (s > OST_EVENT_WAITED_)
			return EINVAL;
		s = ost_swap_(&e->state, OST_EVENT_WAITED_);
		if (s == OST_EVENT_SET_)
			return 0;
		if (late)
			return ETIMEDOUT;
		late = ost_wait_on_(&e->state, OST_EVENT_WAITED_, limit);
	}
}

static inline int ost_event_sleep_manual_(ost_event_t *e,
					  ost_limit_ *limit)
{
	unsigned failures = 0;
	uint32_t s = ost_load_(&e->state);

	for (;;) {
		if (s & OST_EVENT_SET_)
			return 0;
		if (s & OST_EVENT_WAITERS_)
			break;
		if (ost_cas_(&e->state, &s, s | OST_EVENT_WAITERS_)) {
			s |= OST_EVENT_WAITERS_;
			break;
		}
		if (ost_backoff_(&failures, limit))
			return ETIMEDOUT;
	}
	do {
		if (ost_wait_on_(&e->state, s, limit))
			return ost_load_(&e->state) == s ? ETIMEDOUT : 0;
	} while (ost_load_(&e->state) == s);
	return 0;
}

/*
 * ost_event_trywait - pass e if it is set, which clears an automatic one
 *
 * Returns 0, EAGAIN if e is not set, EINVAL if it is corrupted. It does not
 * sleep: a real-time thread and a signal handler may call it.
 */
static inline int ost_event_trywait(ost_event_t *e)
{
	unsigned flags;
	int err = ost_attr_(&e->attr, OST_EVENT_MARK_, OST_EVENT_FLAGS_,
			    &flags);

	return err ? err : ost_event_pass_(e, flags);
}

/*
 * ost_event_clockwait - pass e, sleeping until it is set or deadline passes
 *
 * The deadline is as for ost_sem_clockwait.
 *
 * Returns 0, ETIMEDOUT, or EINVAL if e is corrupted or, when e is not set, for
 * another clock and for a tv_nsec that is not in 0 to 999999999.
 */
static inline int ost_event_clockwait(ost_event_t *e, clockid_t clock,
				      const struct timespec *deadline)
{
	ost_limit_ limit;
	unsigned flags;
	int i, err = ost_attr_(&e->attr, OST_EVENT_MARK_, OST_EVENT_FLAGS_,
			       &flags);

	if (err)
		return err;
	err = ost_event_pass_(e, flags);
	if (err != EAGAIN)
		return err;
	err = ost_limit_init_(&limit, flags, clock, deadline);
	if (err)
		return err;
	for (i = 0; i < OST_POLLS_; i++) {
		if (ost_load_(&e->state) & OST_EVENT_SET_)
			break;
		ost_pause_();
	}
	return flags & OST_EVENT_AUTO ?
	       ost_event_sleep_auto_(e, &limit) :
	       ost_event_sleep_manual_(e, &limit);
}

/* ost_event_timedwait - ost_event_clockwait by CLOCK_MONOTONIC */
static inline int ost_event_timedwait(ost_event_t *e,
				      const struct timespec *deadline)
{
	return ost_event_clockwait(e, CLOCK_MONOTONIC, deadline);
}

/* ost_event_wait - ost_event_clockwait without a deadline */
static inline int ost_event_wait(ost_event_t *e)
{
	return ost_event_clockwait(e, CLOCK_MONOTONIC, 0);
}

#ifdef __cplusplus
}
#endif

#endif
