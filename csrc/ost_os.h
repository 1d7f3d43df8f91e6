/*
 * ost_os.h - how the objects of osthread.h sleep, wake and read their words
 *
 * The system's half of the headers beside it: sleeping on a 32-bit word until
 * it changes, waking those that sleep there, limits of waits, and the atomic
 * operations. What ends with an underscore is not for users.
 *
 * Header only, C11 or C++11 with gcc's atomic builtins (gcc, clang, mingw). On
 * Linux define _GNU_SOURCE before the first header, for syscall(2). Linux,
 * Windows, and macOS for a deployment target of 14.4 or later
 * (-mmacosx-version-min=14.4). On other systems, and on older macOS, Go's
 * waiters sleep in the Go scheduler, where C cannot wake them, and this header
 * stops the build. With Go's build tag portablefutex C must not touch the
 * objects either, which nothing checks. On Windows, which is Windows 8 or
 * later, link with -lpthread, for clock_gettime.
 *
 * No function here sets errno, allocates, or takes a lock of the C library.
 */
#ifndef OST_OS_H
#define OST_OS_H

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

/*
 * OST_PSHARED, in the attributes of an object: it lies in memory that several
 * processes have mapped (PTHREAD_PROCESS_SHARED). Linux and macOS.
 */
#define OST_PSHARED	0x8u

#define OST_ALL_	0x7fffffff	/* waiters to wake */

