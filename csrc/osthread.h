/*
 * osthread.h - the lock that C and Go share
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
 * Header only, C11 or C++11 with gcc's atomic builtins (gcc, clang, mingw). On
 * Linux define _GNU_SOURCE before the first header, for syscall(2). Linux,
 * Windows, and macOS for a deployment target of 14.4 or later
 * (-mmacosx-version-min=14.4); On other systems, and on older macOS, Go's
 * waiters sleep in the Go scheduler, where C cannot wake them, and this header
 * stops the build. With Go's build tag portablefutex C must not lock either,
 * which nothing checks. On Windows, which is Windows 8 or later, link with
 * -lpthread, for clock_gettime.
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
#ifndef OSTHREAD_H
#define OSTHREAD_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <Availability.h>
#include <stddef.h>
#if !defined(__MAC_OS_X_VERSION_MIN_REQUIRED) || \
	__MAC_OS_X_VERSION_MIN_REQUIRED < 140400
#error "osthread.h: set the deployment target to macOS 14.4 or later"
#endif
#else
#error "osthread.h: no way to wake a Go waiter from C on this system"
#endif

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

/*
 * The OS half: sleep while *word holds old, wake one waiter.
 *
 * ost_sleep_ returns ETIMEDOUT when the deadline, on CLOCK_MONOTONIC, has
 * passed, and otherwise 0, even after a spurious wakeup.
 */
#if defined(__linux__)

/*
 * A filter may refuse FUTEX_WAIT_BITSET, which takes an absolute deadline; the
 * fallback is FUTEX_WAIT with the time left. If both are refused, the waiter
 * polls the word once per millisecond.
 */

typedef struct {
	int64_t tv_sec;
	int64_t tv_nsec;
} ost_timespec_;

static inline int ost_refused_(int err)
{
	return err == ENOSYS || err == EPERM;
}

/* One of the kernel's futex calls; ts has the type that this call takes. */
static inline int ost_call_(long number, uint32_t *word, int op, uint32_t val,
			    const void *ts)
{
	int saved = errno;
	int err = 0;

	if (syscall(number, word, op | FUTEX_PRIVATE_FLAG, val, ts, (void *)0,
		    FUTEX_BITSET_MATCH_ANY) == -1)
		err = errno;
	errno = saved;
	return err;
}

#if __SIZEOF_LONG__ == 4

#define OST_FUTEX_TIME64_	422	/* on all 32-bit processors */

/*
 * The call with 32-bit time, for kernels before 5.1. A deadline beyond 32 bits
 * causes a spurious wakeup instead.
 */
static inline int ost_futex_old_(uint32_t *word, int op, uint32_t val,
				 const ost_timespec_ *ts)
{
	long old[2];
	int err;

	if (!ts)
		return ost_call_(SYS_futex, word, op, val, 0);
	old[0] = ts->tv_sec > INT32_MAX ? INT32_MAX : (long)ts->tv_sec;
	old[1] = (long)ts->tv_nsec;
	err = ost_call_(SYS_futex, word, op, val, old);
	return err == ETIMEDOUT && old[0] != ts->tv_sec ? EINTR : err;
}

static inline int ost_futex_(uint32_t *word, int op, uint32_t val,
			     const ost_timespec_ *ts)
{
	int err = ost_call_(OST_FUTEX_TIME64_, word, op, val, ts);

	return ost_refused_(err) ? ost_futex_old_(word, op, val, ts) : err;
}

#else

static inline int ost_futex_(uint32_t *word, int op, uint32_t val,
			     const ost_timespec_ *ts)
{
	return ost_call_(SYS_futex, word, op, val, ts);
}

#endif

/* The time from now to deadline, 0 if that has passed. */
static inline void ost_left_(const struct timespec *deadline,
			     ost_timespec_ *left)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = (int64_t)deadline->tv_sec - now.tv_sec;
	left->tv_nsec = (int64_t)deadline->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000;
	}
	if (left->tv_sec < 0)
		left->tv_sec = left->tv_nsec = 0;
}

/* ost_sleep_ where FUTEX_WAIT_BITSET is refused */
static inline int ost_sleep_plain_(uint32_t *word, uint32_t old,
				   const struct timespec *deadline)
{
	struct timespec look = { 0, 1000000 };
	ost_timespec_ left;
	int saved, err;

	if (deadline)
		ost_left_(deadline, &left);
	err = ost_futex_(word, FUTEX_WAIT, old, deadline ? &left : 0);
	if (!ost_refused_(err))
		return err;
	if (deadline && !left.tv_sec && !left.tv_nsec)
		return ETIMEDOUT;
	saved = errno;
	nanosleep(&look, 0);
	errno = saved;
	return 0;
}

