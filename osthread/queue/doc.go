// Package queue hands values from threads and goroutines to others:
// first-in-first-out, last-in-first-out and priority queues with a count of
// unfinished tasks and an end, as Python's module queue (Queue in Python 2) has
// them.
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
//		q.Put(name) // sleeps while there are 100
//	}
//	q.Join()     // all done
//	q.Shutdown() // lets the four go
//
// Calls come in four shapes: Get sleeps, TryGet does not, GetTimeout does for a
// while, GetContext until a context is done. Callers sleep as those of package
// osthread do: a goroutine costs no thread while it waits. Everything works on
// all platforms.
//
// # Python's names
//
//	Python                                  here                              difference
//	Queue(maxsize)                          New(max), the zero value
//	LifoQueue(maxsize)                      NewLIFO(max)
//	PriorityQueue(maxsize)                  NewPriority(max, cmp)             equals come out as they went in; a value whose comparison fails does
//	                                                                          not stay in the queue
//	SimpleQueue()                           Simple                            Put has no arguments to ignore
//	put(item, block, timeout)               Put, TryPut, PutTimeout,          a time-out <= 0 does not sleep, and is no error
//	                                        PutContext
//	get(block, timeout)                     Get, TryGet, GetTimeout,          likewise
//	                                        GetContext
//	put_nowait, get_nowait                  TryPut, TryGet
//	qsize, empty, full                      Len, Empty, Full
//	maxsize                                 Cap                               0 for all that is <= 0; it cannot be changed
//	task_done                               TaskDone                          panics
//	join                                    Join, TryJoin, JoinTimeout,
//	                                        JoinContext
//	unfinished_tasks                        Unfinished
//	shutdown(immediate)                     Shutdown, ShutdownNow             ShutdownNow works after Shutdown too, and returns what it throws out
//	is_shutdown                             IsShutdown
//	Empty, Full, ShutDown                   ErrEmpty, ErrFull, ErrShutdown
//	ValueError of task_done                 ErrTooManyDone
//	mutex, not_empty, not_full,             none                              they are no conditions here
//	all_tasks_done, queue
//	_init, _qsize, _put, _get               none                              an order of one's own is NewPriority's
//	none                                    All, Tasks, Drain, PutAll, GetN,  range over a queue, Tasks with
//	                                        GetOp                             TaskDone; batches; wait for
//	                                                                          several at once
package queue
