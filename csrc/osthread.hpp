/*
 * osthread.hpp - the objects that C and Go share, for C++11
 *
 * Each class is one object of the C headers, of the same layout: a pointer to
 * either may be used as a pointer to the other. They fit the standard library:
 *
 *	class			object		is
 *	ost::plain_mutex	ost_mutex_t	TimedLockable
 *	ost::mutex		ost_pmutex_t	TimedLockable
 *	ost::shared_mutex	ost_rwlock_t	SharedTimedLockable
 *	ost::condition_variable	ost_cond_t	as std's, with ost::mutex
 *	ost::counting_semaphore	ost_sem_t	as C++20's
 *	ost::event		ost_event_t
 *	ost::barrier		ost_barrier_t
 *	ost::once_flag		ost_once_t	with ost::call_once
 *
 * So std::lock_guard and std::unique_lock take the first three, and
 * std::condition_variable_any waits with them. ost::segment, ost::ring_writer
 * and ost::ring_reader own handles of ost_segment.h and ost_ring.h, and close
 * them.
 *
 * An object may lie in memory of Go, or that processes share, and be used there
 * through a pointer. Its constructor makes it and must run once, by one side;
 * a constructor without attributes leaves all words 0 and is constexpr. No
 * class has a destructor: the memory may go once it is not used.
 *
 * Functions that cannot do what they say throw std::system_error with the errno
 * value of the C function, in std::generic_category. try_ functions return
 * false for EBUSY, EAGAIN and ETIMEDOUT. unlock throws, too, which ends the
 * program in a destructor of std::lock_guard: it is an error of the program.
 *
 * A robust lock whose owner has died throws ost::owner_died, and the caller
 * then holds the lock:
 *
 *	try {
 *		m.lock();
 *	} catch (const ost::owner_died &) {
 *		... repair ...
 *		m.consistent();
 *	}
 *	std::lock_guard<ost::mutex> guard(m, std::adopt_lock);
 *
 * As each class only calls its C function, that says what a signal handler and
 * a real-time thread may call; neither may throw, so both use the C functions.
 */
#ifndef OSTHREAD_HPP
#define OSTHREAD_HPP

#include "osthread.h"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <system_error>

namespace ost
{

/* The caller holds the lock; what it protects may be inconsistent. */
class owner_died : public std::system_error
{
public:
	owner_died() : std::system_error(EOWNERDEAD, std::generic_category()) {}
};

namespace detail
{

[[noreturn]] inline void raise(int err)
{
	if (err == EOWNERDEAD)
		throw owner_died();
	throw std::system_error(err, std::generic_category());
}

inline void check(int err)
{
	if (err)
		raise(err);
}

/* Whether it succeeded; false if the caller would have to wait. */
inline bool tried(int err)
{
	if (err == EBUSY || err == EAGAIN || err == ETIMEDOUT)
		return false;
	check(err);
	return true;
}

/* The time d from now on CLOCK_MONOTONIC; at most 10 years. */
template <class Rep, class Period>
timespec after(const std::chrono::duration<Rep, Period> &d)
{
	const long long second = 1000000000;
	const std::chrono::hours longest(24 * 3650);
	timespec t = timespec();
	long long ns = 0;

	if (d > d.zero()) {
		std::chrono::nanoseconds n(longest);

		if (d < longest) {
			n = std::chrono::duration_cast<
				std::chrono::nanoseconds>(d);
			if (n < d) /* it must not end early */
				++n;
		}
		ns = static_cast<long long>(n.count());
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += static_cast<time_t>(ns / second);
	t.tv_nsec = static_cast<long>(ns % second);
	return t;
}

/*
 * A deadline of any clock as a clock of C and its time. The time of day is
 * CLOCK_REALTIME, which may jump; any other clock counts from now.
 */
struct deadline {
	clockid_t clock;
	timespec at;

	template <class Clock, class Duration>
	explicit deadline(const std::chrono::time_point<Clock, Duration> &t)
		: clock(CLOCK_MONOTONIC), at(after(t - Clock::now()))
	{
	}

	template <class Duration>
	explicit deadline(const std::chrono::time_point<
			  std::chrono::system_clock, Duration> &t)
		: clock(CLOCK_REALTIME), at()
	{
		using namespace std::chrono;
		nanoseconds n = duration_cast<nanoseconds>(
			t.time_since_epoch());

		if (n.count() > 0) {
			at.tv_sec = static_cast<time_t>(n.count() / 1000000000);
			at.tv_nsec = static_cast<long>(n.count() % 1000000000);
		}
	}
};

} // namespace detail

/* ost_mutex_t, Go's thread.Lock: 4 bytes, no owner, any thread may unlock. */
class plain_mutex
{
public:
	constexpr plain_mutex() noexcept : m_() {}
	plain_mutex(const plain_mutex &) = delete;
	plain_mutex &operator=(const plain_mutex &) = delete;

