// A library for CPython, whose threads put into a queue that threads and
// goroutines of Go get from.
package main

import "C"

import (
	"sync"
	"sync/atomic"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

var (
	q       = queue.New[int](4)
	lock    osthread.Lock
	puts    int // under lock
	mine    osthread.Local[int]
	got     atomic.Int64
	sum     atomic.Int64
	getters sync.WaitGroup
)

//export begin
func begin() C.int {
	body := func() error {
		defer getters.Done()
		for v := range q.All() {
			got.Add(1)
			sum.Add(int64(v))
			q.TaskDone()
		}
		return nil
	}
	for range 2 {
		getters.Add(2)
		go func() { _ = body() }()
		if _, err := osthread.Go(body); err != nil {
			return 1
		}
	}
	return 0
}

// put returns how often the calling thread has called it, -1 if it fails.
//
//export put
func put(v C.long) C.long {
	// not a dummy, or not in the queue
	if osthread.Current().Join() != osthread.ErrNotJoinable || q.Put(int(v)) != nil {
		return -1
	}
	mine.Set(mine.Get() + 1)
	lock.Lock()
	puts++
	lock.Unlock()
	return C.long(mine.Get())
}

//export end
func end() {
	q.Join()
	q.Shutdown()
	getters.Wait()
}

// left returns how many threads there are records or values of, but for the
// caller's and the first thread's.
//
//export left
func left() (n C.long) {
	me := osthread.Current()
	for t := range osthread.Threads() {
		if t != me && t != osthread.Main() {
			n++
		}
	}
	for t := range mine.All() {
		if t != me {
			n++
		}
	}
	return n
}

//export value
func value(which C.long) C.long {
	lock.Lock()
	defer lock.Unlock()
	return C.long([]int64{got.Load(), sum.Load(), int64(puts)}[which])
}

func main() {}
