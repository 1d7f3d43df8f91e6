// Package queue provides first-in-first-out, last-in-first-out and priority
// queues that pass values between threads and goroutines, with a bound, a count
// of unfinished tasks and a shutdown, as in Python's module queue.
//
//	q := queue.New[string](100)
//	for range 4 {
//		osthread.Go(func() error {
//			for name := range q.Tasks() {
//				work(name)
//			}
//			return nil
//		})
//	}
//	for _, name := range names {
//		q.Put(name) // sleeps while the queue holds 100
//	}
//	q.Join()     // waits until all are done
//	q.Shutdown() // ends the loops of the four threads
//
// docs/python.md lists Python's names and what they are here.
//
// # Four shapes
//
// An operation that may sleep has four shapes, as in package osthread:
//
//	Get                sleeps until there is a value
//	TryGet             does not sleep
//	GetTimeout(d)      sleeps for at most d; not at all if d <= 0
//	GetContext(ctx)    sleeps until ctx is done; does nothing if it is done already
//
// A goroutine costs no thread while it waits. Everything works on all
// platforms.
//
// Counts (Len, Empty, Full, Unfinished, Waiting) may be stale by the time they
// are used.
package queue
