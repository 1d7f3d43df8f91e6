/*
 * ost_rwlock.h - the read-write lock that C and Go share
 *
 * ost_rwlock_t has the layout of the Go type shared.RWMutex: a pointer to
 * either may be used as a pointer to the other, by both languages at the same
 * time. It is POSIX's pthread_rwlock_t, with a robust writer.
 *
 *	ost_rwlock_t rw = OST_RWLOCK_INIT;
 *
 *	ost_rwlock_rdlock(&rw);			ost_rwlock_wrlock(&rw);
 *	...					...
 *	ost_rwlock_rdunlock(&rw);		ost_rwlock_wrunlock(&rw);
 *
 * The words:
 *
 *	writer	the writer that holds the lock or waits for the readers to
 *		leave: a mutex with an owner (ost_owner.h)
 *	state	WRITER, bit 31: no new readers; below it the number of readers.
 *		The writer sleeps here until there are none
 *	gate	bit 0: there may be readers asleep; above it an epoch, which
 *		readers sleep on until it changes
 *
 *	wrlock		locks writer, sets WRITER, waits for readers to be 0
 *	wrunlock	clears WRITER, opens the gate, unlocks writer
 *	rdlock		readers + 1, if there is no WRITER; else marks the gate,
 *			checks WRITER again and sleeps
 *	rdunlock	readers - 1; wakes the writer if it was the last
 *
 * Writers are preferred: while one waits no new reader gets in, so a thread
 * must not lock for reading twice. Readers that wait race with the next writer
 * after a wrunlock: a steady stream of writers can keep them out.
 *
 * No lost wakeup. A reader marks the gate before it checks WRITER, and
 * wrunlock clears WRITER before it reads the mark: so one of them sees the
 * other. Each reader that leaves changes the word that the writer sleeps on.
 *
 * With OST_ROBUST, a writer that dies while it holds the lock, or waits for
 * readers, gives the next writer EOWNERDEAD with the lock; what that may do is
 * as for a robust mutex: ost_rwlock_consistent, or unlock, after which the lock
 * is not recoverable. Readers get EOWNERDEAD without the lock until a writer
 * has made it consistent, since they could not repair anything.
 *
 * A reader that dies stays counted, and writers wait for ever, or until their
 * deadline: a dead reader cannot be told from a slow one, as the lock knows
 * their number alone. Processes that may be killed while they read should lock
 * a robust mutex.
 *
 * Memory that was corrupted is EINVAL: the mark of another kind of object, a
 * number of readers above OST_RWLOCK_MAX; or the call waits.
 *
 * Memory order: an unlock happens before the return of each later lock.
 */
#ifndef OST_RWLOCK_H
#define OST_RWLOCK_H

#include "ost_owner.h"
#include "ost_pmutex.h"
#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	ost_pmutex_t writer;
	uint32_t state;		/* these two are accessed only atomically */
	uint32_t gate;
	uint32_t attr;
	uint32_t pad_;
} ost_rwlock_t;

#define OST_RWLOCK_MAX		0x3fffffffu	/* readers */
#define OST_RWLOCK_WRITER_	0x80000000u
#define OST_RWLOCK_READERS_	0x7fffffffu
#define OST_RWLOCK_MARK_	0x52570000u
#define OST_RWLOCK_FLAGS_	(OST_PSHARED | OST_ROBUST)
#define OST_RWLOCK_INIT		{ { 0, 0, 0 }, 0, 0, 0, 0 }

/* an owner that is dead: no thread has that id */
#define OST_RWLOCK_DEAD_	(0x3ffffffeu | OST_INCONSISTENT_)

/*
 * ost_rwlock_init - make rw an unlocked lock
 *
 * flags is the sum of OST_PSHARED and OST_ROBUST, or 0. Memory of zeros is a
 * lock, too, for one process and not robust. Nobody may use rw meanwhile. There
 * is nothing to destroy.
 *
 * Returns 0, EINVAL for other flags, ENOTSUP if the system cannot do it.
 */
static inline int ost_rwlock_init(ost_rwlock_t *rw, unsigned flags)
{
	int err;

#if !defined(__linux__)
	if (flags & OST_ROBUST)
		return ENOTSUP;
#endif
	err = ost_attr_init_(&rw->attr, OST_RWLOCK_MARK_, flags,
			     OST_RWLOCK_FLAGS_);
	if (!err)
		err = ost_pmutex_init(&rw->writer,
				      OST_MUTEX_ERRORCHECK | flags);
	if (err)
		return err;
	ost_swap_(&rw->state, 0);
	ost_swap_(&rw->gate, 0);
	rw->pad_ = 0;
	return 0;
}