static inline int ost_sleep_(uint32_t *word, uint32_t old,
			     const struct timespec *deadline)
{
	ost_timespec_ ts = { 0, 0 };
	int err;

	if (deadline) {
		ts.tv_sec = deadline->tv_sec;
		ts.tv_nsec = deadline->tv_nsec;
	}
	err = ost_futex_(word, FUTEX_WAIT_BITSET, old, deadline ? &ts : 0);
	if (ost_refused_(err))
		err = ost_sleep_plain_(word, old, deadline);
	return err == ETIMEDOUT ? ETIMEDOUT : 0;
}

static inline void ost_wake_(uint32_t *word)
{
	ost_futex_(word, FUTEX_WAKE, 1, 0);
}

#elif defined(__APPLE__)

/*
 * Declared as in os/os_sync_wait_on_address.h, which older SDKs lack. The
 * kernel identifies a word by its address, the size and the flags (0, memory
 * private to the process): Go uses the same values. The clock, 32, is
 * mach_absolute_time, the only one supported; it stops while the machine
 * sleeps, and a wait may end later by that time.
 */
extern int os_sync_wait_on_address(void *, uint64_t, size_t, uint32_t);
extern int os_sync_wait_on_address_with_timeout(void *, uint64_t, size_t,
						uint32_t, uint32_t, uint64_t);
extern int os_sync_wake_by_address_any(void *, size_t, uint32_t);

static inline int ost_sleep_(uint32_t *word, uint32_t old,
			     const struct timespec *deadline)
{
	const int64_t longest = 86400; /* s; a longer wait ends spuriously */
	struct timespec now;
	int64_t s, ns = 0;
	int saved = errno;

	if (!deadline) {
		os_sync_wait_on_address(word, old, sizeof(*word), 0);
	} else {
		clock_gettime(CLOCK_MONOTONIC, &now);
		s = (int64_t)deadline->tv_sec - now.tv_sec;
		if (s > longest)
			s = longest;
		if (s >= 0)
			ns = s * 1000000000 + deadline->tv_nsec - now.tv_nsec;
		if (ns > 0)
			os_sync_wait_on_address_with_timeout(word, old,
				sizeof(*word), 0, 32, (uint64_t)ns);
	}
	errno = saved;
	return deadline && ns <= 0 ? ETIMEDOUT : 0;
}

static inline void ost_wake_(uint32_t *word)
{
	int saved = errno;

	/* A wakeup must not be lost because the kernel was out of memory. */
	while (os_sync_wake_by_address_any(word, sizeof(*word), 0) < 0 &&
	       (errno == EINTR || errno == ENOMEM))
		;
	errno = saved;
}

#else /* _WIN32 */

/*
 * WaitOnAddress and WakeByAddressSingle are looked up at run time, because
 * import libraries have them under different names, if at all. They are in
 * kernelbase.dll, which every process has loaded. Each file that includes this
 * header caches them separately.
 */
typedef BOOL(WINAPI *ost_wait_fn_)(volatile void *, void *, SIZE_T, DWORD);
typedef void(WINAPI *ost_wake_fn_)(void *);
typedef void (*ost_any_fn_)(void);

static inline ost_any_fn_ ost_find_(ost_any_fn_ *found, const char *name)
{
	ost_any_fn_ f = __atomic_load_n(found, __ATOMIC_RELAXED);

	if (!f) {
		f = (ost_any_fn_)GetProcAddress(
			GetModuleHandleA("kernelbase.dll"), name);
		__atomic_store_n(found, f, __ATOMIC_RELAXED);
	}
	return f;
}

static inline void ost_wait_(uint32_t *word, uint32_t old, DWORD ms)
{
	static ost_any_fn_ found;

	((ost_wait_fn_)ost_find_(&found, "WaitOnAddress"))(word, &old,
							  sizeof(old), ms);
}

#define OST_LONGEST_	1000000	/* seconds of one call, 11 days */

static inline int ost_sleep_(uint32_t *word, uint32_t old,
			     const struct timespec *deadline)
{
	struct timespec now;
	int64_t s, ms;

	if (!deadline) {
		ost_wait_(word, old, INFINITE);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* A wait too long for one call ends early, spuriously. */
	s = (int64_t)deadline->tv_sec - now.tv_sec;
	if (s > OST_LONGEST_)
		s = OST_LONGEST_;
	ms = s * 1000 +
	     (deadline->tv_nsec - now.tv_nsec + 999999) / 1000000;
	if (ms <= 0)
		return ETIMEDOUT;
	ost_wait_(word, old, (DWORD)ms);
	return 0;
}

static inline void ost_wake_(uint32_t *word)
{
	static ost_any_fn_ found;

	((ost_wake_fn_)ost_find_(&found, "WakeByAddressSingle"))(word);
}

#endif

static inline void ost_pause_(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

static inline uint32_t ost_load_(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline uint32_t ost_swap_(uint32_t *word, uint32_t to)
{
	return __atomic_exchange_n(word, to, __ATOMIC_SEQ_CST);
}

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
		err = ost_sleep_(word, OST_CONTENDED_, deadline);
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
		ost_wake_(&m->word);
	}
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
