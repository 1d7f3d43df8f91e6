// Threads and processes of C that use a mutex of ost_pmutex.h.

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct adding {
	ost_pmutex_t *m;
	int64_t *counter;
	long times;
	int timed;
};

static void *adder(void *p)
{
	struct adding *a = p;
	struct timespec end;
	long i;
	int err;

	for (i = 0; i < a->times; i++) {
		do {
			end = soon(100);
			err = a->timed ? ost_pmutex_timedlock(a->m, &end) :
					 ost_pmutex_lock(a->m);
		} while (err == ETIMEDOUT);
		++*a->counter;
		ost_pmutex_unlock(a->m);
	}
	return 0;
}

// Makes n threads that add to the counter under m, every other one with
// deadlines, and joins them.
static void mutex_add(void *m, int64_t *counter, int n, long times)
{
	struct adding plain = { m, counter, times, 0 }, timed = { m, counter, times, 1 };
	pthread_t t[16];
	int i;

	for (i = 0; i < n; i++)
		pthread_create(&t[i], 0, adder, i % 2 ? &timed : &plain);
	for (i = 0; i < n; i++)
		pthread_join(t[i], 0);
}

struct call {
	int (*f)(ost_pmutex_t *);
	void *m;
	int err;
};

static void *caller(void *p)
{
	struct call *c = p;

	c->err = c->f(c->m);
	return 0;
}

static int elsewhere(int (*f)(ost_pmutex_t *), void *m)
{
	struct call c = { f, m, -1 };
	pthread_t t;

	pthread_create(&t, 0, caller, &c);
	pthread_join(t, 0);
	return c.err;
}

// Locks m in a thread that ends.
static int mutex_lock_elsewhere(void *m) { return elsewhere(ost_pmutex_lock, m); }
static int mutex_unlock_elsewhere(void *m) { return elsewhere(ost_pmutex_unlock, m); }

// Locks m in a process that calls exec with it, of sleep(1), or in one thread
// of it. Returns its id once m is locked.
static pid_t mutex_lock_and_exec(void *m, int in_thread, uint32_t *locked)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (in_thread)
		mutex_lock_elsewhere(m);
	else
		ost_pmutex_lock(m);
	__atomic_store_n(locked, 1, __ATOMIC_SEQ_CST);
	execlp("sleep", "sleep", "60", (char *)0);
	_exit(1);
}

// Priority inversion: low locks, high waits for the lock, and middle computes.

enum { PLAIN, PI, PTHREAD_PI };

struct inversion {
	int kind;
	ost_pmutex_t m;
	pthread_mutex_t pm;
	int held, waiting;
	int64_t waited;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void compute(int64_t ns)
{
	int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void inv_lock(struct inversion *v)
{
	if (v->kind == PTHREAD_PI)
		pthread_mutex_lock(&v->pm);
	else
		ost_pmutex_lock(&v->m);
}

static void inv_unlock(struct inversion *v)
{
	if (v->kind == PTHREAD_PI)
		pthread_mutex_unlock(&v->pm);
	else
		ost_pmutex_unlock(&v->m);
}

static void *inv_low(void *p)
{
	struct inversion *v = p;

	inv_lock(v);
	__atomic_store_n(&v->held, 1, __ATOMIC_SEQ_CST);
	compute(20000000);
	inv_unlock(v);
	return 0;
}

static void *inv_middle(void *p)
{
	(void)p;
	compute(200000000);
	return 0;
}

static void *inv_high(void *p)
{
	struct inversion *v = p;
	int64_t began = now_ns(CLOCK_MONOTONIC);

	__atomic_store_n(&v->waiting, 1, __ATOMIC_SEQ_CST);
	inv_lock(v);
	v->waited = now_ns(CLOCK_MONOTONIC) - began;
	inv_unlock(v);
	return 0;
}

struct bound {
	void *(*f)(void *);
	void *arg;
};

// Runs on processor 0 alone. musl has no attribute for that.
static void *on_first_processor(void *p)
{
	struct bound b = *(struct bound *)p;
	cpu_set_t cpus;

	free(p);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return b.f(b.arg);
}

static int fifo(pthread_t *t, int priority, void *(*f)(void *), void *arg)
{
	struct sched_param param = { .sched_priority = priority };
	struct bound *b = malloc(sizeof(*b));
	pthread_attr_t attr;
	int err;

	if (!b)
		return ENOMEM;
	*b = (struct bound){ f, arg };
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	err = pthread_create(t, &attr, on_first_processor, b);
	if (err)
		free(b);
	pthread_attr_destroy(&attr);
	return err;
}

// Returns how long high has waited, in ns, or a negative errno.
static int64_t inversion(int kind)
{
	struct inversion v = { .kind = kind };
	pthread_mutexattr_t attr;
	pthread_t low, middle, high;
	cpu_set_t cpus, before;
	int err;

	// This thread must run while the others keep processor 0 busy.
	sched_getaffinity(0, sizeof(before), &before);
	cpus = before;
	CPU_CLR(0, &cpus);
	if (!CPU_COUNT(&cpus) || sched_setaffinity(0, sizeof(cpus), &cpus))
		return -EAGAIN;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&v.pm, &attr);
	err = ost_pmutex_init(&v.m, kind == PI ? OST_INHERIT : 0);
	if (!err)
		err = fifo(&low, 10, inv_low, &v);
	if (err)
		goto out;
	while (!__atomic_load_n(&v.held, __ATOMIC_SEQ_CST))
		sched_yield();
	fifo(&high, 30, inv_high, &v);
	while (!__atomic_load_n(&v.waiting, __ATOMIC_SEQ_CST))
		sched_yield();
	fifo(&middle, 20, inv_middle, &v);
	pthread_join(low, 0);
	pthread_join(middle, 0);
	pthread_join(high, 0);
out:
	sched_setaffinity(0, sizeof(before), &before);
	return err ? -err : v.waited;
}
