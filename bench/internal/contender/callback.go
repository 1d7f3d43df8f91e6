//go:build cgo && unix

package contender

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>

int osthreadBenchCalled(void); // returns 0 to stop

static void *call_once(void *p)
{
	(void)p;
	osthreadBenchCalled();
	return NULL;
}

static void *call_on(void *p)
{
	(void)p;
	while (osthreadBenchCalled())
		;
	return NULL;
}

// Runs a thread and joins it.
static int run_thread(int once)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, once ? call_once : call_on, NULL);

	return err ? err : pthread_join(t, NULL);
}
*/
import "C"

import (
	"fmt"
	"sync/atomic"
	"syscall"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
)

// callbacks: this library attaches a C thread at its first request for the
// record, and detaches it when it exits. Plain cgo has no record.
var callbacks = []Contender{
	{
		Baseline,
		true,
		of(func(c *crew) (sample.Sample, error) { return callIn(c, func() { record = thread.Current() }) }),
	},
	{"cgo", false, of(func(c *crew) (sample.Sample, error) { return callIn(c, func() {}) })},
}

// called is the function that the C thread calls; there is one such thread at a
// time.
var called atomic.Pointer[func() bool]

// runThread runs a C thread that calls the function in called until that
// returns false.
func runThread() error {
	if rc := C.run_thread(0); rc != 0 {
		return fmt.Errorf("pthread_create: %w", syscall.Errno(rc))
	}
	return nil
}

// callIn calls body on C threads: one for each call, or one for all.
func callIn(c *crew, body func()) (sample.Sample, error) {
	once, flag := c.spec.Op == "first", C.int(0)
	if once {
		flag = 1
	}
	var failed error
	s, err := c.run(1, 1, goroutine, func(_ int, t *tally) {
		in := func() bool {
			body()
			if once {
				return false
			}
			t.step()
			return !c.over()
		}
		called.Store(&in)
		for !c.over() && failed == nil {
			began := t.now()
			if rc := C.run_thread(flag); rc != 0 {
				failed = fmt.Errorf("pthread_create: %w", syscall.Errno(rc))
			}
			if once {
				t.waited(began)
				t.step()
			}
		}
	})
	if failed != nil {
		return s, failed
	}
	return s, err
}
