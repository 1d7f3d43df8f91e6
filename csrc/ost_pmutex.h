/*
 * ost_pmutex.h - POSIX's mutex, which C and Go share
 *
 * ost_pmutex_t has the layout of the Go type shared.Mutex: a pointer to either
 * may be used as a pointer to the other, by both languages at the same time,
 * and on one thread either may unlock what the other has locked.
 *
 *	ost_pmutex_t m = OST_PMUTEX_INIT;	normal, for one process
 *	ost_pmutex_init(&m, OST_MUTEX_RECURSIVE | OST_ROBUST | OST_PSHARED);
 *
 * A robust one, whose owner may die:
 *
 *	err = ost_pmutex_lock(&m);
 *	if (err == EOWNERDEAD) {		locked, nevertheless
 *		... repair what m protects ...
 *		err = ost_pmutex_consistent(&m);
 *	}					without: not recoverable
 *	if (!err) {
 *		...
 *		ost_pmutex_unlock(&m);
 *	}
 *
 * The attributes are one value, flags that are or-ed:
 *
 *	OST_MUTEX_NORMAL	0; a relock waits for ever, any thread may
 *				unlock; also OST_MUTEX_DEFAULT
 *	OST_MUTEX_ERRORCHECK	a relock is EDEADLK, a foreign unlock EPERM
 *	OST_MUTEX_RECURSIVE	a relock counts, a foreign unlock is EPERM
 *	OST_ROBUST		an owner that dies: EOWNERDEAD; with every kind
 *				a foreign unlock is EPERM. Linux
 *	OST_INHERIT		the owner has its waiters' priority; with every
 *				kind a foreign unlock is EPERM, and a relock of
 *				a normal one EDEADLK. Linux
 *	OST_PSHARED		in memory of several processes. Linux, macOS
 *	OST_PROTECT		ENOTSUP: a ceiling costs two system calls at
 *				every lock; with OST_INHERIT EINVAL
 *
 * One kind, and any of ROBUST, INHERIT and PSHARED, combine; two kinds are
 * EINVAL.
 *
 * The words. A normal mutex that is neither robust nor inherits has the states
 * of ost_mutex.h in the low half of owner. The others have an owner there
 * (ost_owner.h). Their depth, which only the owner uses, is the relocks of a
 * recursive one, and in the highest bit whether Go has pinned a goroutine to
 * the owning thread for as long as it holds the mutex. With OST_INHERIT the
 * kernel changes the low half, too: see ost_pi_lock_.
 *
 * Which thread may call what: no function allocates or takes another lock.
 * trylock and unlock do not wait, lock waits in futex(2) alone. A signal
 * handler may call all of them, but its thread must not be inside a call on the
 * same mutex or own it, unless it is recursive or checks errors. The first call
 * of a thread on a mutex with an owner, and the check of an owner that may be
 * dead, read a file of /proc: a real-time thread calls ost_self_prepare before.
 *
 * A copy is no mutex. A call on memory that holds no mutex (the upper half of
 * the attributes is a mark) returns EINVAL and changes nothing. Functions
 * return 0 or a positive errno value; errno itself is never set.
 */
#ifndef OST_PMUTEX_H
#define OST_PMUTEX_H

#include "ost_owner.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	__attribute__((aligned(8))) uint64_t owner; /* only atomically */
	uint32_t attr;
	uint32_t depth;
} ost_pmutex_t;

#define OST_MUTEX_NORMAL	0x0u
#define OST_MUTEX_DEFAULT	OST_MUTEX_NORMAL
#define OST_MUTEX_ERRORCHECK	0x1u
#define OST_MUTEX_RECURSIVE	0x2u
#define OST_INHERIT		0x20u	/* PTHREAD_PRIO_INHERIT */
#define OST_PROTECT		0x40u	/* PTHREAD_PRIO_PROTECT */

#define OST_PMUTEX_MARK_	0x4d550000u
#define OST_PMUTEX_KIND_	0x3u

#define OST_PM_PINNED_		0x80000000u	/* in depth */

#define OST_PMUTEX_INIT			{ 0, 0, 0 }
#define OST_PMUTEX_INIT_ATTR(flags)	{ 0, OST_PMUTEX_MARK_ | (flags), 0 }