static inline int ost_rwlock_flags_(ost_rwlock_t *rw, unsigned *flags)
{
	return ost_attr_(&rw->attr, OST_RWLOCK_MARK_, OST_RWLOCK_FLAGS_,
			 flags);
}

/* Adds a reader. Returns 0, EBUSY if there is a writer, EAGAIN, or EINVAL. */
static inline int ost_rwlock_enter_(ost_rwlock_t *rw)
{
	uint32_t s = ost_load_(&rw->state);
	unsigned failures = 0;

	for (;;) {
		if ((s & OST_RWLOCK_READERS_) > OST_RWLOCK_MAX)
			return EINVAL;
		if (s & OST_RWLOCK_WRITER_)
			return EBUSY;
		if (s == OST_RWLOCK_MAX)
			return EAGAIN;
		if (ost_cas_(&rw->state, &s, s + 1))
			return 0;
		ost_backoff_(&failures, 0);
	}
}

/*
 * What a reader that has met a writer finds out about it. Returns EBUSY for one
 * that lives, ENOTRECOVERABLE, or of a robust lock EOWNERDEAD.
 */
static inline int ost_rwlock_writer_(ost_rwlock_t *rw, unsigned flags)
{
	uint64_t w = ost_load64_(&rw->writer.owner);

	if (ost_own_over_(w))
		return ENOTRECOVERABLE;
	if (flags & OST_ROBUST && ost_dead_(w))
		return EOWNERDEAD;
	return EBUSY;
}

/* Marks that there are readers asleep, and returns the gate to sleep on. */
static inline uint32_t ost_rwlock_mark_(ost_rwlock_t *rw)
{
	uint32_t gate = ost_load_(&rw->gate);
	unsigned failures = 0;

	while (!(gate & 1) && !ost_cas_(&rw->gate, &gate, gate | 1))
		ost_backoff_(&failures, 0);
	return gate | 1;
}

/* Wakes the readers that sleep. */
static inline void ost_rwlock_open_(ost_rwlock_t *rw, unsigned flags)
{
	uint32_t gate = ost_load_(&rw->gate);
	unsigned failures = 0;

	while (gate & 1) {
		if (ost_cas_(&rw->gate, &gate, gate + 1)) {
			ost_wake_on_(&rw->gate, OST_ALL_, flags);
			return;
		}
		ost_backoff_(&failures, 0);
	}
}

static inline int ost_rwlock_sleep_(ost_rwlock_t *rw, ost_limit_ *limit)
{
	uint32_t gate;
	int err, late = 0;

	if (ost_own_is_(ost_load64_(&rw->writer.owner), ost_self_()))
		return EDEADLK;
	if (limit->flags & OST_ROBUST)
		limit->slice = OST_LOOK_FIRST_;
	for (;;) {
		gate = ost_rwlock_mark_(rw);
		err = ost_rwlock_enter_(rw);
		if (err != EBUSY)
			return err;
		if (ost_own_over_(ost_load64_(&rw->writer.owner)))
			return ENOTRECOVERABLE;
		if (late) {
			err = ost_rwlock_writer_(rw, limit->flags);
			return err == EBUSY ? ETIMEDOUT : err;
		}
		late = ost_wait_on_(&rw->gate, gate, limit);
		if (late || ost_load_(&rw->gate) != gate)
			continue;
		err = ost_rwlock_writer_(rw, limit->flags);
		if (err != EBUSY)
			return err;
		if (limit->flags & OST_ROBUST &&
		    limit->slice < OST_LOOK_LAST_)
			limit->slice *= 2;
	}
}

/*
 * ost_rwlock_tryrdlock - lock rw for reading if there is no writer
 *
 * POSIX: pthread_rwlock_tryrdlock. It does not sleep; on a robust lock that has
 * a writer it reads a file of /proc, to see whether the writer is alive.
 *
 * Returns 0; EBUSY if there is a writer, even one that waits; EOWNERDEAD if the
 * writer has died and ENOTRECOVERABLE if the lock cannot be used any more, in
 * both cases without the lock; EAGAIN if there are OST_RWLOCK_MAX readers; or
 * EINVAL if rw is corrupted.
 */
static inline int ost_rwlock_tryrdlock(ost_rwlock_t *rw)
{
	unsigned flags;
	int err = ost_rwlock_flags_(rw, &flags);

	if (!err)
		err = ost_rwlock_enter_(rw);
	return err == EBUSY ? ost_rwlock_writer_(rw, flags) : err;
}