	void lock() { detail::check(ost_mutex_lock(&m_)); }
	bool try_lock() { return detail::tried(ost_mutex_trylock(&m_)); }
	void unlock() { detail::check(ost_mutex_unlock(&m_)); }

	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return detail::tried(ost_mutex_timedlock(&m_, &t));
	}

	/* A jump of the time of day while it waits is not noticed. */
	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t)
	{
		return try_lock_for(t - Clock::now());
	}

	ost_mutex_t *native_handle() noexcept { return &m_; }

private:
	ost_mutex_t m_;
};

/* ost_pmutex_t, Go's shared.Mutex: with the attributes of OST_MUTEX_*. */
class mutex
{
public:
	constexpr mutex() noexcept : m_() {}
	explicit mutex(unsigned attr) : m_()
	{
		detail::check(ost_pmutex_init(&m_, attr));
	}
	mutex(const mutex &) = delete;
	mutex &operator=(const mutex &) = delete;

	void lock() { detail::check(ost_pmutex_lock(&m_)); }
	bool try_lock() { return detail::tried(ost_pmutex_trylock(&m_)); }
	void unlock() { detail::check(ost_pmutex_unlock(&m_)); }
	void consistent() { detail::check(ost_pmutex_consistent(&m_)); }

	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return detail::tried(ost_pmutex_timedlock(&m_, &t));
	}

	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return detail::tried(
			ost_pmutex_clocklock(&m_, d.clock, &d.at));
	}

	ost_pmutex_t *native_handle() noexcept { return &m_; }

private:
	ost_pmutex_t m_;
};

/* ost_rwlock_t, Go's shared.RWMutex: OST_ROBUST and OST_PSHARED. */
class shared_mutex
{
public:
	constexpr shared_mutex() noexcept : rw_() {}
	explicit shared_mutex(unsigned flags) : rw_()
	{
		detail::check(ost_rwlock_init(&rw_, flags));
	}
	shared_mutex(const shared_mutex &) = delete;
	shared_mutex &operator=(const shared_mutex &) = delete;

	void lock() { detail::check(ost_rwlock_wrlock(&rw_)); }
	bool try_lock() { return detail::tried(ost_rwlock_trywrlock(&rw_)); }
	void unlock() { detail::check(ost_rwlock_wrunlock(&rw_)); }
	void consistent() { detail::check(ost_rwlock_consistent(&rw_)); }

	/*
	 * These throw std::system_error for EOWNERDEAD, not owner_died: the
	 * reader does not hold the lock then.
	 */
	void lock_shared() { reader(ost_rwlock_rdlock(&rw_)); }
	bool try_lock_shared() { return reader(ost_rwlock_tryrdlock(&rw_)); }
	void unlock_shared() { detail::check(ost_rwlock_rdunlock(&rw_)); }

	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return detail::tried(ost_rwlock_timedwrlock(&rw_, &t));
	}

	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return detail::tried(
			ost_rwlock_clockwrlock(&rw_, d.clock, &d.at));
	}

	template <class Rep, class Period>
	bool try_lock_shared_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return reader(ost_rwlock_timedrdlock(&rw_, &t));
	}

	template <class Clock, class Duration>
	bool try_lock_shared_until(
		const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return reader(ost_rwlock_clockrdlock(&rw_, d.clock, &d.at));
	}

	ost_rwlock_t *native_handle() noexcept { return &rw_; }

private:
	static bool reader(int err)
	{
		if (err == EOWNERDEAD)
			throw std::system_error(err, std::generic_category());
		return detail::tried(err);
	}

	ost_rwlock_t rw_;
};

/*
 * ost_cond_t, Go's shared.Cond. The lock is that of an ost::mutex, which is
 * locked again when a wait returns or throws owner_died.
 */
