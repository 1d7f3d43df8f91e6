/*
 * The contender in C: POSIX threads on Linux. foreign.go documents the
 * protocol. Order of this file: durations, a round and its threads, one
 * function per kind of work, the protocol.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Two lines: processors prefetch the adjacent line too. */
#define LINE 128

/*
 * Answers with an error and exits: after a failed round some threads may be
 * left.
 */
static void fail(const char *what, int err)
{
	if (err)
		printf("error %s: %s\n", what, strerror(err));
	else
		printf("error %s\n", what);
	fflush(stdout);
	exit(1);
}

static void check(const char *what, int err)
{
	if (err)
		fail(what, err);
}

/* The buckets of sample.Hist. */

enum { SUB_BITS = 4, SUB = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS) * SUB };

struct hist {
	uint64_t counts[BUCKETS];
	int64_t max;
};

static int bucket(int64_t ns)
{
	int e;

	if (ns < SUB)
		return ns < 0 ? 0 : (int)ns;
	e = 63 - __builtin_clzll((uint64_t)ns);
	return (e - SUB_BITS + 1) * SUB + (int)(ns >> (e - SUB_BITS) & (SUB - 1));
}

static void hist_add(struct hist *h, int64_t ns)
{
	h->counts[bucket(ns)]++;
	if (ns > h->max)
		h->max = ns;
}

static int64_t nanos(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return nanos(t);
}

static void sleep_for(int64_t ns)
{
	struct timespec t = timespec_of(ns);

	while (nanosleep(&t, &t))
		;
}

/*
 * The steps of scenario.Work. Without the asm, LLVM merges eight steps into
 * one.
 */
