package osthread

import (
	"weak"

	"example.com/thread/internal/watch"
)

// Watch turns watch mode on, in which objects know their holders: package
// inspect then names those of locks, semaphores and RWLocks, all readers among
// them, and the calls that acquired them, for goroutines as for threads.
// If locks are acquired in one order here and in another there, which can
// deadlock even if it never has, both stacks of each are written to standard
// error, once for the same locks. In watch mode locks are several times as
// slow.
//
// It must be called in an init function, or to initialize a package variable,
// before other goroutines use this package: the mode cannot change later. The
// environment variable OSTHREAD_WATCH=1 and the build tag osthreadwatch do the
// same. What was acquired before has no holder.
func Watch() { watch.Enable() }

// Named gives object a name, by which package inspect calls it, and returns
// object:
//
//	accounts := osthread.Named(new(osthread.Lock), "accounts")
//
// The object is a lock, a queue or another object of this module that callers
// wait for. The last name counts. A queue with a name has its length in
// inspect.Metrics at any time. Outside of watch mode Named does nothing.
func Named[T any](object *T, name string) *T {
	watch.Name(object, name)
	if _, ok := any(object).(sized); ok && watch.On {
		ref := weak.Make(object)
		watch.Refer(object, func() any {
			if o := ref.Value(); o != nil {
				return o
			}
			return nil
		})
	}
	return object
}

// A sized object is a queue. Others are not referred to: a lock may be in
// memory of C, to which there are no weak pointers.
type sized interface {
	Len() int
	Empty() bool
}