class condition_variable
{
public:
	constexpr condition_variable() noexcept : c_() {}
	explicit condition_variable(unsigned flags) : c_()
	{
		detail::check(ost_cond_init(&c_, flags));
	}
	condition_variable(const condition_variable &) = delete;
	condition_variable &operator=(const condition_variable &) = delete;

	void notify_one() { detail::check(ost_cond_signal(&c_)); }
	void notify_all() { detail::check(ost_cond_broadcast(&c_)); }

	void wait(std::unique_lock<mutex> &l)
	{
		detail::check(ost_cond_wait(&c_, l.mutex()->native_handle()));
	}

	template <class Predicate>
	void wait(std::unique_lock<mutex> &l, Predicate stop)
	{
		while (!stop())
			wait(l);
	}

	/* Whether it was notified, perhaps spuriously, before t. */
	template <class Clock, class Duration>
	bool wait_until(std::unique_lock<mutex> &l,
			const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return detail::tried(ost_cond_clockwait(
			&c_, l.mutex()->native_handle(), d.clock, &d.at));
	}

	template <class Clock, class Duration, class Predicate>
	bool wait_until(std::unique_lock<mutex> &l,
			const std::chrono::time_point<Clock, Duration> &t,
			Predicate stop)
	{
		while (!stop())
			if (!wait_until(l, t))
				return stop();
		return true;
	}

	template <class Rep, class Period>
	bool wait_for(std::unique_lock<mutex> &l,
		      const std::chrono::duration<Rep, Period> &d)
	{
		return wait_until(l, std::chrono::steady_clock::now() + d);
	}

	template <class Rep, class Period, class Predicate>
	bool wait_for(std::unique_lock<mutex> &l,
		      const std::chrono::duration<Rep, Period> &d,
		      Predicate stop)
	{
		return wait_until(l, std::chrono::steady_clock::now() + d,
				  stop);
	}

	ost_cond_t *native_handle() noexcept { return &c_; }

private:
	ost_cond_t c_;
};

/* ost_sem_t, Go's shared.Semaphore. */
class counting_semaphore
{
public:
	explicit counting_semaphore(unsigned value, unsigned flags = 0) : s_()
	{
		detail::check(ost_sem_init(&s_, value, flags));
	}
	counting_semaphore(const counting_semaphore &) = delete;
	counting_semaphore &operator=(const counting_semaphore &) = delete;

	static constexpr std::ptrdiff_t(max)() noexcept { return OST_SEM_MAX; }

	void release(std::ptrdiff_t n = 1)
	{
		for (; n > 0; n--)
			detail::check(ost_sem_post(&s_));
	}

	void acquire() { detail::check(ost_sem_wait(&s_)); }
	bool try_acquire() { return detail::tried(ost_sem_trywait(&s_)); }

	template <class Rep, class Period>
	bool try_acquire_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return detail::tried(ost_sem_timedwait(&s_, &t));
	}

	template <class Clock, class Duration>
	bool try_acquire_until(const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return detail::tried(ost_sem_clockwait(&s_, d.clock, &d.at));
	}

	ost_sem_t *native_handle() noexcept { return &s_; }

private:
	ost_sem_t s_;
};

/* ost_event_t, Go's shared.Event: OST_EVENT_AUTO and OST_PSHARED. */
class event
{
public:
	constexpr event() noexcept : e_() {}
	explicit event(unsigned flags) : e_()
	{
		detail::check(ost_event_init(&e_, flags));
	}
	event(const event &) = delete;
	event &operator=(const event &) = delete;

	void set() { detail::check(ost_event_set(&e_)); }
	void clear() { detail::check(ost_event_clear(&e_)); }
	void wait() { detail::check(ost_event_wait(&e_)); }
	bool try_wait() { return detail::tried(ost_event_trywait(&e_)); }

	template <class Rep, class Period>
	bool wait_for(const std::chrono::duration<Rep, Period> &d)
	{
		timespec t = detail::after(d);

		return detail::tried(ost_event_timedwait(&e_, &t));
	}

	template <class Clock, class Duration>
	bool wait_until(const std::chrono::time_point<Clock, Duration> &t)
	{
		detail::deadline d(t);

		return detail::tried(ost_event_clockwait(&e_, d.clock, &d.at));
	}

	ost_event_t *native_handle() noexcept { return &e_; }

private:
	ost_event_t e_;
};