static inline uint64_t work(uint64_t x, long n)
{
	for (long i = 0; i < n; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

struct spec {
	char kind[16], op[16], policy[16], object[16];
	long threads, waiters, pairs, parties, permits, capacity, producers, consumers;
	long reads, work, think, stack, sleep, batch, warm, time, timed;
	bool bound;
};

struct round;

/* One thread of a round. */
struct worker {
	_Alignas(LINE) atomic_long ops; /* published after each batch */
	long seen; /* ops at the first snapshot */
	struct round *round;
	const struct spec *spec;
	int index;
	bool timed;
	void *shared; /* data shared by the threads of the round */
	void (*body)(struct worker *);
	pthread_t thread;
	uint64_t sink; /* result of work, so that it is not optimized away */
	struct hist waits;
};

struct round {
	struct spec spec;
	struct worker *workers;
	long count; /* number of workers */
	pthread_barrier_t gate; /* start barrier */
	/* Results of the second snapshot. */
	int64_t ops, ns, cpu, switches, least, most;
	double bytes;
	char why[160]; /* reason of an absence */
	_Alignas(LINE) atomic_bool stop; /* read by all, written once */
	atomic_bool counting; /* between the snapshots */
};

static bool absent(struct round *r, const char *why)
{
	snprintf(r->why, sizeof(r->why), "%s", why);
	return false;
}

static inline bool going(struct worker *w)
{
	return !atomic_load_explicit(&w->round->stop, memory_order_relaxed);
}

static inline void done(struct worker *w, long n)
{
	atomic_store_explicit(&w->ops, atomic_load_explicit(&w->ops, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline int64_t wait_begins(struct worker *w)
{
	return w->timed ? now() : 0;
}

static inline int64_t wait_ends(struct worker *w, int64_t began)
{
	return w->timed ? now() - began : 0;
}

/* Not in wait_ends, so that it runs without the lock. */
static inline void record(struct worker *w, int64_t wait)
{
	if (w->timed && atomic_load_explicit(&w->round->counting, memory_order_relaxed))
		hist_add(&w->waits, wait);
}

static void *worker_main(void *p)
{
	struct worker *w = p;

	pthread_barrier_wait(&w->round->gate);
	w->body(w);
	return NULL;
}

/* Allocates n workers. */
static void prepare(struct round *r, long n)
{
	r->count = n;
	r->workers = aligned_alloc(LINE, n * sizeof(*r->workers));
	if (!r->workers)
		fail("workers", ENOMEM);
	memset(r->workers, 0, n * sizeof(*r->workers));
	check("pthread_barrier_init", pthread_barrier_init(&r->gate, NULL, n + 1));
}

static void start(struct round *r, long i, void (*body)(struct worker *), void *shared)
{
	struct worker *w = &r->workers[i];

	w->round = r;
	w->spec = &r->spec;
	w->index = (int)i;
	w->timed = r->spec.timed;
	w->body = body;
	w->shared = shared;
	check("pthread_create", pthread_create(&w->thread, NULL, worker_main, w));
}

static int64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return nanos(t);
}

static int64_t switches(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_nvcsw + u.ru_nivcsw;
}

/*
 * Starts the round and takes two snapshots of the first n workers. If no
 * operation completed between them, takes the second another time_ns later.
 */
static void measure(struct round *r, long n)
{
	int64_t began, cpu, sw;

	pthread_barrier_wait(&r->gate);
	sleep_for(r->spec.warm);
	atomic_store(&r->counting, true);
	cpu = cpu_time();
	sw = switches();
	began = now();
	for (long i = 0; i < n; i++)
		r->workers[i].seen = atomic_load_explicit(&r->workers[i].ops, memory_order_relaxed);
	do {
		sleep_for(r->spec.time);
		r->ns = now() - began;
		r->ops = r->most = 0;
		r->least = INT64_MAX;
		for (long i = 0; i < n; i++) {
			int64_t ops = atomic_load_explicit(&r->workers[i].ops, memory_order_relaxed) - r->workers[i].seen;

			r->ops += ops;
			r->least = ops < r->least ? ops : r->least;
			r->most = ops > r->most ? ops : r->most;
		}
	} while (!r->ops);
	r->cpu = cpu_time() - cpu;
	r->switches = switches() - sw;
	atomic_store(&r->counting, false);
	if (n == 1)
		r->least = r->most = 0;
	atomic_store(&r->stop, true);
}

static void join(struct round *r, long from, long to)
{
	for (long i = from; i < to; i++)
		check("pthread_join", pthread_join(r->workers[i].thread, NULL));
}

/* A round of n threads that run the same body and poll stop. */
static bool together(struct round *r, long n, void (*body)(struct worker *), void *shared)
{
	prepare(r, n);
	for (long i = 0; i < n; i++)
		start(r, i, body, shared);
	measure(r, n);
	join(r, 0, n);
	return true;
}

static void lock_body(struct worker *w)
{
	pthread_mutex_t *m = w->shared;
	const struct spec s = *w->spec;
	uint64_t x = w->index;

	while (going(w)) {
		for (long i = 0; i < s.batch; i++) {
			int64_t t;

			x = work(x, s.think);
			t = wait_begins(w);
			pthread_mutex_lock(m);
			t = wait_ends(w, t);
			x = work(x, s.work);
			pthread_mutex_unlock(m);
			record(w, t);
		}
		done(w, s.batch);
	}
	w->sink = x;
}

static bool lock_round(struct round *r)
{
	_Alignas(LINE) pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	together(r, r->spec.threads, lock_body, &m);
	pthread_mutex_destroy(&m);
	return true;
}

static void recursive_body(struct worker *w)
{
	pthread_mutex_t *m = w->shared;
	long batch = w->spec->batch;

	while (going(w)) {
		for (long i = 0; i < batch; i++) {
			pthread_mutex_lock(m);
			pthread_mutex_unlock(m);
		}
		done(w, batch);
	}
}

/*
 * What C and Go share, in C: with osthread.h if OSTHREAD is defined, otherwise
 * with POSIX's objects.
 */
#ifdef OSTHREAD
#include "osthread.h"

typedef ost_pmutex_t shared_mutex;
typedef ost_sem_t shared_sem;

static inline void shared_lock(shared_mutex *m)
{
	ost_pmutex_lock(m);
}

static inline void shared_unlock(shared_mutex *m)
{
	ost_pmutex_unlock(m);
}

static void shared_init(shared_mutex *m, const char *kind)
{
	unsigned attr = 0;

	if (!strcmp(kind, "errorcheck"))
		attr = OST_MUTEX_ERRORCHECK;
	else if (!strcmp(kind, "recursive"))
		attr = OST_MUTEX_RECURSIVE;
	else if (!strcmp(kind, "robust"))
		attr = OST_ROBUST;
	else if (!strcmp(kind, "inherit"))
		attr = OST_INHERIT;
	check("ost_pmutex_init", ost_pmutex_init(m, attr | OST_PSHARED));
}

static void shared_sem_init(shared_sem *s)
{
	check("ost_sem_init", ost_sem_init(s, 0, OST_PSHARED));
}

#define shared_sem_post	ost_sem_post
#define shared_sem_wait	ost_sem_wait
#else
typedef pthread_mutex_t shared_mutex;
typedef sem_t shared_sem;

static inline void shared_lock(shared_mutex *m)
{
	pthread_mutex_lock(m);
}

static inline void shared_unlock(shared_mutex *m)
{
	pthread_mutex_unlock(m);
}

static void shared_init(shared_mutex *m, const char *kind)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	if (!strcmp(kind, "errorcheck"))
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	else if (!strcmp(kind, "recursive"))
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	else if (!strcmp(kind, "robust"))
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	else if (!strcmp(kind, "inherit"))
		pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	check("pthread_mutex_init", pthread_mutex_init(m, &a));
	pthread_mutexattr_destroy(&a);
}

static void shared_sem_init(shared_sem *s)
{
	sem_init(s, 1, 0);
}

#define shared_sem_post	sem_post
#define shared_sem_wait	sem_wait
#endif

/* one batch of operations; returns the state of work */
static uint64_t lock_batch(struct worker *w, shared_mutex *m, const struct spec *s, uint64_t x)
{
	for (long i = 0; i < s->batch; i++) {
		int64_t t = wait_begins(w);

		shared_lock(m);
		t = wait_ends(w, t);
		x = work(x, s->work);
		shared_unlock(m);
		record(w, t);
	}
	done(w, s->batch);
	return x;
}

static void shared_mutex_body(struct worker *w)
{
	const struct spec s = *w->spec;
	uint64_t x = w->index;

	while (going(w))
		x = lock_batch(w, w->shared, &s, x);
	w->sink = x;
}

struct shared_pair {
	struct {
		_Alignas(LINE) shared_sem sem;
	} token[2];
	bool over; /* passed with the token */
};

static void shared_sem_body(struct worker *w)
{
	struct shared_pair *p = w->shared;
	int me = w->index;
	long batch = w->spec->batch;

	if (me)
		while (shared_sem_wait(&p->token[me].sem))
			; /* EINTR */
	for (;;) {
		for (long i = 0; i < batch / 2; i++) { /* of two wakeups */
			if (p->over) {
				shared_sem_post(&p->token[!me].sem);
				return;
			}
			shared_sem_post(&p->token[!me].sem);
			while (shared_sem_wait(&p->token[me].sem))
				;
		}
		done(w, batch);
		if (!me && !going(w))
			p->over = true;
	}
}

/* What processes share. */
struct peers {
	_Alignas(LINE) shared_mutex m;
	_Alignas(LINE) atomic_long ops; /* of the child */
	_Alignas(LINE) atomic_bool ready;
	atomic_bool over;
};

static void peer_child(struct peers *p, const struct spec *s)
{
	uint64_t x = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	atomic_store(&p->ready, true);
	while (!atomic_load_explicit(&p->over, memory_order_relaxed)) {
		for (long i = 0; i < s->batch; i++) {
			shared_lock(&p->m);
			x = work(x, s->work);
			shared_unlock(&p->m);
		}
		atomic_fetch_add(&p->ops, s->batch);
	}
	_exit((int)(x & 0)); /* so that it is not optimized away */
}

static void peer_body(struct worker *w)
{
	struct peers *p = w->shared;
	const struct spec s = *w->spec;
	uint64_t x = w->index;

	if (w->index)
		return; /* its operations are those of the child */
	while (going(w)) {
		x = lock_batch(w, &p->m, &s, x);
		atomic_store(&w[1].ops, atomic_load(&p->ops));
	}
	w->sink = x;
}

static bool shared_by_processes(struct round *r)
{
	struct peers *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	if (p == MAP_FAILED)
		fail("mmap", errno);
	shared_init(&p->m, r->spec.object);
	child = fork();
	if (child < 0)
		fail("fork", errno);
	if (!child)
		peer_child(p, &r->spec);
	while (!atomic_load(&p->ready))
		sched_yield();
	together(r, 2, peer_body, p);
	atomic_store(&p->over, true);
	waitpid(child, NULL, 0);
	munmap(p, sizeof(*p));
	return true;
}

static bool shared_round(struct round *r)
{
	static struct shared_pair p;
	_Alignas(LINE) shared_mutex m;

	if (!strcmp(r->spec.object, "semaphore")) {
		p.over = false;
		shared_sem_init(&p.token[0].sem);
		shared_sem_init(&p.token[1].sem);
		prepare(r, 2);
		start(r, 0, shared_sem_body, &p);
		start(r, 1, shared_sem_body, &p);
		measure(r, 1); /* which counts both wakeups */
		join(r, 0, 2);
		return true;
	}
	if (!strcmp(r->spec.op, "processes"))
		return shared_by_processes(r);
	shared_init(&m, r->spec.object);
	return together(r, r->spec.threads, shared_mutex_body, &m);
}

static bool recursive_round(struct round *r)
{
	pthread_mutexattr_t a;
	_Alignas(LINE) pthread_mutex_t m;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&m, &a);
	together(r, 1, recursive_body, &m);
	pthread_mutex_destroy(&m);
	pthread_mutexattr_destroy(&a);
	return true;
}

/*
 * Spreads the exclusive sections evenly: of 90 percent every tenth is
 * exclusive, of 99 every hundredth.
 */
static bool is_shared(long i, long reads)
{
	return i * (100 - reads) % 100 >= 100 - reads;
}

static void rwlock_body(struct worker *w)
{
	pthread_rwlock_t *l = w->shared;
	const struct spec s = *w->spec;
	uint64_t x = w->index;
	long n = w->index; /* staggers the exclusive sections */

	while (going(w)) {
		for (long i = 0; i < s.batch; i++) {
			int64_t t = wait_begins(w);

			if (is_shared(n++, s.reads))
				pthread_rwlock_rdlock(l);
			else
				pthread_rwlock_wrlock(l);
			t = wait_ends(w, t);
			x = work(x, s.work);
			pthread_rwlock_unlock(l);
			record(w, t);
		}
		done(w, s.batch);
	}
	w->sink = x;
}

static bool rwlock_round(struct round *r)
{
	_Alignas(LINE) pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

	together(r, r->spec.threads, rwlock_body, &l);
	pthread_rwlock_destroy(&l);
	return true;
}

/*
 * Two threads that pass a token back and forth. first waits for the token. pass
 * passes it and returns when it is back, false if the other thread ended the
 * round. end passes it for the last time.
 */
struct ping_pong {
	void (*first)(void *pair, int me);
	bool (*pass)(void *pair, int me);
	void (*end)(void *pair, int me);
};

static inline void ping_pong(struct worker *w, void *pair, struct ping_pong t)
{
	int me = w->index % 2;
	long batch = w->spec->batch;

	if (me)
		t.first(pair, me);
	while (going(w)) {
		for (long i = 0; i < batch; i++) {
			int64_t began = wait_begins(w);

			if (!t.pass(pair, me))
				return;
			record(w, wait_ends(w, began));
		}
		done(w, batch);
	}
	t.end(pair, me);
}

/* Each pair has a lock and a condition. */
struct cond_pair {
	_Alignas(LINE) pthread_mutex_t m;
	pthread_cond_t c;
	int token;
	bool over;
};

static void cond_first(void *v, int me)
{
	struct cond_pair *p = v;

	pthread_mutex_lock(&p->m);
	while (p->token != me)
		pthread_cond_wait(&p->c, &p->m);
	pthread_mutex_unlock(&p->m);
}

static bool cond_pass(void *v, int me)
{
	struct cond_pair *p = v;
	bool over;

	pthread_mutex_lock(&p->m);
	over = p->over;
	p->token = !me;
	pthread_cond_signal(&p->c);
	while (!over && p->token != me) {
		pthread_cond_wait(&p->c, &p->m);
		over = p->over;
	}
	pthread_mutex_unlock(&p->m);
	return !over;
}

static void cond_end(void *v, int me)
{
	struct cond_pair *p = v;

	pthread_mutex_lock(&p->m);
	p->over = true;
	p->token = !me;
	pthread_cond_signal(&p->c);
	pthread_mutex_unlock(&p->m);
}

static void cond_body(struct worker *w)
{
	ping_pong(w, &((struct cond_pair *)w->shared)[w->index / 2], (struct ping_pong){ cond_first, cond_pass, cond_end });
}

static bool condition_round(struct round *r)
{
	long n = r->spec.pairs;
	struct cond_pair *p = aligned_alloc(LINE, n * sizeof(*p));

	for (long i = 0; i < n; i++)
		p[i] = (struct cond_pair){ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
	together(r, 2 * n, cond_body, p);
	free(p);
	return true;
}

/*
 * POSIX has no event; C programs build it from a flag, a lock and a condition.
 */
struct event {
	_Alignas(LINE) pthread_mutex_t m;
	pthread_cond_t c;
	bool set;
};

static void event_set(struct event *e)
{
	pthread_mutex_lock(&e->m);
	e->set = true;
	pthread_mutex_unlock(&e->m);
	pthread_cond_signal(&e->c); /* unlocked: the waiter needs the lock, and e outlives both */
}

/* Waits until the event is set, and clears it. */
static void event_take(struct event *e)
{
	pthread_mutex_lock(&e->m);
	while (!e->set)
		pthread_cond_wait(&e->c, &e->m);
	e->set = false;
	pthread_mutex_unlock(&e->m);
}

struct event_pair {
	struct event token[2];
	bool over; /* passed with the token */
};

static void event_first(void *v, int me)
{
	event_take(&((struct event_pair *)v)->token[me]);
}

static bool event_pass(void *v, int me)
{
	struct event_pair *p = v;

	if (p->over)
		return false;
	event_set(&p->token[!me]);
	event_take(&p->token[me]);
	return !p->over;
}

static void event_end(void *v, int me)
{
	struct event_pair *p = v;

	p->over = true;
	event_set(&p->token[!me]);
}

static void event_body(struct worker *w)
{
	struct event_pair *pair = &((struct event_pair *)w->shared)[w->index / 2];

	ping_pong(w, pair, (struct ping_pong){ event_first, event_pass, event_end });
}

static bool event_round(struct round *r)
{
	const struct event clear = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	long n = r->spec.pairs;
	struct event_pair *p = aligned_alloc(LINE, n * sizeof(*p));

	for (long i = 0; i < n; i++)
		p[i] = (struct event_pair){ { clear, clear }, false };
	together(r, 2 * n, event_body, p);
	free(p);
	return true;
}

/*
 * POSIX wakes a given thread without a lost wakeup by a semaphore per thread.
 */
struct park_pair {
	struct {
		_Alignas(LINE) sem_t sem;
	} token[2];
	bool over; /* passed with the token */
};

static void park_first(void *v, int me)
{
	while (sem_wait(&((struct park_pair *)v)->token[me].sem))
		; /* EINTR */
}

static bool park_pass(void *v, int me)
{
	struct park_pair *p = v;

	if (p->over)
		return false;
	sem_post(&p->token[!me].sem);
	park_first(p, me);
	return !p->over;
}

static void park_end(void *v, int me)
{
	struct park_pair *p = v;

	p->over = true;
	sem_post(&p->token[!me].sem);
}

static void park_body(struct worker *w)
{
	ping_pong(w, w->shared, (struct ping_pong){ park_first, park_pass, park_end });
}

static bool park_round(struct round *r)
{
	struct park_pair p = { 0 };

	sem_init(&p.token[0].sem, 0, 0);
	sem_init(&p.token[1].sem, 0, 0);
	together(r, 2, park_body, &p);
	sem_destroy(&p.token[0].sem);
	sem_destroy(&p.token[1].sem);
	return true;
}

static void semaphore_body(struct worker *w)
{
	sem_t *sem = w->shared;
	const struct spec s = *w->spec;
	uint64_t x = w->index;

	while (going(w)) {
		for (long i = 0; i < s.batch; i++) {
			int64_t t = wait_begins(w);

			while (sem_wait(sem))
				; /* EINTR */
			t = wait_ends(w, t);
			x = work(x, s.work);
			sem_post(sem);
			record(w, t);
		}
		done(w, s.batch);
	}
	w->sink = x;
}

static bool semaphore_round(struct round *r)
{
	_Alignas(LINE) sem_t sem;

	sem_init(&sem, 0, r->spec.permits);
	together(r, r->spec.threads, semaphore_body, &sem);
	sem_destroy(&sem);
	return true;
}

struct meeting {
	_Alignas(LINE) pthread_barrier_t barrier;
	_Alignas(LINE) atomic_long last; /* last generation, set by party 0 before it waits */
};

static void barrier_body(struct worker *w)
{
	struct meeting *m = w->shared;
	long batch = w->spec->batch;

	for (long g = 1;; g++) {
		int64_t t;

		if (!w->index && !going(w))
			atomic_store_explicit(&m->last, g, memory_order_relaxed);
		t = wait_begins(w);
		pthread_barrier_wait(&m->barrier);
		record(w, wait_ends(w, t));
		if (atomic_load_explicit(&m->last, memory_order_relaxed) == g)
			return;
		if (g % batch == 0)
			done(w, batch);
	}
}

static bool barrier_round(struct round *r)
{
	struct meeting m = { .last = 0 };

	pthread_barrier_init(&m.barrier, NULL, r->spec.parties);
	together(r, r->spec.parties, barrier_body, &m);
	pthread_barrier_destroy(&m.barrier);
	return true;
}

/* A ring buffer, a lock and two conditions. */
struct queue {
	_Alignas(LINE) pthread_mutex_t m;
	pthread_cond_t not_empty, not_full;
	long capacity, head, len;
	void **items;
};

static void queue_init(struct queue *q, long capacity)
{
	*q = (struct queue){ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, capacity, 0, 0, NULL };
	q->items = calloc(capacity, sizeof(*q->items));
	if (!q->items)
		fail("queue", ENOMEM);
}

static void queue_put(struct queue *q, void *item)
{
	long i;

	pthread_mutex_lock(&q->m);
	while (q->len == q->capacity)
		pthread_cond_wait(&q->not_full, &q->m);
	i = q->head + q->len++;
	q->items[i < q->capacity ? i : i - q->capacity] = item;
	pthread_cond_signal(&q->not_empty);
	pthread_mutex_unlock(&q->m);
}

static void *queue_get(struct queue *q)
{
	void *item;

	pthread_mutex_lock(&q->m);
	while (!q->len)
		pthread_cond_wait(&q->not_empty, &q->m);
	item = q->items[q->head++];
	if (q->head == q->capacity)
		q->head = 0;
	q->len--;
	pthread_cond_signal(&q->not_full);
	pthread_mutex_unlock(&q->m);
	return item;
}

static void consumer_body(struct worker *w)
{
	long batch = w->spec->batch;

	for (;;) {
		for (long i = 0; i < batch; i++) {
			int64_t t = wait_begins(w);

			if (!queue_get(w->shared))
				return;
			record(w, wait_ends(w, t));
		}
		done(w, batch);
	}
}

static void producer_body(struct worker *w)
{
	while (going(w))
		queue_put(w->shared, w);
}

static bool queue_round(struct round *r)
{
	long consumers = r->spec.consumers, all = consumers + r->spec.producers;
	struct queue q;

	queue_init(&q, r->spec.capacity);
	prepare(r, all);
	for (long i = 0; i < all; i++)
		start(r, i, i < consumers ? consumer_body : producer_body, &q);
	measure(r, consumers);
	join(r, consumers, all);
	for (long i = 0; i < consumers; i++)
		queue_put(&q, NULL);
	join(r, 0, consumers);
	free(q.items);
	return true;
}

static void *empty_thread(void *p)
{
	return p;
}

static void start_join_body(struct worker *w)
{
	pthread_attr_t a;
	pthread_t t;

	check("pthread_attr_init", pthread_attr_init(&a));
	if (w->spec->stack)
		check("pthread_attr_setstacksize", pthread_attr_setstacksize(&a, w->spec->stack));
	while (going(w)) {
		int64_t began = wait_begins(w);

		check("pthread_create", pthread_create(&t, &a, empty_thread, NULL));
		pthread_join(t, NULL);
		record(w, wait_ends(w, began));
		done(w, 1);
	}
	pthread_attr_destroy(&a);
}

static bool start_join_round(struct round *r)
{
	return together(r, 1, start_join_body, NULL);
}

/* A task of a pool, and how its caller waits for it. */
struct task {
	void (*run)(void *);
	void *arg;
	struct event done;
};

static void *pool_thread(void *q)
{
	struct task *t;

	while ((t = queue_get(q))) {
		t->run(t->arg);
		event_set(&t->done);
	}
	return NULL;
}

static void empty_task(void *p)
{
	(void)p;
}

struct pool {
	struct queue q;
	struct task t; /* not in submit_body: the pool may signal after that returns */
};

static void submit_body(struct worker *w)
{
	struct pool *p = w->shared;

	while (going(w)) {
		int64_t began = wait_begins(w);

		queue_put(&p->q, &p->t);
		event_take(&p->t.done);
		record(w, wait_ends(w, began));
		done(w, 1);
	}
}

static bool submit_round(struct round *r)
{
	struct pool p = { .t = { empty_task, NULL, { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false } } };
	pthread_t pool;

	queue_init(&p.q, 64);
	check("pthread_create", pthread_create(&pool, NULL, pool_thread, &p.q));
	together(r, 1, submit_body, &p);
	queue_put(&p.q, NULL);
	pthread_join(pool, NULL);
	free(p.q.items);
	return true;
}

/*
 * Called through a volatile pointer: pthread_self is declared const, so the
 * compiler would call it only once.
 */
static pthread_t (*volatile self)(void) = pthread_self;

static void self_body(struct worker *w)
{
	while (going(w)) {
		for (long i = 0; i < w->spec->batch; i++)
			self();
		done(w, w->spec->batch);
	}
}

static void gettid_body(struct worker *w)
{
	while (going(w)) {
		for (long i = 0; i < w->spec->batch; i++)
			gettid();
		done(w, w->spec->batch);
	}
}

static void local_body(struct worker *w)
{
	pthread_key_t k = *(pthread_key_t *)w->shared;

	pthread_setspecific(k, w);
	while (going(w)) {
		for (long i = 0; i < w->spec->batch; i++)
			w->sink += (uintptr_t)pthread_getspecific(k);
		done(w, w->spec->batch);
	}
}

static bool identity_round(struct round *r)
{
	const char *op = r->spec.op;
	pthread_key_t k;

	/* pthread_t is both the record and the ident of a thread. */
	if (!strcmp(op, "current") || !strcmp(op, "ident"))
		return together(r, 1, self_body, NULL);
	if (!strcmp(op, "nativeid"))
		return together(r, 1, gettid_body, NULL);
	if (strcmp(op, "local"))
		fail("unknown op", 0);
	check("pthread_key_create", pthread_key_create(&k, NULL));
	together(r, 1, local_body, &k);
	pthread_key_delete(k);
	return true;
}

/* Sets the policy and the affinity of a lateness row on the calling thread. */
static bool schedule(struct round *r)
{
	struct sched_param p = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	cpu_set_t cpus;
	int err = 0;

	if (!strcmp(r->spec.policy, "fifo"))
		err = pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
	if (err) {
		snprintf(r->why, sizeof(r->why), "pthread_setschedparam: %s", strerror(err));
		return false;
	}
	if (!r->spec.bound)
		return true;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	err = pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	if (err)
		snprintf(r->why, sizeof(r->why), "pthread_setaffinity_np: %s", strerror(err));
	return !err;
}

static void lateness_body(struct worker *w)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t a;
	pthread_cond_t c;

	if (!schedule(w->round))
		fail(w->round->why, 0);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&c, &a);
	w->timed = true;
	pthread_mutex_lock(&m);
	while (going(w)) {
		int64_t due = now() + w->spec->sleep;
		struct timespec t = timespec_of(due);

		while (pthread_cond_timedwait(&c, &m, &t) != ETIMEDOUT)
			; /* never signaled: a spurious wakeup */
		record(w, now() - due);
		done(w, 1);
	}
	pthread_mutex_unlock(&m);
	pthread_cond_destroy(&c);
	pthread_condattr_destroy(&a);
}

/*
 * Tries the settings on a separate thread before the round, since the machine
 * may refuse them.
 */
static void *schedule_thread(void *r)
{
	return schedule(r) ? r : NULL;
}

static bool lateness_round(struct round *r)
{
	pthread_t t;
	void *allowed;

	check("pthread_create", pthread_create(&t, NULL, schedule_thread, r));
	pthread_join(t, &allowed);
	return allowed && together(r, 1, lateness_body, NULL);
}

/* Threads that are alive and blocked. */
struct crowd {
	pthread_mutex_t m;
	pthread_cond_t all_run, go;
	long running, expected;
	bool over;
};

static void *crowd_thread(void *v)
{
	struct crowd *c = v;

	pthread_mutex_lock(&c->m);
	if (++c->running == c->expected)
		pthread_cond_signal(&c->all_run);
	while (!c->over)
		pthread_cond_wait(&c->go, &c->m);
	pthread_mutex_unlock(&c->m);
	return NULL;
}

static int64_t resident(void)
{
	/*
	 * statm and status are counters that are off by some dozen pages per
	 * processor.
	 */
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kib = -1;

	if (!f)
		fail("/proc/self/smaps_rollup", errno);
	while (kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Rss: %ld", &kib);
	fclose(f);
	return (int64_t)kib << 10;
}

static bool many_round(struct round *r)
{
	long n = r->spec.threads, made;
	struct crowd c = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, n, false };
	pthread_t *t = calloc(n, sizeof(*t));
	int64_t before, cpu, sw, began;
	int err = 0;

	memset(t, 1, n * sizeof(*t)); /* touches the pages before the measurement */
	before = resident();
	cpu = cpu_time();
	sw = switches();
	began = now();
	for (made = 0; made < n; made++) {
		err = pthread_create(&t[made], NULL, crowd_thread, &c);
		if (err)
			break;
	}
	pthread_mutex_lock(&c.m);
	while (!err && c.running < n)
		pthread_cond_wait(&c.all_run, &c.m);
	r->ns = now() - began;
	r->ops = n;
	r->cpu = cpu_time() - cpu;
	r->switches = switches() - sw;
	r->bytes = (double)(resident() - before) / n;
	c.over = true;
	pthread_cond_broadcast(&c.go);
	pthread_mutex_unlock(&c.m);
	for (long i = 0; i < made; i++)
		pthread_join(t[i], NULL);
	free(t);
	if (err)
		snprintf(r->why, sizeof(r->why), "pthread_create of thread %ld of %ld: %s", made + 1, n, strerror(err));
	return !err;
}

/* Threads that wait for one object. */
struct waiters {
	_Alignas(LINE) pthread_mutex_t m; /* the object, if that is a lock */
	pthread_cond_t c; /* the object, if that is a condition or an event */
	bool lock, set;
	struct timespec deadline; /* of the waits, if they are to time out */
	bool timeout;
	_Alignas(LINE) atomic_long begun, left;
	int64_t last; /* when the last has returned, */
	sem_t returned; /* which this says */
	pthread_barrier_t end; /* until then no thread exits: the exit is no part of the trial */
};

/* Waits for the condition, or for the event that it stands for. */
static void waiters_sleep(struct waiters *w)
{
	pthread_mutex_lock(&w->m);
	atomic_fetch_add(&w->begun, 1);
	do {
		if (!w->timeout)
			pthread_cond_wait(&w->c, &w->m);
		else if (pthread_cond_clockwait(&w->c, &w->m, CLOCK_MONOTONIC, &w->deadline) == ETIMEDOUT)
			break;
	} while (!w->set);
	pthread_mutex_unlock(&w->m);
}

static void waiters_lock(struct waiters *w)
{
	atomic_fetch_add(&w->begun, 1);
	if (!w->timeout)
		pthread_mutex_lock(&w->m);
	else if (pthread_mutex_clocklock(&w->m, CLOCK_MONOTONIC, &w->deadline))
		return;
	pthread_mutex_unlock(&w->m);
}

static void *waiters_thread(void *p)
{
	struct waiters *w = p;

	if (w->lock)
		waiters_lock(w);
	else
		waiters_sleep(w);
	if (atomic_fetch_sub(&w->left, 1) == 1) {
		w->last = now();
		sem_post(&w->returned);
	}
	pthread_barrier_wait(&w->end);
	return NULL;
}

/*
 * Times from the release of all, or their deadline, until the last has
 * returned. Returns false if the deadline, due ns from now, came before all
 * waited.
 */
static bool waiters_trial(struct round *r, int64_t due)
{
	long n = r->spec.waiters;
	struct waiters w = { .m = PTHREAD_MUTEX_INITIALIZER, .c = PTHREAD_COND_INITIALIZER, .left = n };
	pthread_t *t = calloc(n, sizeof(*t));
	int64_t before = resident(), began = now() + due, cpu, sw;
	bool late;

	w.lock = !strcmp(r->spec.object, "lock");
	w.timeout = !strcmp(r->spec.op, "timeout");
	w.deadline = timespec_of(began);
	sem_init(&w.returned, 0, 0);
	pthread_barrier_init(&w.end, NULL, n + 1);
	if (w.lock)
		pthread_mutex_lock(&w.m);
	for (long i = 0; i < n; i++)
		check("pthread_create", pthread_create(&t[i], NULL, waiters_thread, &w));
	while (atomic_load(&w.begun) < n)
		sleep_for(100000);
	sleep_for(5000000); /* until they sleep */
	if (n >= 100)
		r->bytes = (double)(resident() - before) / n;
	cpu = cpu_time();
	sw = switches();
	late = w.timeout && now() > began;
	if (!w.timeout) {
		began = now();
		if (!w.lock)
			pthread_mutex_lock(&w.m);
		w.set = true;
		if (!w.lock)
			pthread_cond_broadcast(&w.c);
		pthread_mutex_unlock(&w.m);
	}
	while (sem_wait(&w.returned))
		; /* EINTR */
	r->ops = n;
	r->ns = w.last - began;
	r->cpu = cpu_time() - cpu;
	r->switches = switches() - sw;
	pthread_barrier_wait(&w.end);
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&w.end);
	sem_destroy(&w.returned);
	free(t);
	return !late;
}