/*
 * ost_rwlock_clockrdlock - lock rw for reading, sleeping until there is no
 * writer or deadline passes
 *
 * POSIX: pthread_rwlock_clockrdlock. The deadline is as for ost_sem_clockwait.
 *
 * Returns as ost_rwlock_tryrdlock; ETIMEDOUT in place of EBUSY; EDEADLK if the
 * caller is the writer; EINVAL also, when there is a writer, for another clock
 * and for a tv_nsec that is not in 0 to 999999999.
 */
static inline int ost_rwlock_clockrdlock(ost_rwlock_t *rw, clockid_t clock,
					 const struct timespec *deadline)
{
	ost_limit_ limit;
	unsigned flags;
	int i, err = ost_rwlock_flags_(rw, &flags);

	if (!err)
		err = ost_rwlock_enter_(rw);
	if (err != EBUSY)
		return err;
	err = ost_limit_init_(&limit, flags, clock, deadline);
	if (err)
		return err;
	for (i = 0; i < OST_POLLS_; i++) {
		if (!(ost_load_(&rw->state) & OST_RWLOCK_WRITER_))
			break;
		ost_pause_();
	}
	return ost_rwlock_sleep_(rw, &limit);
}

/* ost_rwlock_timedrdlock - ost_rwlock_clockrdlock by CLOCK_MONOTONIC */
static inline int ost_rwlock_timedrdlock(ost_rwlock_t *rw,
					 const struct timespec *deadline)
{
	return ost_rwlock_clockrdlock(rw, CLOCK_MONOTONIC, deadline);
}

/* ost_rwlock_rdlock - ost_rwlock_clockrdlock without a deadline */
static inline int ost_rwlock_rdlock(ost_rwlock_t *rw)
{
	return ost_rwlock_clockrdlock(rw, CLOCK_MONOTONIC, 0);
}

/*
 * ost_rwlock_rdunlock - end one lock for reading
 *
 * It does not sleep. Any thread may call it: readers are counted, not known.
 * POSIX: pthread_rwlock_unlock.
 *
 * Returns 0, EPERM if there are no readers, EINVAL if rw is corrupted.
 */
static inline int ost_rwlock_rdunlock(ost_rwlock_t *rw)
{
	uint32_t s, *word = &rw->state;
	unsigned flags, failures = 0;
	int err = ost_rwlock_flags_(rw, &flags);

	if (err)
		return err;
	s = ost_load_(word);
	for (;;) {
		if ((s & OST_RWLOCK_READERS_) > OST_RWLOCK_MAX)
			return EINVAL;
		if (!(s & OST_RWLOCK_READERS_))
			return EPERM;
		if (ost_cas_(word, &s, s - 1))
			break;
		ost_backoff_(&failures, 0);
	}
	if (s - 1 == OST_RWLOCK_WRITER_)
		ost_wake_on_(word, OST_ALL_, flags);
	return 0;
}

/*
 * Leaves the lock after a wrlock that did not get it; died says that the writer
 * before has died, which is still to be said to the next.
 */
static inline void ost_rwlock_leave_(ost_rwlock_t *rw, int died,
				     unsigned flags)
{
	uint64_t w;

	if (died) {
		/* readers stay out: they get EOWNERDEAD */
		w = __atomic_exchange_n(&rw->writer.owner,
					(uint64_t)OST_RWLOCK_DEAD_,
					__ATOMIC_SEQ_CST);
		if ((uint32_t)w & OST_WAITERS_)
			ost_wake_on_(ost_own_low_(&rw->writer.owner), OST_ALL_,
				     flags);
		return;
	}
	__atomic_fetch_and(&rw->state, ~OST_RWLOCK_WRITER_, __ATOMIC_SEQ_CST);
	ost_rwlock_open_(rw, flags);
	ost_own_unlock_(&rw->writer.owner, flags);
}

/* Waits for the readers to leave; the caller has locked writer. */
static inline int ost_rwlock_drain_(ost_rwlock_t *rw, ost_limit_ *limit)
{
	int late = 0;
	uint32_t s;

	for (;;) {
		s = __atomic_or_fetch(&rw->state, OST_RWLOCK_WRITER_,
				      __ATOMIC_SEQ_CST);
		if (s == OST_RWLOCK_WRITER_)
			return 0;
		if (late)
			return ETIMEDOUT;
		late = ost_wait_on_(&rw->state, s, limit);
	}
}

/*
 * ost_rwlock_trywrlock - lock rw for writing if nobody has locked it
 *
 * POSIX: pthread_rwlock_trywrlock. It does not sleep; on a robust lock that has
 * a writer it reads a file of /proc.
 *
 * Returns 0; EBUSY if there is a writer or a reader; EOWNERDEAD with the lock
 * if the last writer has died; ENOTRECOVERABLE if the lock cannot be used any
 * more; or EINVAL if rw is corrupted.
 */
