/*
 * smoke.c - every function of osthread.h from plain C, and from C++
 */
#include "osthread.h"

#include <pthread.h>
#include <stdio.h>

#define THREADS	4
#define TIMES	100000

static ost_mutex_t m = OST_MUTEX_INIT;
static long counter;

static void *add(void *unused)
{
	long i;

	(void)unused;
	for (i = 0; i < TIMES; i++) {
		ost_mutex_lock(&m);
		counter++;
		ost_mutex_unlock(&m);
	}
	return 0;
}

static struct timespec after_ms(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static int failed;

static void check(const char *what, int got, int want)
{
	if (got != want) {
		printf("%s: got %d, want %d\n", what, got, want);
		failed = 1;
	}
}

static ost_sem_t sem = OST_SEM_INIT(0);
static ost_event_t event = OST_EVENT_INIT, automatic = OST_EVENT_AUTO_INIT;
static ost_barrier_t barrier = OST_BARRIER_INIT(2);

static void *other(void *unused)
{
	(void)unused;
	check("sem_wait", ost_sem_wait(&sem), 0);
	check("event_set", ost_event_set(&event), 0);
	check("event_wait", ost_event_wait(&automatic), 0);
	return ost_barrier_wait(&barrier) ? &barrier : 0;
}

/* semaphore, events and barrier */
static void signals(void)
{
	struct timespec past = { 0, 0 };
	pthread_t t;
	void *serial;
	unsigned n = 0;
	int set = 0;

	check("sem_init", ost_sem_init(&sem, 1, 0), 0);
	check("sem_trywait", ost_sem_trywait(&sem), 0);
	check("sem_trywait of none", ost_sem_trywait(&sem), EAGAIN);
	check("sem_timedwait", ost_sem_timedwait(&sem, &past), ETIMEDOUT);
	check("sem_clockwait", ost_sem_clockwait(&sem, CLOCK_REALTIME, &past),
	      ETIMEDOUT);
	check("event_init", ost_event_init(&event, 0), 0);
	check("event_init", ost_event_init(&automatic, OST_EVENT_AUTO), 0);
	check("event_trywait", ost_event_trywait(&event), EAGAIN);
	check("event_timedwait", ost_event_timedwait(&automatic, &past),
	      ETIMEDOUT);
	check("event_clockwait",
	      ost_event_clockwait(&event, CLOCK_REALTIME, &past), ETIMEDOUT);
	check("barrier_init", ost_barrier_init(&barrier, 2, 0), 0);
	check("barrier_timedwait", ost_barrier_timedwait(&barrier, &past),
	      ETIMEDOUT);
	check("barrier_clockwait",
	      ost_barrier_clockwait(&barrier, CLOCK_REALTIME, &past),
	      ETIMEDOUT);
	check("pthread_create", pthread_create(&t, 0, other, 0), 0);
	check("sem_post", ost_sem_post(&sem), 0);
	check("event_wait", ost_event_wait(&event), 0);
	check("event_is_set", ost_event_is_set(&event, &set), 0);
	check("event is set", set, 1);
	check("event_clear", ost_event_clear(&event), 0);
	check("event_set", ost_event_set(&automatic), 0);
	set = ost_barrier_wait(&barrier) == OST_BARRIER_SERIAL;
	check("pthread_join", pthread_join(t, &serial), 0);
	check("serial parties", set + !!serial, 1);
	check("sem_getvalue", ost_sem_getvalue(&sem, &n), 0);
	check("value", (int)n, 0);
}

/* Every function of ost_pmutex.h, on a mutex with those attributes. */
static void pmutex(unsigned attr)
{
	struct timespec soon = after_ms(2);
	ost_pmutex_t p = OST_PMUTEX_INIT;
	int err = ost_pmutex_init(&p, attr);

	if (err == ENOTSUP)
		return;
	ost_self_prepare();
	check("init", err, 0);
	check("lock", ost_pmutex_lock(&p), 0);
	if (attr & OST_MUTEX_RECURSIVE) {
		check("relock", ost_pmutex_lock(&p), 0);
		check("unlock", ost_pmutex_unlock(&p), 0);
	} else if (attr & OST_MUTEX_ERRORCHECK) {
		check("relock", ost_pmutex_lock(&p), EDEADLK);
		check("timedlock", ost_pmutex_timedlock(&p, &soon), EDEADLK);
	} else if (!(attr & OST_INHERIT)) {
		check("timedlock", ost_pmutex_timedlock(&p, &soon), ETIMEDOUT);
	}
	check("destroy", ost_pmutex_destroy(&p), EBUSY);
	check("consistent", ost_pmutex_consistent(&p), EINVAL);
	check("unlock", ost_pmutex_unlock(&p), 0);
	check("unlock", ost_pmutex_unlock(&p), EPERM);
	check("trylock", ost_pmutex_trylock(&p), 0);
	check("unlock", ost_pmutex_unlock(&p), 0);
	check("clocklock", ost_pmutex_clocklock(&p, CLOCK_REALTIME, &soon), 0);
	check("unlock", ost_pmutex_unlock(&p), 0);
	check("destroy", ost_pmutex_destroy(&p), 0);
	check("lock", ost_pmutex_lock(&p), EINVAL);
}

static void pmutexes(void)
{
	static const unsigned kinds[] = { OST_MUTEX_DEFAULT,
					  OST_MUTEX_ERRORCHECK,
					  OST_MUTEX_RECURSIVE };
	ost_pmutex_t p = OST_PMUTEX_INIT_ATTR(OST_MUTEX_RECURSIVE);
	unsigned i, others;

	for (i = 0; i < 3; i++) {
		for (others = 0; others < 8; others++)
			pmutex(kinds[i] | (others & 1 ? OST_ROBUST : 0) |
			       (others & 2 ? OST_INHERIT : 0) |
			       (others & 4 ? OST_PSHARED : 0));
	}
	check("lock", ost_pmutex_lock(&p), 0);
	check("relock", ost_pmutex_lock(&p), 0);
}

static ost_pmutex_t guard = OST_PMUTEX_INIT;
static ost_cond_t cond = OST_COND_INIT, cond2 = OST_COND_INIT;
static ost_rwlock_t rw = OST_RWLOCK_INIT;
static ost_once_t once = OST_ONCE_INIT;
static int ready, ready_plain, ran;

static void *notify(void *unused)
{
	(void)unused;
	ost_pmutex_lock(&guard);
	ready = 1;
	check("cond_signal", ost_cond_signal(&cond), 0);
	ost_pmutex_unlock(&guard);
	ost_mutex_lock(&m);
	ready_plain = 1;
	ost_mutex_unlock(&m);
	check("cond_broadcast", ost_cond_broadcast(&cond2), 0);
	return 0;
}

static void conditions(void)
{
	struct timespec past = { 0, 0 };
	pthread_t t;

	check("cond_init", ost_cond_init(&cond, 0), 0);
	ost_pmutex_lock(&guard);
	check("cond_timedwait", ost_cond_timedwait(&cond, &guard, &past),
	      ETIMEDOUT);
	check("cond_clockwait",
	      ost_cond_clockwait(&cond, &guard, CLOCK_REALTIME, &past),
	      ETIMEDOUT);
	check("pthread_create", pthread_create(&t, 0, notify, 0), 0);
	while (!ready)
		check("cond_wait", ost_cond_wait(&cond, &guard), 0);
	ost_pmutex_unlock(&guard);
	ost_mutex_lock(&m);
	check("cond_timedwait_plain",
	      ost_cond_timedwait_plain(&cond, &m, &past), ETIMEDOUT);
	check("cond_clockwait_plain",
	      ost_cond_clockwait_plain(&cond, &m, CLOCK_REALTIME, &past),
	      ETIMEDOUT);
	while (!ready_plain)
		check("cond_wait_plain", ost_cond_wait_plain(&cond2, &m), 0);
	ost_mutex_unlock(&m);
	check("pthread_join", pthread_join(t, 0), 0);
}

static void rwlocks(void)
{
	struct timespec past = { 0, 0 };

	check("rwlock_init", ost_rwlock_init(&rw, 0), 0);
	check("rdlock", ost_rwlock_rdlock(&rw), 0);
	check("tryrdlock", ost_rwlock_tryrdlock(&rw), 0);
	check("timedrdlock", ost_rwlock_timedrdlock(&rw, &past), 0);
	check("clockrdlock",
	      ost_rwlock_clockrdlock(&rw, CLOCK_REALTIME, &past), 0);
	check("trywrlock", ost_rwlock_trywrlock(&rw), EBUSY);
	check("timedwrlock", ost_rwlock_timedwrlock(&rw, &past), ETIMEDOUT);
	check("rdunlock", ost_rwlock_rdunlock(&rw), 0);
	check("rdunlock", ost_rwlock_rdunlock(&rw), 0);
	check("unlock", ost_rwlock_unlock(&rw), 0);
	check("unlock", ost_rwlock_unlock(&rw), 0);
	check("clockwrlock",
	      ost_rwlock_clockwrlock(&rw, CLOCK_REALTIME, &past), 0);
	check("tryrdlock", ost_rwlock_tryrdlock(&rw), EBUSY);
	check("consistent", ost_rwlock_consistent(&rw), EINVAL);
	check("wrunlock", ost_rwlock_wrunlock(&rw), 0);
	check("wrlock", ost_rwlock_wrlock(&rw), 0);
	check("unlock", ost_rwlock_unlock(&rw), 0);
}

static void run(void)
{
	ran++;
}

static void onces(void)
{
	check("once_init", ost_once_init(&once, 0), 0);
	check("once_begin", ost_once_begin(&once), 0);
	check("once_end", ost_once_end(&once, 0), 0);
	check("once_is_done", ost_once_is_done(&once), 0);
	check("once", ost_once(&once, run), 0);
	check("once", ost_once(&once, run), 0);
	check("ran", ran, 1);
	check("once_is_done", ost_once_is_done(&once), 1);
}

/* a wait whose word another process changes all the time */
static void prevented(void)
{
	struct timespec began = after_ms(0), now, end = after_ms(5);
	uint32_t word = 0;
	ost_limit_ l;
	int i;

	ost_limit_init_(&l, 0, CLOCK_MONOTONIC, 0);
	for (i = 0; i < 5 * OST_FAILURES_; i++)
		check("prevented sleep", ost_wait_on_(&word, 1, &l), 0);
	now = after_ms(0);
	check("naps", (now.tv_sec - began.tv_sec) * 1000 +
		      (now.tv_nsec - began.tv_nsec) / 1000000 >= 5, 1);
	ost_limit_init_(&l, 0, CLOCK_MONOTONIC, &end);
	while (!ost_wait_on_(&word, 1, &l))
		;
}

int main(void)
{
	struct timespec soon = after_ms(5), bad = { 0, 1000000000 };
	struct timespec past = { -1, 0 };
	pthread_t t[THREADS];
	int i;

	errno = 0;
	check("unlock of a free lock", ost_mutex_unlock(&m), EPERM);
	check("lock", ost_mutex_lock(&m), 0);
	check("trylock of a held lock", ost_mutex_trylock(&m), EBUSY);
	check("timedlock of a held lock", ost_mutex_timedlock(&m, &soon),
	      ETIMEDOUT);
	check("timedlock with a bad time", ost_mutex_timedlock(&m, &bad),
	      EINVAL);
	check("timedlock before time began", ost_mutex_timedlock(&m, &past),
	      ETIMEDOUT);
	check("unlock", ost_mutex_unlock(&m), 0);
	check("timedlock of a free lock", ost_mutex_timedlock(&m, &past), 0);
	check("unlock", ost_mutex_unlock(&m), 0);
	check("trylock", ost_mutex_trylock(&m), 0);
	check("unlock", ost_mutex_unlock(&m), 0);
	signals();
	conditions();
	rwlocks();
	onces();
	prevented();
	check("errno", errno, 0);
	for (i = 0; i < THREADS; i++)
		check("pthread_create", pthread_create(&t[i], 0, add, 0), 0);
	for (i = 0; i < THREADS; i++)
		check("pthread_join", pthread_join(t[i], 0), 0);
	check("counter", counter == (long)THREADS * TIMES, 1);
	pmutexes();
	return failed;
}