static bool waiters_round(struct round *r)
{
	int64_t due = 20000000;

	if (!strcmp(r->spec.op, "cancel"))
		return absent(r, "pthreads cannot cancel a wait alone");
	while (!waiters_trial(r, due))
		due *= 2;
	return true;
}

static bool callback_round(struct round *r)
{
	return absent(r, "calls from C into Go apply only to Go");
}

static const struct {
	const char *kind;
	bool (*run)(struct round *); /* false if absent; sets why */
} kinds[] = {
	{ "lock", lock_round },
	{ "recursive", recursive_round },
	{ "rwlock", rwlock_round },
	{ "condition", condition_round },
	{ "event", event_round },
	{ "park", park_round },
	{ "semaphore", semaphore_round },
	{ "barrier", barrier_round },
	{ "queue", queue_round },
	{ "shared", shared_round },
	{ "startjoin", start_join_round },
	{ "submit", submit_round },
	{ "call", submit_round }, /* a given thread is called as a pool of one thread */
	{ "callback", callback_round },
	{ "identity", identity_round },
	{ "lateness", lateness_round },
	{ "many", many_round },
	{ "waiters", waiters_round },
};

static void answer(struct round *r)
{
	struct hist all = { 0 };
	const char *comma = "";

	printf("ok ops=%" PRId64 " ns=%" PRId64, r->ops, r->ns);
	printf(" cpu_ns=%" PRId64 " switches=%" PRId64, r->cpu, r->switches);
	printf(" least=%" PRId64 " most=%" PRId64 " hist=", r->least, r->most);
	for (long i = 0; i < r->count; i++) {
		struct hist *h = &r->workers[i].waits;

		for (int b = 0; b < BUCKETS; b++)
			all.counts[b] += h->counts[b];
		all.max = h->max > all.max ? h->max : all.max;
	}
	for (int b = 0; b < BUCKETS; b++) {
		if (all.counts[b]) {
			printf("%s%d:%" PRIu64, comma, b, all.counts[b]);
			comma = ",";
		}
	}
	printf(" max_ns=%" PRId64 " bytes=%.1f\n", all.max, r->bytes);
}

