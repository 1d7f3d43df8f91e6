// What processes do with an object until they are killed, the same as the Go
// side does in osthread/shared/kill_linux_test.go.

#include <signal.h>
#include <sys/prctl.h>

enum { SEMAPHORE, EVENT_MANUAL, EVENT_AUTO, BARRIER };

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
	}
}

static pid_t hammer_fork(int kind, void *mem, uint32_t *ready, unsigned seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
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
