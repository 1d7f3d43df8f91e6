package thread

import (
	"slices"
	"unsafe"
)

// A Key is thread-specific data: one value of type T for each thread (POSIX:
// pthread_key_t). The zero value is ready. It must not be copied after first
// use.
//
// When a thread ends, or Detach ends its record, Destructor is called on it
// with each value that is set, in no promised order. As with pthread_key_t a
// value is cleared just before its own destructor, so a destructor finds the
// values of Keys whose destructors have not run yet, and may set or clear them:
// each destructor gets the value that its Key has when it is called. What is
// set for a Key whose destructor has run is destroyed in a next round, of 4 in
// all (PTHREAD_DESTRUCTOR_ITERATIONS), after which what is left is forgotten. A
// panic, or runtime.Goexit, in a destructor does not keep the others from
// running; Join returns it, if the thread did not end badly before.
//
// Where a goroutine has no thread of its own there is no value.
type Key[T any] struct {
	// Destructor is called with each value left when its thread ends, except on
	// the process's first thread. nil: none.
	Destructor func(v T)
	// New makes the first value of a thread when Get finds none, on that
	// thread; nil: Get reports that there is none. It may use the Key itself;
	// what it sets is replaced by what it returns.
	New func() T

	_ noCopy
}

// destructorRounds is POSIX's _POSIX_THREAD_DESTRUCTOR_ITERATIONS.
const destructorRounds = 4

// A value is a thread's value of one Key. Threads hold few, so a search beats a
// table; only the thread itself looks. Its two pointers have lost their types,
// which every look would have to compare as well: no two keys are at one
// address, so the key's tells T.
type value struct {
	key     unsafe.Pointer // *Key[T]
	box     unsafe.Pointer // *T
	destroy func()
}

// Get returns the calling thread's value, which New makes if there is none, and
// whether there is one.
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

// Set sets the calling thread's value. The value it replaces is not given to
// Destructor. It returns ErrNotAttached in a goroutine without a thread of its
// own.
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

// Clear forgets the calling thread's value without giving it to Destructor.
func (k *Key[T]) Clear() {
	if t := Current(); t != nil {
		t.values = slices.DeleteFunc(t.values, func(v value) bool { return v.key == unsafe.Pointer(k) })
	}
}

// destroyValues runs the destructors of the calling thread's values, round by
// round, and puts a panic of one into end if nothing stands there. A destructor
// that calls Goexit ends the goroutine after all others have run.
func (t *Thread) destroyValues(end *error) { t.destroyRound(end, destructorRounds, nil) }

// destroyRound runs the destructors of the keys that have a value, and then
// those of the next rounds. Each call stands below the deferred one of the
// next, so neither panic nor Goexit skips any.
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

// destroy takes the calling thread's value of key out, if it still has one, and
// gives it to the destructor.
func (t *Thread) destroy(key unsafe.Pointer) {
	for i, v := range t.values {
		if v.key == key {
			t.values = slices.Delete(t.values, i, i+1)
			v.destroy()
			return
		}
	}
}

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