static long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 0)
		fail("not a number", 0);
	return n;
}

/* Sets one key=value. */
static void set(struct spec *s, char *pair)
{
	const struct {
		const char *key;
		char *field;
	} texts[] = { { "kind", s->kind }, { "op", s->op }, { "policy", s->policy }, { "object", s->object } };
	const struct {
		const char *key;
		long *field;
	} numbers[] = {
		{ "threads", &s->threads }, { "waiters", &s->waiters },
		{ "pairs", &s->pairs }, { "parties", &s->parties }, { "permits", &s->permits },
		{ "capacity", &s->capacity }, { "producers", &s->producers }, { "consumers", &s->consumers },
		{ "reads", &s->reads }, { "work", &s->work }, { "think", &s->think }, { "stack", &s->stack },
		{ "sleep", &s->sleep }, { "batch", &s->batch }, { "warm_ns", &s->warm }, { "time_ns", &s->time },
		{ "timed", &s->timed },
	};
	char *value = strchr(pair, '=');

	if (!value)
		fail("not key=value", 0);
	*value++ = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!strcmp(pair, texts[i].key))
			snprintf(texts[i].field, 16, "%s", value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(pair, numbers[i].key))
			*numbers[i].field = number(value);
	if (!strcmp(pair, "bound"))
		s->bound = !strcmp(value, "true");
	/* Ignores caller and procs, which do not apply to system threads. */
}

