// What processes do with an object until they are killed, the same as the Go
// side does in osthread/shared/kill_linux_test.go.

#include <signal.h>

enum { SEMAPHORE, EVENT_MANUAL, EVENT_AUTO, BARRIER, MUTEX, COND, ONCE, RWLOCK };

// Where the objects are; the same as in the Go side.
#define SECOND	256	// a mutex
#define USER_AT	2048	// what the kind keeps

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static struct timespec soon(long us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += us * 1000;
	if (t.tv_nsec > 999999999) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

// What a mutex at 0 protects, at USER_AT: the thread inside, two counters that
// are equal outside, and how often that was not so.
struct guarded {
	uint32_t inside, violations;
	uint64_t a, b;
};

static void guarded_check(struct guarded *g, int ok)
{
	if (!ok)
		__atomic_fetch_add(&g->violations, 1, __ATOMIC_SEQ_CST);
}

// Passes through the critical section of the mutex p that was locked with err.
static void guarded_pass(void *p, struct guarded *g, int err, unsigned *seed)
{
	uint32_t me = (uint32_t)syscall(SYS_gettid);
	unsigned i;

	if (err == EOWNERDEAD) {
		__atomic_store_n(&g->b, g->a, __ATOMIC_RELAXED);
		guarded_check(g, !ost_pmutex_consistent(p));
	} else {
		guarded_check(g, !__atomic_load_n(&g->inside, __ATOMIC_RELAXED));
		guarded_check(g, g->a == g->b);
	}
	__atomic_store_n(&g->inside, me, __ATOMIC_RELAXED);
	__atomic_store_n(&g->a, g->a + 1, __ATOMIC_RELAXED);
	for (i = next(seed) % 4000; i; i--)
		ost_pause_();
	__atomic_store_n(&g->b, g->b + 1, __ATOMIC_RELAXED);
	guarded_check(g, __atomic_load_n(&g->inside, __ATOMIC_RELAXED) == me);
	__atomic_store_n(&g->inside, 0, __ATOMIC_RELAXED);
	guarded_check(g, !ost_pmutex_unlock(p));
}

static void hammer_mutex(char *mem, struct timespec *end, unsigned *seed)
{
	struct guarded *g = (void *)(mem + USER_AT);
	int err;

	switch (next(seed) % 3) {
	case 0:
		err = ost_pmutex_trylock((void *)mem);
		break;
	case 1:
		err = ost_pmutex_timedlock((void *)mem, end);
		break;
	default:
		err = ost_pmutex_lock((void *)mem);
	}
	if (!err || err == EOWNERDEAD)
		guarded_pass(mem, g, err, seed);
	else
		guarded_check(g, err == EBUSY || err == ETIMEDOUT);
}

// Adds or takes tokens, which living consumers take, too.
static void hammer_cond(void *c, void *m, uint32_t *tokens, unsigned *seed)
{
	struct timespec end = soon(next(seed) % 200);
	int err = ost_pmutex_lock(m);

	if (err == EOWNERDEAD)
		err = ost_pmutex_consistent(m);
	if (err)
		return;
	switch (next(seed) % 3) {
	case 0:
		++*tokens;
		ost_cond_signal(c);
		break;
	case 1:
		*tokens += 2;
		ost_cond_broadcast(c);
		break;
	default:
		err = *tokens ? 0 : ost_cond_timedwait(c, m, &end);
		if (err == EOWNERDEAD)
			ost_pmutex_consistent(m);
		if (*tokens)
			--*tokens;
	}
	ost_pmutex_unlock(m);
}

// Runs functions that fail, so that others run theirs; 2 in user[0] says that
// one of the living runs, and user[1] counts those that it has met.
static void hammer_once(void *o, uint32_t *user)
{
	if (ost_once_begin(o))
		return;
	if (__atomic_exchange_n(&user[0], 1, __ATOMIC_SEQ_CST) == 2)
		__atomic_fetch_add(&user[1], 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&user[0], 0, __ATOMIC_SEQ_CST);
	ost_once_end(o, 0);
}

// A writer that adds 1 to two counters, which differ only while it holds the
// lock.
static void hammer_rwlock(void *rw, uint32_t *user, unsigned *seed)
{
	struct timespec end = soon(next(seed) % 200);
	int err = next(seed) % 2 ? ost_rwlock_timedwrlock(rw, &end) :
				   ost_rwlock_trywrlock(rw);

	if (err == EOWNERDEAD) {
		user[1] = user[0];
		err = ost_rwlock_consistent(rw);
	}
	if (err)
		return;
	user[0]++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	user[1]++;
	ost_rwlock_wrunlock(rw);
}

static void hammer(int kind, char *mem, unsigned *seed)
{
	struct timespec end = soon(next(seed) % 200);
	void *p = mem;

	switch (kind) {
	case SEMAPHORE:
		switch (next(seed) % 3) {
		case 0:
			ost_sem_post(p);
			break;
		case 1:
			ost_sem_timedwait(p, &end);
			break;
		default:
			ost_sem_trywait(p);
		}
		break;
	case EVENT_MANUAL:
	case EVENT_AUTO:
		switch (next(seed) % 4) {
		case 0:
			ost_event_set(p);
			break;
		case 1:
			ost_event_timedwait(p, &end);
			break;
		case 2:
			ost_event_clear(p);
			break;
		default:
			ost_event_trywait(p);
		}
		break;
	case BARRIER:
		ost_barrier_timedwait(p, &end);
		break;
	case MUTEX:
		hammer_mutex(mem, &end, seed);
		break;
	case COND:
		hammer_cond(p, mem + SECOND, (uint32_t *)(mem + USER_AT), seed);
		break;
	case ONCE:
		hammer_once(p, (uint32_t *)(mem + USER_AT));
		break;
	case RWLOCK:
		hammer_rwlock(p, (uint32_t *)(mem + USER_AT), seed);
		break;
	}
}

static pid_t hammer_fork(int kind, void *mem, uint32_t *ready, unsigned seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Its end if nobody kills it. PR_SET_PDEATHSIG means the thread that
	 * forked, which may end before. */
	signal(SIGALRM, SIG_DFL);
	alarm(100);
	for (;;) {
		hammer(kind, mem, &seed);
		__atomic_fetch_add(ready, 1, __ATOMIC_SEQ_CST);
	}
}

static void hammer_here(int kind, void *mem, int times, unsigned seed)
{
	while (times-- > 0)
		hammer(kind, mem, &seed);
}