/* Whether the attribute word is that of a normal mutex without an owner. */
static inline int ost_pm_plain_(uint32_t attr)
{
	return !attr || (attr & ~OST_PSHARED) == OST_PMUTEX_MARK_;
}

/* Whether the attribute word is that of a mutex. */
static inline int ost_pm_valid_(uint32_t attr)
{
	const uint32_t all = OST_PMUTEX_KIND_ | OST_ROBUST | OST_INHERIT |
			     OST_PSHARED;

	return !attr || ((attr & ~all) == OST_PMUTEX_MARK_ &&
			 (attr & OST_PMUTEX_KIND_) != OST_PMUTEX_KIND_);
}

static inline uint32_t ost_pm_attr_(ost_pmutex_t *m)
{
	return __atomic_load_n(&m->attr, __ATOMIC_RELAXED);
}

/* A normal mutex without an owner: ost_mutex.h with limits and flags. */

#define OST_PM_FREE_		0u
#define OST_PM_HELD_		1u
#define OST_PM_CONTENDED_	2u

static inline int ost_pm_take_(ost_pmutex_t *m)
{
	uint32_t from = OST_PM_FREE_;

	return ost_cas_(ost_own_low_(&m->owner), &from, OST_PM_HELD_);
}

static inline int ost_pm_wait_(ost_pmutex_t *m, ost_limit_ *l)
{
	uint32_t *word = ost_own_low_(&m->owner);
	int i, err = 0;

	for (i = 0; i < OST_POLLS_ && ost_load_(word) == OST_PM_HELD_; i++)
		ost_pause_();
	if (ost_pm_take_(m))
		return 0;
	while (ost_swap_(word, OST_PM_CONTENDED_) != OST_PM_FREE_) {
		if (err)
			return err;
		err = ost_wait_on_(word, OST_PM_CONTENDED_, l);
	}
	return 0;
}

static inline int ost_pm_release_(ost_pmutex_t *m, unsigned flags)
{
	uint32_t *word = ost_own_low_(&m->owner);

	switch (ost_swap_(word, OST_PM_FREE_)) {
	case OST_PM_FREE_:
		return EPERM;
	case OST_PM_HELD_:
		return 0;
	}
	ost_wake_on_(word, 1, flags);
	return 0;
}

/* Priority inheritance. */
#if defined(__linux__)

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2	13
#endif

#define OST_PI_NAPS_	300	/* of 1 ms, until a word counts as corrupt */

/*
 * One FUTEX_LOCK_PI. Returns 0 with the word locked, ETIMEDOUT once l has
 * ended, EAGAIN to try again, or the kernel's error.
 */
