/*
 * smoke.cpp - the classes of osthread.hpp with those of the standard library
 */
#include "osthread.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

static int failed;

static void check(const char *what, bool ok)
{
	if (!ok) {
		std::printf("%s: failed\n", what);
		failed = 1;
	}
}

template <class F> static int error_of(F f)
{
	try {
		f();
	} catch (const std::system_error &e) {
		return e.code().value();
	}
	return 0;
}

static const std::chrono::milliseconds ms(1);

/* Threads that add under std::lock_guard and std::unique_lock. */
template <class Mutex> static void guards(const char *what)
{
	Mutex m;
	long sum = 0;
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++)
		threads.emplace_back([&] {
			for (int k = 0; k < 10000; k++) {
				if (k % 2) {
					std::lock_guard<Mutex> guard(m);
					sum++;
				} else {
					std::unique_lock<Mutex> l(m);
					sum++;
				}
			}
		});
	for (auto &t : threads)
		t.join();
	check(what, sum == 40000);

	std::unique_lock<Mutex> l(m);
	std::thread other([&] {
		check(what, !std::unique_lock<Mutex>(m, std::try_to_lock));
		check(what, !std::unique_lock<Mutex>(m, ms));
		check(what, !std::unique_lock<Mutex>(
				    m, std::chrono::steady_clock::now() + ms));
		check(what, !std::unique_lock<Mutex>(
				    m, std::chrono::system_clock::now() + ms));
	});
	other.join();
	l.unlock();
	check(what, error_of([&] { m.unlock(); }) == EPERM);

	/* std::condition_variable_any unlocks and locks it. */
	std::condition_variable_any any;
	bool ready = false;
	std::thread notifier([&] {
		std::lock_guard<Mutex> guard(m);
		ready = true;
		any.notify_one();
	});
	l.lock();
	any.wait(l, [&] { return ready; });
	l.unlock();
	notifier.join();
}

static void conditions()
{
	ost::mutex m;
	ost::condition_variable c;
	int turn = 0;
	std::thread other([&] {
		std::unique_lock<ost::mutex> l(m);
		for (int i = 0; i < 1000; i++) {
			c.wait(l, [&] { return turn == 1; });
			turn = 0;
			c.notify_all();
		}
	});
	{
		std::unique_lock<ost::mutex> l(m);
		for (int i = 0; i < 1000; i++) {
			turn = 1;
			c.notify_one();
			c.wait(l, [&] { return turn == 0; });
		}
	}
	other.join();
	std::unique_lock<ost::mutex> l(m);
	check("wait_for", !c.wait_for(l, ms, [] { return false; }));
	check("wait_until", !c.wait_until(l, std::chrono::system_clock::now() +
					     ms, [] { return false; }));
}

static void kinds()
{
	ost::mutex recursive(OST_MUTEX_RECURSIVE), checking(OST_MUTEX_ERRORCHECK);

	recursive.lock();
	check("recursive", recursive.try_lock());
	recursive.unlock();
	recursive.unlock();
	checking.lock();
	check("errorcheck", error_of([&] { checking.lock(); }) == EDEADLK);
	checking.unlock();
	check("attributes", error_of([] { ost::mutex m(0xffff); }) != 0);
}

static void robust()
{
#ifdef __linux__
	ost::mutex m(OST_ROBUST);
	bool died = false;

	std::thread([&] { m.lock(); }).join();
	try {
		m.lock();
	} catch (const ost::owner_died &) {
		died = true;
		m.consistent();
	}
	check("owner_died", died);
	std::lock_guard<ost::mutex>(m, std::adopt_lock);
	std::lock_guard<ost::mutex>{m};
#endif
}

static void readers()
{
	ost::shared_mutex rw;

	rw.lock_shared();
	check("two readers", rw.try_lock_shared());
	check("no writer", !rw.try_lock());
	check("no writer", !rw.try_lock_for(ms));
	rw.unlock_shared();
	rw.unlock_shared();
	std::lock_guard<ost::shared_mutex> guard(rw);
	std::thread([&] {
		check("no reader", !rw.try_lock_shared());
		check("no reader", !rw.try_lock_shared_for(ms));
		check("no reader", !rw.try_lock_shared_until(
					   std::chrono::steady_clock::now()));
	}).join();
}

