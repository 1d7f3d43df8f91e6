/*
 * ost_owner.h - words of 64 bits that say which thread owns an object
 *
 * What ost_pmutex.h, ost_rwlock.h and ost_once.h share: the name of a thread,
 * whether an owner is alive, and a lock of one word with an owner.
 *
 *	63          32   31      30     29       0
 *	+-------------+-------+-------+----------+
 *	| incarnation |WAITERS|INCONS.|    id    |	0: free
 *	+-------------+-------+-------+----------+
 *
 *	free -> self		lock
 *	+ WAITERS		a waiter, before it sleeps on the low half
 *	self -> free		unlock; wakes one waiter if there are WAITERS
 *	dead -> self + INCONSISTENT + WAITERS	a waiter that has checked
 *	self + INCONSISTENT -> OVER		unlock before consistent; wakes all
 *
 * The low half is the kernel's format for FUTEX_LOCK_PI. id is gettid(2) on
 * Linux. OVER, an id that no thread has, is an object that is not recoverable,
 * or a once that is done.
 *
 * Death. An id is used again, and a thread that calls exec keeps it. So
 * the owner's word also has its incarnation: 20 bits of the time at which the
 * thread began, and 12 bits of a hash of where its process has its stack and
 * code, which exec moves. One compare-and-swap stores both, so there is no time
 * at which they are of different threads. A waiter of a robust object sleeps in
 * slices of 1 ms at first and 64 ms at last, and checks the owner after a slice
 * in which the word has not changed: it is dead if the kernel has no such
 * thread, or has it as a zombie or about to end, or with another incarnation.
 * It is replaced by a compare-and-swap from the word that was checked, so of
 * several waiters one replaces it, and none replaces a living owner.
 *
 * The kernel's list of robust futexes (set_robust_list(2)) would say it at
 * once. It is not used: a thread's list is the C library's, its links would
 * lie in memory that other processes can write, and an unlock would write where
 * they point to.
 *
 * All processes that share an object must be in one PID and one time namespace.
 * What a process may not see of another (/proc mounted with hidepid, another
 * user's stack) is taken for equal: then death is noticed once the id is gone.
 * Without /proc, or without a free descriptor, the same holds.
 *
 * No lost wakeup: WAITERS may be set too long, never cleared too early: a
 * waiter sets it before it sleeps, one that has slept acquires the lock with
 * WAITERS set, and only the owner's unlock clears it, which wakes. A waiter or
 * an unlocking thread that is killed in between leaves the others asleep for a
 * slice: see ost_limit_.
 *
 * Model: verify/robust.pml.
 *
 * All accesses are sequentially consistent; what precedes an unlock happens
 * before what follows the lock that reads it.
 *
 * Against the rule of these headers, there is a thread-local variable: the name
 * of the thread, which costs a file of /proc to find out. A child of fork(2)
 * resets it; one of clone(2) or _Fork(3) must exec before it uses objects with
 * owners.
 */
#ifndef OST_OWNER_H
#define OST_OWNER_H

#include "ost_word.h"

#if defined(__linux__)
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#elif defined(__APPLE__)
#include <pthread.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * OST_ROBUST, in the attributes of an object: an owner that dies is replaced,
 * and its successor's lock returns EOWNERDEAD (PTHREAD_MUTEX_ROBUST). Linux.
 */
#define OST_ROBUST	0x10u

#define OST_WAITERS_		0x80000000u
#define OST_INCONSISTENT_	0x40000000u
#define OST_ID_			0x3fffffffu
#define OST_OVER_		0x3fffffffu

#define OST_LOOK_FIRST_		1000000		/* ns */
#define OST_LOOK_LAST_		64000000	/* ns */

#if defined(__linux__)

/* A number of a line in decimal; *p is moved to what follows it. */
static inline uint64_t ost_number_(const char **p)
{
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n = n * 10 + (uint64_t)(**p - '0');
	return n;
}

/* Appends n in decimal at p, and returns the end. */
static inline char *ost_decimal_(char *p, uint32_t n)
{
	char digits[10];
	int i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while (n /= 10);
	while (i)
		*p++ = digits[--i];
	return p;
}

#define OST_EXITING_	0x4	/* the kernel's PF_EXITING: it runs no more code */

static inline char *ost_append_(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	*p = 0;
	return p;
}

/*
 * The incarnation from field 22, the start, and the fields 26 and 28, where
 * code and stack begin, which are 0 and 1 for those that may not know.
 */
static inline uint32_t ost_incarnation_(uint64_t start, uint64_t code,
					uint64_t stack)
{
	uint64_t h = stack ^ (code >> 12 | code << 52);

	h ^= h >> 36;
	h ^= h >> 18;
	return (uint32_t)(start & 0xfffff) |
	       (stack ? (uint32_t)(h % 4095 + 1) << 20 : 0);
}

