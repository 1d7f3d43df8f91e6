package osthread

import (
	"iter"
	"slices"
	"sync"
	"weak"
)

// The Local holds the values, by thread, so they are garbage with it. A thread
// drops its values at its end, through a weak pointer, so that it does not keep
// the Local alive. Only the thread itself stores under its key.

// A Local holds one value of type T for each thread (Python: threading.local).
// The zero value is ready. It must not be copied after first use. A value is
// dropped when its thread ends, including threads that this package did not
// start, or when the Local is garbage.
//
// In a goroutine that is not locked to a thread (runtime.LockOSThread) the
// value is that of the thread it is on at the moment, which may be another at
// the next call.
type Local[T any] struct {
	// New makes a thread's first value; nil stands for the zero T.
	New func() T
	// Destructor, if not nil, is called with each value that is left when its
	// thread ends, on that thread, after its function. The end of a thread made
	// by Go without a record (see thread.Current) is noticed only some time
	// later, and the call then happens on another thread. A panic is reported
	// to the panic hook. Neither a panic nor runtime.Goexit keeps other
	// destructors from being called. Destructor is not called for the values of
	// a Local that is garbage.
	Destructor func(v T)

	values     sync.Map // *Thread -> box[T]
	registered sync.Map // *Thread -> nil: those whose end drops the value
	_          noCopy
}

// Get returns the calling thread's value, which it creates if there is none.
func (l *Local[T]) Get() (v T) {
	t := Current()
	if v, ok := l.values.Load(t); ok {
		return v.(box[T]).v
	}
	if l.New != nil {
		v = l.New()
	}
	l.set(t, v)
	return v
}

// Set sets the calling thread's value.
func (l *Local[T]) Set(v T) { l.set(Current(), v) }

// Delete drops the calling thread's value; the next Get creates a new one.
func (l *Local[T]) Delete() { l.values.Delete(Current()) }

// Has reports whether the calling thread has a value.
func (l *Local[T]) Has() bool {
	_, ok := l.values.Load(Current())
	return ok
}

// All ranges over the threads that have a value, and their values, in no
// promised order.
func (l *Local[T]) All() iter.Seq2[*Thread, T] {
	return func(yield func(*Thread, T) bool) {
		l.values.Range(func(t, v any) bool { return yield(t.(*Thread), v.(box[T]).v) })
	}
}

// box lets a nil interface be a value.
type box[T any] struct{ v T }

func (l *Local[T]) set(t *Thread, v T) {
	if t.origin != first && t.hasEnded() {
		return // in the destructor of a Key, after t's end
	}
	l.values.Store(t, box[T]{v})
	if _, found := l.registered.LoadOrStore(t, nil); found {
		return
	}
	p := weak.Make(l)
	t.onEnd(ending{
		run: func() {
			if l := p.Value(); l != nil {
				v, ok := l.values.LoadAndDelete(t)
				l.registered.Delete(t)
				if ok && l.Destructor != nil {
					t.callReported(func() { l.Destructor(v.(box[T]).v) })
				}
			}
		},
		void: func() bool { return p.Value() == nil },
	})
}

// An ending is called when a thread ends, unless it has become void.
type ending struct {
	run  func()
	void func() bool
}

// leastSwept is the number of endings from which on a thread sweeps out the
// void ones, and again at twice as many.
const leastSwept = 16

// onEnd makes e run when t ends, on its thread where that reports its end. The
// main thread's values remain for the exit functions.
func (t *Thread) onEnd(e ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == ended {
		return
	}
	if n := len(t.atEnd); n >= leastSwept && n&(n-1) == 0 {
		t.atEnd = slices.DeleteFunc(t.atEnd, func(e ending) bool { return e.void() })
	}
	t.atEnd = append(t.atEnd, e)
}
