//go:build cgo

package ctest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1
#include "osthread.h"

// What lies behind the objects must not be touched, which asan sees.
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n)	ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n)	ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)	((void)(p), (void)(n))
#define UNPOISON(p, n)	((void)(p), (void)(n))
#endif

// The layout of the test's Go struct.
struct objects {
	ost_pmutex_t mutex, robust;
	ost_cond_t cond;
	ost_sem_t sem;
	ost_rwlock_t rw;
	ost_barrier_t barrier;
	ost_once_t once;
	ost_event_t event;
};

static void soon(struct timespec *t)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_nsec += 50000;
	if (t->tv_nsec > 999999999) {
		t->tv_sec++;
		t->tv_nsec -= 1000000000;
	}
}

static int held(int err)
{
	return !err || err == EOWNERDEAD;
}

static void use_mutex(ost_pmutex_t *m, ost_cond_t *c, struct timespec *t)
{
	int err = ost_pmutex_timedlock(m, t);

	if (!held(err))
		return;
	if (err)
		ost_pmutex_consistent(m);
	soon(t);
	ost_cond_timedwait(c, m, t);
	ost_cond_broadcast(c);
	ost_pmutex_unlock(m);
}

static void objects_abuse(void *p, size_t behind, uint32_t *stop, uint32_t *calls)
{
	struct objects *o = (struct objects *)p;
	struct timespec t;
	unsigned value;
	int err;

	POISON(o + 1, behind);
	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		soon(&t);
		use_mutex(&o->mutex, &o->cond, &t);
		soon(&t);
		use_mutex(&o->robust, &o->cond, &t);
		ost_cond_signal(&o->cond);
		soon(&t);
		if (!ost_sem_timedwait(&o->sem, &t))
			ost_sem_post(&o->sem);
		ost_sem_trywait(&o->sem);
		ost_sem_post(&o->sem);
		ost_sem_getvalue(&o->sem, &value);
		soon(&t);
		err = ost_rwlock_timedwrlock(&o->rw, &t);
		if (held(err)) {
			if (err)
				ost_rwlock_consistent(&o->rw);
			ost_rwlock_wrunlock(&o->rw);
		}
		soon(&t);
		if (!ost_rwlock_timedrdlock(&o->rw, &t))
			ost_rwlock_rdunlock(&o->rw);
		soon(&t);
		ost_barrier_timedwait(&o->barrier, &t);
		if (!ost_once_begin(&o->once))
			ost_once_end(&o->once, *calls % 2);
		soon(&t);
		ost_event_timedwait(&o->event, &t);
		ost_event_set(&o->event);
		ost_event_trywait(&o->event);
		ost_event_clear(&o->event);
		__atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST);
	}
	UNPOISON(o + 1, behind);
}
*/
import "C"

import "unsafe"

// ObjectsAbuse uses the objects in mem by the functions of csrc while they are
// mutated, until *stop is not 0, and counts in calls. The behind bytes after
// them must not be touched.
func ObjectsAbuse(mem []byte, behind int, stop, calls *uint32) {
	p, _ := address(mem)
	C.objects_abuse(p, C.size_t(behind), (*C.uint32_t)(unsafe.Pointer(stop)), (*C.uint32_t)(unsafe.Pointer(calls)))
}

// ObjectsSize is the size of the objects, as C lays them out.
const ObjectsSize = C.sizeof_struct_objects