/*
 * What the systems have: sleep while *word holds old, and wake waiters. flags
 * is OST_PSHARED for a word that several processes have mapped, or 0.
 *
 * ost_sleep_on_ returns ETIMEDOUT when the deadline, on CLOCK_MONOTONIC, has
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

static inline int ost_op_(int op, unsigned flags)
{
	return flags & OST_PSHARED ? op : op | FUTEX_PRIVATE_FLAG;
}

/* One of the kernel's futex calls; ts has the type that this call takes. */
static inline int ost_call_(long number, uint32_t *word, int op, uint32_t val,
			    const void *ts)
{
	int saved = errno;
	int err = 0;

	if (syscall(number, word, op, val, ts, (void *)0,
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

/* ost_sleep_on_ where FUTEX_WAIT_BITSET is refused */
static inline int ost_sleep_plain_(uint32_t *word, uint32_t old,
				   const struct timespec *deadline,
				   unsigned flags)
{
	struct timespec look = { 0, 1000000 };
	ost_timespec_ left;
	int saved, err;

	if (deadline)
		ost_left_(deadline, &left);
	err = ost_futex_(word, ost_op_(FUTEX_WAIT, flags), old,
			 deadline ? &left : 0);
	if (!ost_refused_(err))
		return err;
	if (deadline && !left.tv_sec && !left.tv_nsec)
		return ETIMEDOUT;
	saved = errno;
	nanosleep(&look, 0);
	errno = saved;
	return 0;
}

static inline int ost_sleep_on_(uint32_t *word, uint32_t old,
				const struct timespec *deadline,
				unsigned flags)
{
	ost_timespec_ ts = { 0, 0 };
	int err;

	if (deadline) {
		ts.tv_sec = deadline->tv_sec;
		ts.tv_nsec = deadline->tv_nsec;
	}
	err = ost_futex_(word, ost_op_(FUTEX_WAIT_BITSET, flags), old,
			 deadline ? &ts : 0);
	if (ost_refused_(err))
		err = ost_sleep_plain_(word, old, deadline, flags);
	return err == ETIMEDOUT ? ETIMEDOUT : 0;
}

static inline void ost_wake_on_(uint32_t *word, int n, unsigned flags)
{
	ost_futex_(word, ost_op_(FUTEX_WAKE, flags), (uint32_t)n, 0);
}

#elif defined(__APPLE__)

/*
 * Declared as in os/os_sync_wait_on_address.h, which older SDKs lack. The
 * kernel identifies a word by its address, or where it is mapped from, the size
 * and the flags (0, memory private to the process, or 1, shared): Go uses the
 * same values. The clock, 32, is
 * mach_absolute_time, the only one supported; it stops while the machine
 * sleeps, and a wait may end later by that time.
 */
extern int os_sync_wait_on_address(void *, uint64_t, size_t, uint32_t);
extern int os_sync_wait_on_address_with_timeout(void *, uint64_t, size_t,
						uint32_t, uint32_t, uint64_t);
extern int os_sync_wake_by_address_any(void *, size_t, uint32_t);
extern int os_sync_wake_by_address_all(void *, size_t, uint32_t);

static inline uint32_t ost_op_(unsigned flags)
{
	return flags & OST_PSHARED ? 1 : 0;
}

static inline int ost_sleep_on_(uint32_t *word, uint32_t old,
				const struct timespec *deadline,
				unsigned flags)
{
	const int64_t longest = 86400; /* s; a longer wait ends spuriously */
	struct timespec now;
	int64_t s, ns = 0;
	int saved = errno;

	if (!deadline) {
		os_sync_wait_on_address(word, old, sizeof(*word),
					ost_op_(flags));
	} else {
		clock_gettime(CLOCK_MONOTONIC, &now);
		s = (int64_t)deadline->tv_sec - now.tv_sec;
		if (s > longest)
			s = longest;
		if (s >= 0)
			ns = s * 1000000000 + deadline->tv_nsec - now.tv_nsec;
		if (ns > 0)
			os_sync_wait_on_address_with_timeout(word, old,
				sizeof(*word), ost_op_(flags), 32,
				(uint64_t)ns);
	}
	errno = saved;
	return deadline && ns <= 0 ? ETIMEDOUT : 0;
}

static inline void ost_wake_on_(uint32_t *word, int n, unsigned flags)
{
	int (*wake)(void *, size_t, uint32_t) =
		n == OST_ALL_ ? os_sync_wake_by_address_all :
				os_sync_wake_by_address_any;
	int saved = errno;

	/* A wakeup must not be lost because the kernel was out of memory. */
	while (n > 0)
		if (!wake(word, sizeof(*word), ost_op_(flags)))
			n = n == OST_ALL_ ? 0 : n - 1;
		else if (errno != EINTR && errno != ENOMEM)
			break;
	errno = saved;
}

#else /* _WIN32 */

/*
 * WaitOnAddress, WakeByAddressSingle and WakeByAddressAll, which know only
 * their own process, are looked up at run time, because
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

static inline int ost_sleep_on_(uint32_t *word, uint32_t old,
				const struct timespec *deadline,
				unsigned flags)
{
	struct timespec now;
	int64_t s, ms;

	(void)flags;
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

static inline void ost_wake_on_(uint32_t *word, int n, unsigned flags)
{
	static ost_any_fn_ one, all;

	(void)flags;
	if (n == OST_ALL_)
		((ost_wake_fn_)ost_find_(&all, "WakeByAddressAll"))(word);
	else
		while (n-- > 0)
			((ost_wake_fn_)ost_find_(&one, "WakeByAddressSingle"))(
				word);
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

/*
 * Limits of waits. A wait that several processes take part in sleeps for no
 * longer than a slice and then checks its word again: a process that is killed
 * between its store and its wakeup, or once it has been woken, leaves the
 * others asleep for a slice, not for ever.
 */

#define OST_SLICE_	100000000	/* ns */

typedef struct {
	const struct timespec *at; /* on clock; null: never */
	clockid_t clock;
	unsigned flags;	/* of the object */
	int64_t slice;	/* ns; the longest sleep, 0 for no limit */
	unsigned sleeps; /* begun */
} ost_limit_;

/* how often a compare-and-swap or a sleep may fail before there is a nap of
 * 1 ms */
#define OST_FAILURES_	1000

/* The time ns, at most 1 s, from now by CLOCK_MONOTONIC. */
static inline struct timespec ost_from_now_(long ns)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ns;
	if (t.tv_nsec > 999999999) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Sleeps for 1 ms. */
static inline void ost_nap_(void)
{
	struct timespec end = ost_from_now_(1000000);
	uint32_t own = 0;

	while (!ost_sleep_on_(&own, 0, &end, 0))
		;
}

/*
 * Sets l to the limit at, an absolute time on clock; a null at never ends.
 * Returns 0, or EINVAL for an invalid time or a clock other than
 * CLOCK_MONOTONIC, CLOCK_REALTIME and, where there is one, CLOCK_BOOTTIME.
 */
static inline int ost_limit_init_(ost_limit_ *l, unsigned flags,
				  clockid_t clock, const struct timespec *at)
{
	l->at = at;
	l->clock = clock;
	l->flags = flags;
	l->slice = flags & OST_PSHARED ? OST_SLICE_ : 0;
	l->sleeps = 0;
	if (!at)
		return 0;
	if (at->tv_nsec < 0 || at->tv_nsec > 999999999)
		return EINVAL;
	if (clock == CLOCK_MONOTONIC)
		return 0;
	l->slice = OST_SLICE_; /* the other clocks jump */
	if (clock == CLOCK_REALTIME)
		return 0;
#ifdef CLOCK_BOOTTIME
	if (clock == CLOCK_BOOTTIME)
		return 0;
#endif
	return EINVAL;
}

/* The ns from now to l's end, 0 if that has passed. l must have one. */
static inline int64_t ost_limit_left_(const ost_limit_ *l)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;
	struct timespec now = { 0, 0 };
	int64_t s, ns;

	clock_gettime(l->clock, &now);
	if (l->at->tv_sec < now.tv_sec)
		return 0;
	s = (int64_t)l->at->tv_sec - now.tv_sec;
	ns = (int64_t)l->at->tv_nsec - now.tv_nsec;
	if (s > most)
		s = most;
	ns += s * 1000000000;
	return ns > 0 ? ns : 0;
}

/*
 * ost_wait_on_ - sleep on word while it holds old
 *
 * Returns 0 when it was woken, when the word differs, after a slice, or
 * spuriously: check the word again. Returns ETIMEDOUT once l has ended; a
 * wakeup that came before may have been used up, so the caller tries once more
 * before it reports that.
 *
 * A process that changes the word, or wakes, all the time prevents the sleep.
 * So every OST_FAILURES_ calls there is a nap.
 */
static inline int ost_wait_on_(uint32_t *word, uint32_t old, ost_limit_ *l)
{
	struct timespec end;
	int64_t ns = l->slice;
	int err;

	if (++l->sleeps % OST_FAILURES_ == 0) {
		ost_nap_();
		if (l->at && !ost_limit_left_(l))
			return ETIMEDOUT;
	}
	if (!l->slice)
		return l->at && l->at->tv_sec < 0 ?
			       ETIMEDOUT :
			       ost_sleep_on_(word, old, l->at, l->flags);
	if (l->at) {
		int64_t left = ost_limit_left_(l);

		if (!left)
			return ETIMEDOUT;
		if (left < ns)
			ns = left;
	}
	end = ost_from_now_((long)ns);
	err = ost_sleep_on_(word, old, &end, l->flags);
	return err && l->at && !ost_limit_left_(l) ? ETIMEDOUT : 0;
}

#ifdef __cplusplus
}
#endif

#endif