/*
 * Reads what the kernel says of the thread id: its state, a letter of ps(1),
 * and its incarnation. Returns 0, or -1 if it says nothing. The path is not
 * /proc/ID/stat, which emulators make up for their own process. Safe in signal
 * handlers.
 */
static inline int ost_look_(uint32_t id, char *state, uint32_t *incarnation)
{
	char path[64], line[1024];
	const char *p, *end = 0;
	uint64_t start = 0, code = 0, n;
	int fd, field, saved = errno;
	long got;

	p = ost_append_(ost_decimal_(ost_append_(path, "/proc/"), id),
			"/task/");
	ost_append_(ost_decimal_(path + (p - path), id), "/stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = -1;
	if (fd >= 0) {
		got = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	errno = saved;
	if (got <= 0)
		return -1;
	line[got] = 0;
	for (p = line; *p; p++)
		if (*p == ')')
			end = p;
	if (!end || end[1] != ' ')
		return -1;
	*state = end[2];
	p = end + 2;
	for (field = 4; field <= 28; field++) {
		while (*p && *p != ' ')
			p++;
		if (*p != ' ')
			return -1;
		p++;
		if (field != 9 && field != 22 && field != 26 && field != 28)
			continue;
		n = ost_number_(&p);
		if (field == 9)
			*state = n & OST_EXITING_ ? 'X' : *state;
		else if (field == 22)
			start = n;
		else if (field == 26)
			code = n;
		else
			*incarnation = ost_incarnation_(start, code, n);
	}
	return 0;
}

/* Whether two incarnations may be the same; what is unknown may be. */
static inline int ost_same_(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return 1;
	if ((a ^ b) & 0xfffff)
		return 0;
	return a == b || !(a >> 20) || !(b >> 20);
}

/* Whether no thread has that id. */
static inline int ost_gone_(uint32_t id)
{
	int saved = errno;
	int gone = kill((pid_t)id, 0) && errno == ESRCH;

	errno = saved;
	return gone;
}

/* Whether the owner in the word s is known to be dead. */
static inline int ost_dead_(uint64_t s)
{
	uint32_t id = (uint32_t)s & OST_ID_, now = 0;
	char state = 0;

	if (!id || id == OST_OVER_)
		return 0;
	if (ost_gone_(id))
		return 1;
	if (ost_look_(id, &state, &now))
		return ost_gone_(id); /* meanwhile, or there is no /proc */
	return state == 'Z' || state == 'X' || state == 'x' ||
	       !ost_same_((uint32_t)(s >> 32), now);
}

/* The calling thread's name, 0 until it is known. One in each program. */
__attribute__((weak)) __thread uint64_t ost_self_cached_;

static void ost_self_forked_(void)
{
	ost_self_cached_ = 0;
}

__attribute__((constructor)) static void ost_self_setup_(void)
{
	pthread_atfork(0, 0, ost_self_forked_);
}

static inline uint64_t ost_self_slow_(void)
{
	uint32_t id = (uint32_t)syscall(SYS_gettid), incarnation = 0;
	char state;

	if (ost_look_(id, &state, &incarnation))
		return id; /* the next call may find it out */
	ost_self_cached_ = id | (uint64_t)incarnation << 32;
	return ost_self_cached_;
}

/* The calling thread as the owner of an object. */
static inline uint64_t ost_self_(void)
{
	uint64_t self = ost_self_cached_;

	return self ? self : ost_self_slow_();
}

#else

static inline int ost_same_(uint32_t a, uint32_t b)
{
	return a == b;
}

static inline int ost_dead_(uint64_t s)
{
	(void)s;
	return 0;
}

/* The system's id, of 64 bits on macOS, never used again there. */
static inline uint64_t ost_self_(void)
{
	uint64_t id;

#if defined(__APPLE__)
	pthread_threadid_np(0, &id);
#else
	id = GetCurrentThreadId();
#endif
	return (id % (OST_OVER_ - 1) + 1) | (id / (OST_OVER_ - 1)) << 32;
}

#endif

/* The half of w that waiters sleep on, and that the kernel knows. */
static inline uint32_t *ost_own_low_(uint64_t *w)
{
	return ost_half_(w, 0);
}

/* Whether self, as ost_self_ returns it, owns the object with the word s. */
static inline int ost_own_is_(uint64_t s, uint64_t self)
{
	return !(((uint32_t)s ^ (uint32_t)self) & OST_ID_) &&
	       ost_same_((uint32_t)(s >> 32), (uint32_t)(self >> 32));
}

static inline int ost_own_over_(uint64_t s)
{
	return ((uint32_t)s & OST_ID_) == OST_OVER_;
}

/* Replaces the dead owner in the word s by self. Returns whether it did. */
static inline int ost_own_replace_(uint64_t *w, uint64_t s, uint64_t self)
{
	return ost_dead_(s) &&
	       ost_cas64_(w, &s, self | OST_INCONSISTENT_ | OST_WAITERS_);
}

/*
 * ost_own_try_ - lock w for self without waiting; flags are those of the object
 *
 * Returns 0, EBUSY, of a robust object EOWNERDEAD with w locked, or
 * ENOTRECOVERABLE if w is OVER.
 */
static inline int ost_own_try_(uint64_t *w, uint64_t self, unsigned flags)
{
	uint64_t s = ost_load64_(w);
	int i;

	/* a word that is free differs only if its high half is corrupt */
	for (i = 0; i < 3 && !(uint32_t)s; i++)
		if (ost_cas64_(w, &s, self))
			return 0;
	if (ost_own_over_(s))
		return ENOTRECOVERABLE;
	if (flags & OST_ROBUST && !ost_own_is_(s, self) &&
	    ost_own_replace_(w, s, self))
		return EOWNERDEAD;
	return EBUSY;
}

/* ost_own_lock_ after the word was found locked */
static inline int ost_own_wait_(uint64_t *w, uint64_t self, ost_limit_ *l)
{
	int robust = l->flags & OST_ROBUST ? 1 : 0;
	unsigned failures = 0;
	uint64_t s, before, mine = self;
	int i, err = 0;

	if (robust)
		l->slice = OST_LOOK_FIRST_;
	for (i = 0; i < OST_POLLS_; i++) {
		s = ost_load64_(w);
		if (!(uint32_t)s || (uint32_t)s & OST_WAITERS_)
			break;
		ost_pause_();
	}
	for (s = ost_load64_(w);;) {
		if (++failures % OST_FAILURES_ == 0) {
			ost_nap_();
			if (l->at && !ost_limit_left_(l))
				err = ETIMEDOUT;
			if (err && failures / OST_FAILURES_ > 1)
				return err;
		}
		if (!(uint32_t)s) {
			if (ost_cas64_(w, &s, mine))
				return 0;
			continue;
		}
		if (ost_own_over_(s))
			return ENOTRECOVERABLE;
		if (err) {
			if (robust && ost_own_replace_(w, s, self))
				return EOWNERDEAD;
			return err;
		}
		if (!((uint32_t)s & OST_WAITERS_)) {
			if (!ost_cas64_(w, &s, s | OST_WAITERS_))
				continue;
			s |= OST_WAITERS_;
		}
		before = s;
		err = ost_wait_on_(ost_own_low_(w), (uint32_t)s, l);
		mine = self | OST_WAITERS_;
		s = ost_load64_(w);
		if (s != before || !robust || err)
			continue;
		if (ost_own_replace_(w, s, self))
			return EOWNERDEAD;
		if (l->slice < OST_LOOK_LAST_)
			l->slice *= 2;
	}
}

/*
 * ost_own_lock_ - lock w for self until the limit l, whose flags are those of
 * the object
 *
 * The caller has made sure that it does not own w. Returns 0, ETIMEDOUT, of a
 * robust object EOWNERDEAD with w locked, or ENOTRECOVERABLE if w is OVER.
 */
static inline int ost_own_lock_(uint64_t *w, uint64_t self, ost_limit_ *l)
{
	uint64_t s = 0;

	if (ost_cas64_(w, &s, self))
		return 0;
	return ost_own_wait_(w, self, l);
}

/*
 * ost_own_unlock_ - unlock w, which the caller owns
 *
 * If it is still inconsistent it is OVER then.
 */
static inline void ost_own_unlock_(uint64_t *w, unsigned flags)
{
	uint64_t to = 0, s = ost_load64_(w);

	if ((uint32_t)s & OST_INCONSISTENT_)
		to = OST_OVER_;
	s = __atomic_exchange_n(w, to, __ATOMIC_SEQ_CST);
	if ((uint32_t)s & OST_WAITERS_)
		ost_wake_on_(ost_own_low_(w), to ? OST_ALL_ : 1, flags);
}

/* ost_own_end_ - make w OVER, which the caller owns, and wake all waiters */
static inline void ost_own_end_(uint64_t *w, unsigned flags)
{
	uint64_t s = __atomic_exchange_n(w, (uint64_t)OST_OVER_,
					 __ATOMIC_SEQ_CST);

	if ((uint32_t)s & OST_WAITERS_)
		ost_wake_on_(ost_own_low_(w), OST_ALL_, flags);
}

/*
 * ost_own_consistent_ - end the inconsistency of w, which self has found
 *
 * Returns 0, EPERM if self does not own w, or EINVAL if it is not inconsistent.
 */
static inline int ost_own_consistent_(uint64_t *w, uint64_t self)
{
	uint64_t s = ost_load64_(w);

	if (!ost_own_is_(s, self))
		return EPERM;
	if (!((uint32_t)s & OST_INCONSISTENT_))
		return EINVAL;
	__atomic_fetch_and(w, ~(uint64_t)OST_INCONSISTENT_, __ATOMIC_SEQ_CST);
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