static inline int ost_rwlock_trywrlock(ost_rwlock_t *rw)
{
	unsigned flags;
	uint32_t s = 0;
	int err = ost_rwlock_flags_(rw, &flags);

	if (err)
		return err;
	err = ost_own_try_(&rw->writer.owner, ost_self_(), flags);
	if (err && err != EOWNERDEAD)
		return err;
	if (ost_cas_(&rw->state, &s, OST_RWLOCK_WRITER_) ||
	    s == OST_RWLOCK_WRITER_)
		return err;
	ost_rwlock_leave_(rw, err, flags);
	return EBUSY;
}

/*
 * ost_rwlock_clockwrlock - lock rw for writing, sleeping until nobody else has
 * locked it or deadline passes
 *
 * POSIX: pthread_rwlock_clockwrlock. The deadline is as for ost_sem_clockwait.
 *
 * Returns as ost_rwlock_trywrlock; ETIMEDOUT in place of EBUSY; EDEADLK if the
 * caller is the writer; EINVAL also for another clock and for a tv_nsec that is
 * not in 0 to 999999999.
 */
static inline int ost_rwlock_clockwrlock(ost_rwlock_t *rw, clockid_t clock,
					 const struct timespec *deadline)
{
	ost_limit_ limit;
	unsigned flags;
	uint64_t self;
	int died, err = ost_rwlock_flags_(rw, &flags);

	if (!err)
		err = ost_limit_init_(&limit, flags, clock, deadline);
	if (err)
		return err;
	self = ost_self_();
	if (ost_own_is_(ost_load64_(&rw->writer.owner), self))
		return EDEADLK;
	died = ost_own_lock_(&rw->writer.owner, self, &limit);
	if (died && died != EOWNERDEAD)
		return died;
	err = ost_rwlock_drain_(rw, &limit);
	if (!err)
		return died;
	ost_rwlock_leave_(rw, died, flags);
	return err;
}

/* ost_rwlock_timedwrlock - ost_rwlock_clockwrlock by CLOCK_MONOTONIC */
static inline int ost_rwlock_timedwrlock(ost_rwlock_t *rw,
					 const struct timespec *deadline)
{
	return ost_rwlock_clockwrlock(rw, CLOCK_MONOTONIC, deadline);
}

/* ost_rwlock_wrlock - ost_rwlock_clockwrlock without a deadline */
static inline int ost_rwlock_wrlock(ost_rwlock_t *rw)
{
	return ost_rwlock_clockwrlock(rw, CLOCK_MONOTONIC, 0);
}

/*
 * ost_rwlock_wrunlock - end the lock for writing
 *
 * If the lock was got with EOWNERDEAD and ost_rwlock_consistent was not called,
 * it is not recoverable then: all calls return ENOTRECOVERABLE. It does not
 * sleep. POSIX: pthread_rwlock_unlock.
 *
 * Returns 0, EPERM if the caller is not the writer, EINVAL if rw is corrupted.
 */
static inline int ost_rwlock_wrunlock(ost_rwlock_t *rw)
{
	unsigned flags;
	uint64_t w;
	int err = ost_rwlock_flags_(rw, &flags);

	if (err)
		return err;
	w = ost_load64_(&rw->writer.owner);
	if (!ost_own_is_(w, ost_self_()))
		return EPERM;
	if ((uint32_t)w & OST_INCONSISTENT_) {
		ost_own_unlock_(&rw->writer.owner, flags);
		ost_rwlock_open_(rw, flags); /* WRITER stays */
		return 0;
	}
	ost_rwlock_leave_(rw, 0, flags);
	return 0;
}

/*
 * ost_rwlock_unlock - end the caller's lock, for reading or for writing
 *
 * While there are readers it is a rdunlock, otherwise a wrunlock.
 */
static inline int ost_rwlock_unlock(ost_rwlock_t *rw)
{
	return ost_load_(&rw->state) & OST_RWLOCK_READERS_ ?
	       ost_rwlock_rdunlock(rw) : ost_rwlock_wrunlock(rw);
}

/*
 * ost_rwlock_consistent - say that what rw protects is consistent again
 *
 * The caller has locked rw for writing with EOWNERDEAD.
 *
 * Returns 0, EPERM if the caller is not the writer, EINVAL if the last writer
 * has not died or rw is corrupted.
 */
static inline int ost_rwlock_consistent(ost_rwlock_t *rw)
{
	unsigned flags;
	int err = ost_rwlock_flags_(rw, &flags);

	return err ? err :
		     ost_own_consistent_(&rw->writer.owner, ost_self_());
}

#ifdef __cplusplus
}
#endif

#endif
