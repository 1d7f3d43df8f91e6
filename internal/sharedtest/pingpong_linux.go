//go:build cgo && !android

package sharedtest

/*
#include "ost_event.h"
#include "ost_sem.h"
#include <pthread.h>

extern void sharedtestCall(void);

struct pong {
	void *to, *from;
	int times, kind;
};

// pong makes a round trip to Go, times over: by two semaphores, by two events
// of automatic reset, or by a callback.
static inline void *pong(void *p)
{
	struct pong *j = p;
	int n;

	for (n = j->times; n > 0; n--) {
		switch (j->kind) {
		case 0:
			ost_sem_post(j->to);
			ost_sem_wait(j->from);
			break;
		case 1:
			ost_event_set(j->to);
			ost_event_wait(j->from);
			break;
		default:
			sharedtestCall();
		}
	}
	return 0;
}

static inline int pong_start(pthread_t *t, struct pong *p, void *to, void *from, int times, int kind)
{
	p->to = to;
	p->from = from;
	p->times = times;
	p->kind = kind;
	return pthread_create(t, 0, pong, p);
}
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// How a thread of C makes its round trips.
const (
	BySemaphore = iota
	ByEvent
	ByCallback
)

var callback atomic.Pointer[func()]

//export sharedtestCall
func sharedtestCall() { (*callback.Load())() }

// RoundTrips makes a thread of C that makes times round trips to Go: it posts
// the object to and waits for from, or calls f. join waits for its end.
func RoundTrips(kind, times int, to, from unsafe.Pointer, f func()) (join func(), err error) {
	callback.Store(&f)
	t, p := (*C.pthread_t)(Malloc(C.sizeof_pthread_t)), (*C.struct_pong)(Malloc(C.sizeof_struct_pong))
	if n := C.pong_start(t, p, to, from, C.int(times), C.int(kind)); n != 0 {
		return nil, errno(n)
	}
	return func() {
		C.pthread_join(*t, nil)
		Free(unsafe.Pointer(t))
		Free(unsafe.Pointer(p))
	}, nil
}
