//go:build cgo && linux

package contender

/*
#cgo CFLAGS: -D_GNU_SOURCE -I${SRCDIR}/../../../csrc
#cgo LDFLAGS: -lpthread
#include "osthread.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// The two sides of a row, each of which waits for what the other posts or sets.
struct turns {
	_Alignas(128) ost_sem_t to_c_sem;
	ost_event_t to_c_event;
	_Alignas(128) ost_sem_t to_go_sem;
	ost_event_t to_go_event;
	uint32_t over;
	pthread_t thread;
};

static void *sem_side(void *p)
{
	struct turns *t = p;

	for (;;) {
		ost_sem_wait(&t->to_c_sem);
		if (__atomic_load_n(&t->over, __ATOMIC_SEQ_CST))
			return NULL;
		ost_sem_post(&t->to_go_sem);
	}
}

static void *event_side(void *p)
{
	struct turns *t = p;

	for (;;) {
		ost_event_wait(&t->to_c_event);
		if (__atomic_load_n(&t->over, __ATOMIC_SEQ_CST))
			return NULL;
		ost_event_set(&t->to_go_event);
	}
}

static struct turns *turns_begin(int events)
{
	struct turns *t = aligned_alloc(128, sizeof(*t));

	memset(t, 0, sizeof(*t));
	ost_sem_init(&t->to_c_sem, 0, 0);
	ost_sem_init(&t->to_go_sem, 0, 0);
	ost_event_init(&t->to_c_event, OST_EVENT_AUTO);
	ost_event_init(&t->to_go_event, OST_EVENT_AUTO);
	if (pthread_create(&t->thread, NULL, events ? event_side : sem_side, t)) {
		free(t);
		return NULL;
	}
	return t;
}

static void turns_end(struct turns *t)
{
	__atomic_store_n(&t->over, 1, __ATOMIC_SEQ_CST);
	ost_sem_post(&t->to_c_sem);
	ost_event_set(&t->to_c_event);
	pthread_join(t->thread, NULL);
	free(t);
}

// The writer of a ring: records of 64 bytes, in batches of 64. It never blocks;
// with no room it polls.
struct producer {
	ost_ring_t *ring;
	size_t size;
	uint32_t over;
	int err;
	pthread_t thread;
};

static void *ring_side(void *v)
{
	struct producer *p = v;
	ost_ring_writer_t w;

	p->err = ost_ring_writer(&w, p->ring, p->size);
	while (!p->err && !__atomic_load_n(&p->over, __ATOMIC_RELAXED)) {
		void *record;
		int i;

		for (i = 0; i < 64 && !ost_ring_reserve(&w, 64, &record); i++)
			memset(record, i, 64);
		if (i)
			p->err = ost_ring_commit(&w);
		else
			sched_yield();
	}
	ost_ring_writer_close(&w);
	return NULL;
}

static struct producer *ring_begin(uint32_t capacity)
{
	struct producer *p = calloc(1, sizeof(*p));

	p->size = ost_ring_size(capacity);
	p->ring = aligned_alloc(128, (p->size + 127) / 128 * 128);
	p->err = ost_ring_init(p->ring, p->size, capacity, OST_RING_RECORDS);
	if (!p->err)
		p->err = pthread_create(&p->thread, NULL, ring_side, p);
	return p;
}

static void ring_stop(struct producer *p)
{
	__atomic_store_n(&p->over, 1, __ATOMIC_RELAXED);
}

static int ring_end(struct producer *p)
{
	int err = p->err;

	pthread_join(p->thread, NULL);
	free(p->ring);
	free(p);
	return err;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unsafe"

	"example.com/thread/bench/internal/sample"
	_ "example.com/thread/csrc" // is rebuilt if a header changes
	"example.com/thread/osthread/shared"
)

// sharedTurns: without this library, C reaches a Go thread by a callback, which
// passes a token through a channel.
func sharedTurns(object string) []Contender {
	return []Contender{
		{Baseline, true, of(func(c *crew) (sample.Sample, error) { return turnsWithC(c, object == "event") })},
		{"cgo callback", false, of(turnsByCallback)},
	}
}

func turnsWithC(c *crew, events bool) (sample.Sample, error) {
	kind := C.int(0)
	if events {
		kind = 1
	}
	turns := C.turns_begin(kind)
	if turns == nil {
		return sample.Sample{}, errors.New("pthread_create failed")
	}
	defer C.turns_end(turns)
	toC := (*shared.Semaphore)(unsafe.Pointer(&turns.to_c_sem))
	toGo := (*shared.Semaphore)(unsafe.Pointer(&turns.to_go_sem))
	post, wait := toC.Release, toGo.Acquire
	if events {
		post = (*shared.Event)(unsafe.Pointer(&turns.to_c_event)).Set
		wait = (*shared.Event)(unsafe.Pointer(&turns.to_go_event)).Wait
	}
	var failed error
	s, err := c.run(1, 1, native, func(_ int, t *tally) {
		for !c.over() && failed == nil {
			for range c.spec.Batch() / 2 {
				failed = errors.Join(post(), wait())
			}
			t.add(c.spec.Batch())
		}
	})
	return s, errors.Join(err, failed)
}

func turnsByCallback(c *crew) (sample.Sample, error) {
	toGo, toC := make(chan struct{}), make(chan struct{})
	var over atomic.Bool
	in := func() bool {
		toGo <- struct{}{}
		<-toC
		return !over.Load()
	}
	called.Store(&in)
	ended := make(chan error)
	go func() { ended <- runThread() }()
	s, err := c.run(1, 1, native, func(_ int, t *tally) {
		for !c.over() {
			for range c.spec.Batch() / 2 {
				<-toGo
				toC <- struct{}{}
			}
			t.add(c.spec.Batch())
		}
		<-toGo
		over.Store(true)
		toC <- struct{}{}
	})
	return s, errors.Join(err, <-ended)
}

// sharedRings: without this library there is a callback for each batch, which
// is another row; a channel has no end in C.
func sharedRings() []Contender {
	return []Contender{{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		const capacity = 1 << 16
		p := C.ring_begin(capacity)
		if p.err != 0 {
			return sample.Sample{}, fmt.Errorf("ring: errno %d", p.err)
		}
		ring, err := shared.OpenRing(unsafe.Slice((*byte)(unsafe.Pointer(p.ring)), p.size))
		if err != nil {
			return sample.Sample{}, err
		}
		reader, err := ring.Reader()
		if err != nil {
			return sample.Sample{}, err
		}
		var failed error
		s, err := c.run(1, 1, native, func(_ int, t *tally) {
			failed = readRing(c, t, reader, func() { C.ring_stop(p) })
		})
		if errno := C.ring_end(p); errno != 0 {
			failed = errors.Join(failed, fmt.Errorf("ring: errno %d", errno))
		}
		return s, errors.Join(err, failed)
	})}}
}

// readRing reads all records until the writer, which stop stops, has closed.
func readRing(c *crew, t *tally, r *shared.RingReader, stop func()) error {
	stopped := false
	for {
		n := 0
		_, err := r.Next()
		for err == nil {
			n++
			if n == c.spec.Batch() {
				break
			}
			_, err = r.Next()
		}
		r.Release()
		t.add(n)
		if c.over() && !stopped {
			stopped = true
			stop()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, shared.ErrBusy):
			if err := r.Wait(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		case err != nil:
			return err
		}
	}
}
