package osthread

import "example.com/thread/internal/watch"

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
// wait for. The last name counts. Outside of watch mode Named does nothing.
func Named[T any](object *T, name string) *T {
	watch.Name(object, name)
	return object
}