static void run(char *line)
{
	struct round r = { .spec = {
		.threads = 1, .pairs = 1, .parties = 1, .permits = 1, .capacity = 1, .producers = 1, .consumers = 1,
	} };

	for (char *pair = strtok(line, " \n"); pair; pair = strtok(NULL, " \n"))
		set(&r.spec, pair);
	if (r.spec.batch < 1 || r.spec.time < 1)
		fail("batch and time_ns are missing", 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(r.spec.kind, kinds[i].kind))
			continue;
		if (kinds[i].run(&r))
			answer(&r);
		else
			printf("absent %s\n", r.why);
		if (r.workers)
			pthread_barrier_destroy(&r.gate);
		free(r.workers);
		return;
	}
	fail("unknown kind", 0);
}

int main(void)
{
	char libc[64] = "", *line = NULL;
	size_t size = 0;

	if (!confstr(_CS_GNU_LIBC_VERSION, libc, sizeof(libc)))
		strcpy(libc, "a C library other than glibc");
	printf("ready C compiler %s, %s\n", __VERSION__, libc);
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		if (!strncmp(line, "run ", 4))
			run(line + 4);
		else if (!strncmp(line, "bucket ", 7))
			printf("ok %d\n", bucket(strtoll(line + 7, NULL, 10)));
		else
			fail("want run or bucket", 0);
		fflush(stdout);
	}
	free(line);
	return 0;
}