static void others()
{
	ost::counting_semaphore s(1);

	s.acquire();
	check("semaphore", !s.try_acquire() && !s.try_acquire_for(ms) &&
	      !s.try_acquire_until(std::chrono::steady_clock::now() + ms));
	s.release(2);
	check("semaphore", s.try_acquire() && s.try_acquire());

	ost::event manual, automatic(OST_EVENT_AUTO);

	check("event", !manual.try_wait() && !manual.wait_for(ms));
	std::thread setter([&] { manual.set(); automatic.set(); });
	manual.wait();
	automatic.wait();
	setter.join();
	check("event", manual.try_wait() && !automatic.try_wait());
	manual.clear();
	check("event", !manual.wait_until(std::chrono::system_clock::now()));

	ost::barrier b(2);
	int last = 0;
	std::thread party([&] { last += b.arrive_and_wait(); b.arrive_and_wait(); });
	int mine = b.arrive_and_wait();
	b.arrive_and_wait();
	party.join();
	check("barrier", last + mine == 1);

	ost::once_flag once;
	int calls = 0;
	check("once", error_of([&] { ost::call_once(once, [&] {
		calls++;
		throw std::system_error(EIO, std::generic_category());
	}); }) == EIO);
	for (int i = 0; i < 3; i++)
		ost::call_once(once, [&] { calls++; });
	check("once", calls == 2);
}

static void rings()
{
	const std::size_t size = ost_ring_size(1024);
	std::vector<std::uint64_t> memory(size / 8 + 1);
	ost_ring_t *r = reinterpret_cast<ost_ring_t *>(memory.data());
	long got = 0, sum = 0;

	check("init", !ost_ring_init(r, size, 1024, OST_RING_RECORDS));
	{
		ost::ring_reader reader(r, size);
		std::thread writer([&] {
			ost::ring_writer w(r, size);
			for (int i = 0; i < 10000; i++) {
				w.wait_room(sizeof(i));
				check("write", w.try_write(&i, sizeof(i)));
			}
		});
		int i;
		std::size_t n;

		while (reader.read(&i, sizeof(i), n)) {
			got += n == sizeof(i);
			sum += i;
		}
		writer.join();
	}
	check("ring", got == 10000 && sum == 49995000);
	check("closed", error_of([&] { ost::ring_writer w(r, size); }) == EPIPE);
#ifdef __linux__
	ost::segment s("smoke", 4096, 1);
	ost::mutex *m = new (s.bytes(64, sizeof(*m), alignof(ost::mutex)))
		ost::mutex(OST_PSHARED);

	m->lock();
	check("segment", s.at<ost::mutex>(64) == m && s.size() == 4096);
	m->unlock();
	check("bounds", error_of([&] { s.at<ost::mutex>(4090); }) == ERANGE);
#endif
}

static_assert(sizeof(ost::mutex) == sizeof(ost_pmutex_t) &&
	      std::is_standard_layout<ost::mutex>::value &&
	      std::is_standard_layout<ost::plain_mutex>::value &&
	      std::is_standard_layout<ost::shared_mutex>::value &&
	      std::is_standard_layout<ost::condition_variable>::value &&
	      std::is_standard_layout<ost::counting_semaphore>::value &&
	      std::is_standard_layout<ost::event>::value &&
	      std::is_standard_layout<ost::barrier>::value &&
	      std::is_standard_layout<ost::once_flag>::value,
	      "a class has the layout of its C object");

int main()
{
	guards<ost::plain_mutex>("plain_mutex");
	guards<ost::mutex>("mutex");
	guards<ost::shared_mutex>("shared_mutex");
	conditions();
	kinds();
	robust();
	readers();
	others();
	rings();
	return failed;
}
