package thread

import (
	"slices"
	"unsafe"
)

// A Key is thread-specific data: one value of type T for each thread (POSIX:
// pthread_key_t). The zero value is ready for use. A Key must not be copied
// after first use. A goroutine without a thread of its own has no value.
//
// When a thread ends, or Detach ends its record, Destructor is called on it
// with each value that is set, in unspecified order. As with pthread_key_t, a
// value is cleared just before its own destructor runs. So a destructor finds
// the values of Keys whose destructors have not run yet, and may set or clear
// them: each destructor gets the current value of its Key. A value set for a
// Key whose destructor has run is destroyed in the next of up to 4 rounds
// (PTHREAD_DESTRUCTOR_ITERATIONS). Values left after those are dropped.
//
// A panic or runtime.Goexit in a destructor does not skip the others. Join
// returns it, unless the body had already panicked or called Goexit.
type Key[T any] struct {
	// Destructor, if not nil, is called with each value that is set when its
	// thread ends, except on the process's first thread.
	Destructor func(v T)
	// New, if not nil, makes the value of a thread when Get finds none, on that
	// thread. It may use the Key itself; its result replaces what it sets.
	New func() T

	_ noCopy
}

// destructorRounds is POSIX's _POSIX_THREAD_DESTRUCTOR_ITERATIONS.
const destructorRounds = 4

// A value is a thread's value of one Key. Threads have few, so a linear search
// is faster than a table. Only the thread itself searches. The two pointers
// have no type, which every comparison would have to include: no two keys share
// an address, so the address of the key determines T.
type value struct {
	key     unsafe.Pointer // *Key[T]
	box     unsafe.Pointer // *T
	destroy func()
}

// Get returns the calling thread's value, and whether there is one. If there is
// none, New makes it.
func (k *Key[T]) Get() (v T, ok bool) {
	t := Current()
	if t == nil {
		return v, false
	}
	for i := range t.values {
		if t.values[i].key == unsafe.Pointer(k) {
			return *(*T)(t.values[i].box), true
		}
	}
	if k.New == nil {
		return v, false
	}
	v = k.New()
	return v, k.Set(v) == nil
}

// Set sets the calling thread's value. Destructor is not called with the value
// that it replaces. Set returns ErrNotAttached in a goroutine without a thread
// of its own.
func (k *Key[T]) Set(v T) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	for i := range t.values {
		if t.values[i].key == unsafe.Pointer(k) {
			*(*T)(t.values[i].box) = v
			return nil
		}
	}
	box := &v
	t.values = append(t.values, value{key: unsafe.Pointer(k), box: unsafe.Pointer(box), destroy: func() {
		if k.Destructor != nil {
			k.Destructor(*box)
		}
	}})
	return nil
}

// Clear removes the calling thread's value without calling Destructor.
func (k *Key[T]) Clear() {
	if t := Current(); t != nil {
		t.values = slices.DeleteFunc(t.values, func(v value) bool { return v.key == unsafe.Pointer(k) })
	}
}

// destroyValues runs the destructors of the calling thread's values, round by
// round, and stores the first panic in *end unless *end is set. A destructor
// that calls Goexit ends the goroutine after all others have run.
func (t *Thread) destroyValues(end *error) { t.destroyRound(end, destructorRounds, nil) }

// destroyRound runs the destructors of those keys that have a value, and then
// the next rounds. Each call defers the next, so neither a panic nor a Goexit
// skips any.
func (t *Thread) destroyRound(end *error, rounds int, keys []unsafe.Pointer) {
	if len(keys) == 0 {
		if rounds == 0 {
			t.values = nil
		}
		if len(t.values) == 0 {
			return
		}
		rounds--
		for i := range t.values {
			keys = append(keys, t.values[i].key)
		}
	}
	defer t.destroyRound(end, rounds, keys[1:])
	defer func() {
		if v := recover(); v != nil {
			*end = firstOf(*end, newPanicError(v))
		}
	}()
	t.destroy(keys[0])
}

// destroy removes the calling thread's value of key, if it still has one, and
// calls the destructor with it.
func (t *Thread) destroy(key unsafe.Pointer) {
	for i, v := range t.values {
		if v.key == key {
			t.values = slices.Delete(t.values, i, i+1)
			v.destroy()
			return
		}
	}
}

// noCopy makes vet's copylocks check report copies of a type.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