static inline int ost_pi_wait_(uint32_t *word, const ost_limit_ *l)
{
	int64_t ns = l->slice, left;
	ost_timespec_ end;
	struct timespec now = { 0, 0 };
	int err, i;

	if (l->at) {
		left = ost_limit_left_(l);
		if (!left)
			return ETIMEDOUT;
		if (!ns || left < ns)
			ns = left;
	}
	if (!ns) {
		err = ost_futex_(word, ost_op_(FUTEX_LOCK_PI, l->flags), 0, 0);
		return err == EINTR || err == ENOMEM ? EAGAIN : err;
	}
	/* Before Linux 5.14 there is only the call by the time of day. */
	for (i = 0, err = ENOSYS; i < 2 && ost_refused_(err); i++) {
		clock_gettime(i ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
		end.tv_sec = now.tv_sec + ns / 1000000000;
		end.tv_nsec = now.tv_nsec + ns % 1000000000;
		if (end.tv_nsec > 999999999) {
			end.tv_sec++;
			end.tv_nsec -= 1000000000;
		}
		err = ost_futex_(word,
				 ost_op_(i ? FUTEX_LOCK_PI : FUTEX_LOCK_PI2,
					 l->flags),
				 0, &end);
	}
	if (err == ETIMEDOUT || err == EINTR || err == ENOMEM)
		return EAGAIN;
	return err;
}

/*
 * Ends a lock that the kernel has made. INCONSISTENT is what it calls
 * FUTEX_OWNER_DIED: the owner ended while this thread slept in the kernel.
 *
 * Of a robust mutex the incarnation, which was 0 or is a dead owner's, is
 * stored once the kernel has stored the id; while INCONSISTENT is set, or the
 * incarnation is 0, only the id is checked. ost_pi_unlock_ clears it first.
 */
static inline int ost_pi_locked_(ost_pmutex_t *m, uint64_t self, unsigned flags)
{
	uint32_t *low = ost_own_low_(&m->owner);
	uint32_t *high = ost_half_(&m->owner, 1);

	if (!(ost_load_(low) & OST_INCONSISTENT_)) {
		if (flags & OST_ROBUST)
			ost_swap_(high, (uint32_t)(self >> 32));
		return 0;
	}
	if (!(flags & OST_ROBUST)) {
		__atomic_fetch_and(low, ~OST_INCONSISTENT_, __ATOMIC_SEQ_CST);
		return 0;
	}
	ost_swap_(high, (uint32_t)(self >> 32));
	return EOWNERDEAD;
}

/*
 * ost_pi_lock_ - ost_own_lock_ by the kernel, which lends the owner the
 * priority of its waiters
 *
 * An owner that ends while others sleep in the kernel is replaced by the
 * kernel, which stores the first sleeper's id once that runs, whatever the word
 * holds by then. So no other thread may replace an owner while there are
 * sleepers. If there are none the kernel says ESRCH to those that come, of the
 * word as it is then. A thread that has seen that the owner in a word is dead,
 * got ESRCH after that, and still finds the same word, knows that it was the
 * same all the time: a dead owner does not store it again. So its
 * compare-and-swap replaces an owner without sleepers. Without OST_ROBUST they
 * wait, as POSIX has it.
 *
 * If the id of a dead owner is used again, sleepers lend priority to a
 * stranger. One that has checked, as ost_owner.h says, replaces the owner by
 * GONE, an id that no thread has. The kernel refuses newcomers with EINVAL
 * then, until the sleepers' slices have ended, at most 64 ms, and says ESRCH
 * after that.
 *
 * Model: verify/inherit.pml, without GONE.
 *
 * An unlock while INCONSISTENT stores OVER in depth and goes on as others do.
 * The next owner gives it back, for ENOTRECOVERABLE: OVER in the word would be
 * lost if the owner ended with threads asleep.
 */
#define OST_PI_GONE_	0x3ffffffeu
#define OST_PI_OVER_	0xffffffffu	/* in depth */

/* Unlocks m. Sleepers are woken by the kernel, one. */
static inline int ost_pi_release_(ost_pmutex_t *m, unsigned flags)
{
	uint32_t *low = ost_own_low_(&m->owner);
	uint64_t s = ost_load64_(&m->owner), id = s & OST_ID_;
	int robust = flags & OST_ROBUST ? 1 : 0;

	if (!((uint32_t)s & OST_WAITERS_) &&
	    ost_cas64_(&m->owner, robust ? &s : &id, 0))
		return 0;
	if (robust)
		__atomic_fetch_and(&m->owner, (uint64_t)UINT32_MAX,
				   __ATOMIC_SEQ_CST);
	if (!ost_futex_(low, ost_op_(FUTEX_UNLOCK_PI, flags), 0, 0))
		return 0;
	/* of a word that was replaced: no sleeper has it as its owner */
	ost_swap_(low, 0);
	return robust ? 0 : EINVAL;
}

static inline int ost_pi_unlock_(ost_pmutex_t *m, unsigned flags)
{
	if (flags & OST_ROBUST &&
	    (uint32_t)ost_load64_(&m->owner) & OST_INCONSISTENT_) {
		__atomic_store_n(&m->depth, OST_PI_OVER_, __ATOMIC_SEQ_CST);
		__atomic_fetch_and(&m->owner, ~(uint64_t)OST_INCONSISTENT_,
				   __ATOMIC_SEQ_CST);
	}
	return ost_pi_release_(m, flags);
}

/* Ends a lock of m with err, 0 or EOWNERDEAD: gives back what is OVER. */
static inline int ost_pi_end_(ost_pmutex_t *m, int err, unsigned flags)
{
	if (!(flags & OST_ROBUST) ||
	    __atomic_load_n(&m->depth, __ATOMIC_SEQ_CST) != OST_PI_OVER_)
		return err;
	__atomic_fetch_and(&m->owner, ~(uint64_t)OST_INCONSISTENT_,
			   __ATOMIC_SEQ_CST);
	ost_pi_release_(m, flags);
	return ENOTRECOVERABLE;
}

/*
 * Replaces the owner in the word s, which was dead before the kernel has said
 * ESRCH. That has marked the word as if there were sleepers.
 */
static inline int ost_pi_replace_(ost_pmutex_t *m, uint64_t s, uint64_t self)
{
	s |= OST_WAITERS_;
	return (uint32_t)s & OST_ID_ &&
	       ost_cas64_(&m->owner, &s, self | OST_INCONSISTENT_ |
						   OST_WAITERS_);
}

/* ost_dead_, without an incarnation that may be another's. */
static inline int ost_pi_dead_(uint64_t s)
{
	return ost_dead_((uint32_t)s & OST_INCONSISTENT_ ? (uint32_t)s : s);
}

static inline int ost_pi_trylock_(ost_pmutex_t *m, uint64_t self,
				  unsigned flags)
{
	int robust = flags & OST_ROBUST ? 1 : 0, err;
	uint64_t s = 0;

	if (ost_cas64_(&m->owner, &s, robust ? self : (uint32_t)self))
		return ost_pi_end_(m, 0, flags);
	if (!robust && (uint32_t)s & OST_ID_)
		return EBUSY;
	err = ost_futex_(ost_own_low_(&m->owner),
			 ost_op_(FUTEX_TRYLOCK_PI, flags), 0, 0);
	if (!err)
		return ost_pi_end_(m, ost_pi_locked_(m, self, flags), flags);
	if (err != ESRCH || !robust || !ost_pi_dead_(s))
		return EBUSY;
	/* by now it may be free: then this call locks it */
	err = ost_futex_(ost_own_low_(&m->owner),
			 ost_op_(FUTEX_TRYLOCK_PI, flags), 0, 0);
	if (!err)
		return ost_pi_end_(m, ost_pi_locked_(m, self, flags), flags);
	if (err == ESRCH && ost_pi_replace_(m, s, self))
		return ost_pi_end_(m, EOWNERDEAD, flags);
	return EBUSY;
}

static inline int ost_pi_lock_(ost_pmutex_t *m, uint64_t self, ost_limit_ *l)
{
	int robust = l->flags & OST_ROBUST ? 1 : 0, err, naps = 0;
	uint64_t s = 0, dead = 0; /* dead: a word whose owner is */

	if (ost_cas64_(&m->owner, &s, robust ? self : (uint32_t)self))
		return ost_pi_end_(m, 0, l->flags);
	if (robust)
		l->slice = OST_LOOK_FIRST_;
	for (;;) {
		s = ost_load64_(&m->owner);
		err = ost_pi_wait_(ost_own_low_(&m->owner), l);
		switch (err) {
		case 0:
			err = ost_pi_locked_(m, self, l->flags);
			return ost_pi_end_(m, err, l->flags);
		case ETIMEDOUT:
			err = ost_pi_trylock_(m, self, l->flags);
			return err == EBUSY ? ETIMEDOUT : err;
		case EAGAIN:
			/* while INCONSISTENT the high half may be another's */
			if (robust && !((uint32_t)s & OST_INCONSISTENT_) &&
			    ost_dead_(s))
				ost_cas64_(&m->owner, &s,
					     OST_PI_GONE_ |
						     ((uint32_t)s &
						      OST_WAITERS_));
			if (robust && l->slice < OST_LOOK_LAST_)
				l->slice *= 2;
			continue;
		case ESRCH:
			s |= OST_WAITERS_;
			if (robust && s == dead && ost_pi_replace_(m, s, self))
				return ost_pi_end_(m, EOWNERDEAD, l->flags);
			if (robust && ost_pi_dead_(s)) {
				dead = s;
				continue;
			}
			break;
		case EINVAL:
		case EPERM:
			if (++naps > OST_PI_NAPS_)
				return EINVAL;
			break;
		default:
			return err;
		}
		ost_nap_();
	}
}

/* Whether the kernel has such futexes. */
static inline int ost_pi_probe_(void)
{
	uint32_t word = 0;
	int err = ost_futex_(&word, ost_op_(FUTEX_TRYLOCK_PI, 0), 0, 0);

	return err == ENOSYS || err == EPERM ? ENOTSUP : 0;
}

#else

static inline int ost_pi_lock_(ost_pmutex_t *m, uint64_t self, ost_limit_ *l)
{
	(void)m;
	(void)self;
	(void)l;
	return ENOTSUP;
}

static inline int ost_pi_trylock_(ost_pmutex_t *m, uint64_t self,
				  unsigned flags)
{
	(void)m;
	(void)self;
	(void)flags;
	return ENOTSUP;
}

static inline int ost_pi_unlock_(ost_pmutex_t *m, unsigned flags)
{
	(void)m;
	(void)flags;
	return ENOTSUP;
}

static inline int ost_pi_probe_(void)
{
	return ENOTSUP;
}

#endif

/*
 * ost_pmutex_init - make m an unlocked mutex with those attributes
 *
 * Nobody may use m meanwhile. POSIX: pthread_mutex_init, and
 * pthread_mutexattr_settype, _setrobust, _setpshared and _setprotocol.
 *
 * Returns 0; EINVAL for attributes that do not combine or do not exist; or
 * ENOTSUP for those that the system lacks. m is unchanged on error.
 */
static inline int ost_pmutex_init(ost_pmutex_t *m, unsigned attr)
{
	if (attr & OST_PROTECT)
		return attr & OST_INHERIT ? EINVAL : ENOTSUP;
	if (attr >> 16 || !ost_pm_valid_(OST_PMUTEX_MARK_ | attr))
		return EINVAL;
#if !defined(__linux__)
	if (attr & (OST_ROBUST | OST_INHERIT))
		return ENOTSUP;
#endif
#if defined(_WIN32)
	if (attr & OST_PSHARED)
		return ENOTSUP;
#endif
	if (attr & OST_INHERIT && ost_pi_probe_())
		return ENOTSUP;
	m->depth = 0;
	__atomic_store_n(&m->attr, OST_PMUTEX_MARK_ | attr, __ATOMIC_SEQ_CST);
	__atomic_store_n(&m->owner, 0, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * ost_pmutex_destroy - end the use of m, until ost_pmutex_init
 *
 * Later calls on m return EINVAL. Nothing else is released: memory may be freed
 * without it. POSIX: pthread_mutex_destroy.
 *
 * Returns 0, EBUSY if m is locked, or EINVAL if it is no mutex.
 */
static inline int ost_pmutex_destroy(ost_pmutex_t *m)
{
	uint32_t low = (uint32_t)ost_load64_(&m->owner);

	if (!ost_pm_valid_(ost_pm_attr_(m)))
		return EINVAL;
	if (low && (low & OST_ID_) != OST_OVER_)
		return EBUSY;
	__atomic_store_n(&m->attr, 0xffffffffu, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * ost_self_prepare - do what a thread's first call on a mutex with an owner
 * does beside the lock: read a file of /proc
 */
static inline void ost_self_prepare(void)
{
	ost_self_();
}

/*
 * What a lock of m by its owner does: *err is the result. Returns 0 if it goes
 * on as one of any other thread.
 */
static inline int ost_pm_again_(ost_pmutex_t *m, uint32_t attr, int try_,
				int *err)
{
	uint32_t depth;

	switch (attr & OST_PMUTEX_KIND_) {
	case OST_MUTEX_ERRORCHECK:
		*err = try_ ? EBUSY : EDEADLK;
		return 1;
	case OST_MUTEX_RECURSIVE:
		depth = __atomic_load_n(&m->depth, __ATOMIC_RELAXED);
		*err = (depth | OST_PM_PINNED_) >= UINT32_MAX - 1 ? EAGAIN : 0;
		if (!*err)
			__atomic_store_n(&m->depth, depth + 1,
					 __ATOMIC_RELAXED);
		return 1;
	}
	return 0;
}

/* Ends a lock: the relocks of an owner that died are gone with it. */
static inline int ost_pm_locked_(ost_pmutex_t *m, int err)
{
	if (err == EOWNERDEAD)
		__atomic_store_n(&m->depth, 0, __ATOMIC_RELAXED);
	return err;
}

/*
 * Whether the mutex with the attribute word has an owner, and one
 * compare-and-swap locks and unlocks it. A robust one that inherits may be
 * OVER, which its word does not show.
 */
static inline int ost_pm_owned_(uint32_t attr)
{
	return ost_pm_valid_(attr) && !ost_pm_plain_(attr) &&
	       (attr & (OST_INHERIT | OST_ROBUST)) !=
		       (OST_INHERIT | OST_ROBUST);
}

/* What the word of such a mutex is with the calling thread as its owner. */
static inline uint64_t ost_pm_self_(uint32_t attr)
{
	uint64_t self = ost_self_();

	return attr & OST_INHERIT ? (uint32_t)self : self;
}

/* Locks m if it is such a mutex and free, and returns whether it did. */
static inline int ost_pm_fast_(ost_pmutex_t *m, uint32_t attr)
{
	uint64_t s = 0;

	return ost_pm_owned_(attr) &&
	       ost_cas64_(&m->owner, &s, ost_pm_self_(attr));
}

/* Unlocks m if its owner is the caller, without relocks and waiters. */
static inline int ost_pm_fast_unlock_(ost_pmutex_t *m, uint32_t attr)
{
	uint64_t self;

	if (!ost_pm_owned_(attr) ||
	    __atomic_load_n(&m->depth, __ATOMIC_RELAXED))
		return 0;
	self = ost_pm_self_(attr);
	return ost_cas64_(&m->owner, &self, 0);
}

/* A lock of a mutex with an owner, or one that had to wait. */
static inline int ost_pm_lock_(ost_pmutex_t *m, uint32_t attr, clockid_t clock,
			       const struct timespec *at)
{
	unsigned flags = attr & 0xffffu;
	uint64_t self, s = 0;
	ost_limit_ l;
	int err;

	if (!ost_pm_valid_(attr))
		return EINVAL;
	if (ost_pm_plain_(attr)) {
		if (ost_pm_take_(m))
			return 0;
		err = ost_limit_init_(&l, flags, clock, at);
		return err ? err : ost_pm_wait_(m, &l);
	}
	self = ost_self_();
	if (!(flags & OST_INHERIT) && ost_cas64_(&m->owner, &s, self))
		return 0;
	if (!s)
		s = ost_load64_(&m->owner);
	if (ost_own_is_(s, self) && ost_pm_again_(m, attr, 0, &err))
		return err;
	err = ost_limit_init_(&l, flags, clock, at);
	if (err)
		return err;
	err = flags & OST_INHERIT ? ost_pi_lock_(m, self, &l) :
				    ost_own_wait_(&m->owner, self, &l);
	return ost_pm_locked_(m, err);
}

/*
 * ost_pmutex_lock - lock m, sleeping until it is free
 *
 * POSIX: pthread_mutex_lock. The previous owner's unlock happens before the
 * return.
 *
 * Returns 0; EOWNERDEAD if the owner of a robust mutex has died, with m locked
 * and what it protects perhaps inconsistent; ENOTRECOVERABLE if such a mutex
 * was unlocked without ost_pmutex_consistent; EDEADLK if the caller owns a
 * mutex that checks errors, or the kernel has found a deadlock of mutexes that
 * inherit; EAGAIN after 2^31 locks of a recursive one; or EINVAL if m is no
 * mutex.
 */
static inline int ost_pmutex_lock(ost_pmutex_t *m)
{
	uint32_t attr = ost_pm_attr_(m);

	if (ost_pm_plain_(attr) ? ost_pm_take_(m) : ost_pm_fast_(m, attr))
		return 0;
	return ost_pm_lock_(m, attr, CLOCK_MONOTONIC, 0);
}

/*
 * ost_pmutex_trylock - lock m if it is free
 *
 * POSIX: pthread_mutex_trylock. Returns as ost_pmutex_lock does, or EBUSY if m
 * is locked, also by the caller if it is not recursive. On a robust mutex that
 * is locked it reads a file of /proc, to see whether the owner is alive.
 */
static inline int ost_pmutex_trylock(ost_pmutex_t *m)
{
	uint32_t attr = ost_pm_attr_(m);
	uint64_t self;
	int err;

	if (ost_pm_plain_(attr))
		return ost_pm_take_(m) ? 0 : EBUSY;
	if (!ost_pm_valid_(attr))
		return EINVAL;
	self = ost_self_();
	if (ost_own_is_(ost_load64_(&m->owner), self) &&
	    ost_pm_again_(m, attr, 1, &err))
		return err;
	err = attr & OST_INHERIT ? ost_pi_trylock_(m, self, attr & 0xffffu) :
				   ost_own_try_(&m->owner, self, attr);
	return ost_pm_locked_(m, err);
}

/*
 * ost_pmutex_clocklock - lock m, sleeping until it is free or clock reaches at
 *
 * clock is CLOCK_MONOTONIC, CLOCK_REALTIME or, on Linux, CLOCK_BOOTTIME; a jump
 * of the latter two is noticed within 100 ms. A free mutex is locked even if
 * the time has passed. POSIX: pthread_mutex_clocklock, and with CLOCK_REALTIME
 * pthread_mutex_timedlock.
 *
 * Returns as ost_pmutex_lock does, ETIMEDOUT, or EINVAL for another clock or a
 * tv_nsec that is not in 0 to 999999999, if m is not free.
 */
static inline int ost_pmutex_clocklock(ost_pmutex_t *m, clockid_t clock,
				       const struct timespec *at)
{
	return ost_pm_lock_(m, ost_pm_attr_(m), clock, at);
}

/* ost_pmutex_timedlock - ost_pmutex_clocklock by CLOCK_MONOTONIC */
static inline int ost_pmutex_timedlock(ost_pmutex_t *m,
				       const struct timespec *at)
{
	return ost_pmutex_clocklock(m, CLOCK_MONOTONIC, at);
}

/*
 * ost_pmutex_unlock - undo one lock of m
 *
 * Of a robust mutex that was locked with EOWNERDEAD and not made consistent,
 * all later locks return ENOTRECOVERABLE. After the last undo only the address
 * of m is used, not its memory, except with OST_INHERIT: its memory must stay
 * mapped until unlock has returned. POSIX: pthread_mutex_unlock.
 *
 * Returns 0; EPERM if the calling thread does not own m, or m is normal and
 * not locked; or EINVAL if m is no mutex.
 */
static inline int ost_pmutex_unlock(ost_pmutex_t *m)
{
	uint32_t attr = ost_pm_attr_(m), depth;
	uint64_t s, self;

	if (ost_pm_plain_(attr))
		return ost_pm_release_(m, attr & OST_PSHARED);
	if (ost_pm_fast_unlock_(m, attr))
		return 0;
	if (!ost_pm_valid_(attr))
		return EINVAL;
	self = ost_self_();
	s = ost_load64_(&m->owner);
	if (!ost_own_is_(s, self))
		return EPERM;
	depth = __atomic_load_n(&m->depth, __ATOMIC_RELAXED);
	if (depth & ~OST_PM_PINNED_ &&
	    (attr & OST_PMUTEX_KIND_) == OST_MUTEX_RECURSIVE) {
		__atomic_store_n(&m->depth, depth - 1, __ATOMIC_RELAXED);
		return 0;
	}
	if (depth)
		__atomic_store_n(&m->depth, 0, __ATOMIC_RELAXED);
	if (attr & OST_INHERIT)
		return ost_pi_unlock_(m, attr & 0xffffu);
	ost_own_unlock_(&m->owner, attr & OST_PSHARED);
	return 0;
}

/*
 * ost_pmutex_consistent - say that what m protects is consistent again
 *
 * For the owner of a robust mutex whose lock returned EOWNERDEAD. POSIX:
 * pthread_mutex_consistent.
 *
 * Returns 0, EPERM if the calling thread does not own m, or EINVAL if m is no
 * robust mutex or not inconsistent.
 */
static inline int ost_pmutex_consistent(ost_pmutex_t *m)
{
	uint32_t attr = ost_pm_attr_(m);

	if (!ost_pm_valid_(attr) || !(attr & OST_ROBUST))
		return EINVAL;
	return ost_own_consistent_(&m->owner, ost_self_());
}

#ifdef __cplusplus
}
#endif

#endif
