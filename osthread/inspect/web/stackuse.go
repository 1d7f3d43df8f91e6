package web

import (
	"maps"
	"sync"
	"time"

	"example.com/thread"
)

// How much of its stack a thread has used takes tens of microseconds to ask, so
// only that of the threads on a page is, and the answer, a high-water mark, is
// kept for some seconds. The frames of one run of the sampler share a cache.

const stackAge = 10 * time.Second

type stackUse struct {
	thread.StackUse
	asked time.Time
}

type stackCache struct {
	mu    sync.Mutex
	swept time.Time
	uses  map[uint64]stackUse // by serial
}

// get returns what ask does, or has within stackAge.
func (c *stackCache) get(serial uint64, ask func() thread.StackUse) thread.StackUse {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.swept) > stackAge {
		maps.DeleteFunc(c.uses, func(_ uint64, u stackUse) bool { return now.Sub(u.asked) > stackAge })
		c.swept = now
	}
	u, known := c.uses[serial]
	if !known || now.Sub(u.asked) > stackAge {
		u = stackUse{ask(), now}
		c.uses[serial] = u
	}
	return u.StackUse
}

// stackUse returns the stack use of the thread with that serial, zero if it is
// not known. The caller has f.mu.
func (f *frame) stackUse(serial uint64) thread.StackUse {
	if serial == 0 {
		return thread.StackUse{}
	}
	return f.stacks.get(serial, func() thread.StackUse {
		t := f.record(serial)
		if t == nil {
			return thread.StackUse{}
		}
		use, _ := t.StackUse() // zero where the system does not report it
		return use
	})
}

// record returns the living thread with that serial, or nil. The caller has
// f.mu.
func (f *frame) record(serial uint64) *thread.Thread {
	if f.records == nil {
		f.records = map[uint64]*thread.Thread{}
		for _, t := range thread.Threads() {
			f.records[t.Serial()] = t
		}
	}
	return f.records[serial]
}