/* ost_barrier_t, Go's shared.Barrier. */
class barrier
{
public:
	explicit barrier(unsigned parties, unsigned flags = 0) : b_()
	{
		detail::check(ost_barrier_init(&b_, parties, flags));
	}
	barrier(const barrier &) = delete;
	barrier &operator=(const barrier &) = delete;

	/* Returns whether this was the last party. */
	bool arrive_and_wait()
	{
		int err = ost_barrier_wait(&b_);

		if (err == OST_BARRIER_SERIAL)
			return true;
		detail::check(err);
		return false;
	}

	ost_barrier_t *native_handle() noexcept { return &b_; }

private:
	ost_barrier_t b_;
};

/* ost_once_t, Go's shared.Once. */
class once_flag
{
public:
	constexpr once_flag() noexcept : o_() {}
	once_flag(const once_flag &) = delete;
	once_flag &operator=(const once_flag &) = delete;

	ost_once_t *native_handle() noexcept { return &o_; }

private:
	ost_once_t o_;
};

/* Calls f, unless a call with flag has returned; one that throws has not. */
template <class Function>
void call_once(once_flag &flag, Function &&f)
{
	int err = ost_once_begin(flag.native_handle());

	if (err == EALREADY)
		return;
	detail::check(err);
	try {
		f();
	} catch (...) {
		ost_once_end(flag.native_handle(), 0);
		throw;
	}
	detail::check(ost_once_end(flag.native_handle(), 1));
}

/* A handle of ost_segment.h, detached by the destructor. */
class segment
{
public:
	/* A segment of size bytes in a sealed memfd. */
	segment(const char *name, std::size_t size, std::uint32_t version) : s_()
	{
		detail::check(ost_segment_memfd(&s_, name, size, version));
	}
	/* The segment of a descriptor that a peer has passed, which it takes. */
	segment(int fd, std::uint32_t version) : s_()
	{
		detail::check(ost_segment_attach(&s_, fd, version));
	}
	segment(const segment &) = delete;
	segment &operator=(const segment &) = delete;
	~segment() { ost_segment_detach(&s_); }

	std::size_t size() const noexcept { return ost_segment_size(&s_); }

	/* The T at offset, which is in the segment and aligned. */
	template <class T> T *at(std::size_t offset) const
	{
		return static_cast<T *>(bytes(offset, sizeof(T), alignof(T)));
	}

	void *bytes(std::size_t offset, std::size_t n, std::size_t align) const
	{
		void *p = nullptr;

		detail::check(ost_segment_at(&s_, offset, n, align, &p));
		return p;
	}

	ost_segment_t *native_handle() noexcept { return &s_; }

private:
	ost_segment_t s_;
};

/* The handles of a ring's two sides, closed by the destructor. */
class ring_writer
{
public:
	ring_writer(ost_ring_t *r, std::size_t size) : w_()
	{
		detail::check(ost_ring_writer(&w_, r, size));
	}
	ring_writer(const ring_writer &) = delete;
	ring_writer &operator=(const ring_writer &) = delete;
	~ring_writer() { ost_ring_writer_close(&w_); }

	/* Whether the record is written; false if there is no room. */
	bool try_write(const void *from, std::size_t n)
	{
		std::size_t done;

		return detail::tried(ost_ring_trywrite(&w_, from, n, &done));
	}

	void wait_room(std::size_t n) { detail::check(ost_ring_waitroom(&w_, n)); }

	ost_ring_writer_t *native_handle() noexcept { return &w_; }

private:
	ost_ring_writer_t w_;
};

class ring_reader
{
public:
	ring_reader(ost_ring_t *r, std::size_t size) : r_()
	{
		detail::check(ost_ring_reader(&r_, r, size));
	}
	ring_reader(const ring_reader &) = delete;
	ring_reader &operator=(const ring_reader &) = delete;
	~ring_reader() { ost_ring_reader_close(&r_); }

	/*
	 * Waits for the next record, and copies it: done is its length. Returns
	 * false if there is none and the writer has closed.
	 */
	bool read(void *to, std::size_t n, std::size_t &done)
	{
		int err = ost_ring_wait(&r_);

		if (!err)
			err = ost_ring_tryread(&r_, to, n, &done);
		if (err == ENODATA)
			return false;
		detail::check(err);
		return true;
	}

	ost_ring_reader_t *native_handle() noexcept { return &r_; }

private:
	ost_ring_reader_t r_;
};

} // namespace ost

#endif
