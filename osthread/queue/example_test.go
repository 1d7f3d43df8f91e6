package queue_test

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

func ExampleQueue() {
	q := queue.New[int](2)
	sum := 0
	worker, err := osthread.Go(func() error {
		for v := range q.All() {
			sum += v
			q.TaskDone()
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 10 {
		if err := q.Put(i); err != nil {
			fmt.Println(err)
		}
	}
	q.Join()
	q.Shutdown()
	fmt.Println(worker.Join(), sum)
	// Output: <nil> 45
}

func ExampleNewPriority() {
	type job struct {
		priority int
		name     string
	}
	q := queue.NewPriority(0, func(a, b job) int { return cmp.Compare(a.priority, b.priority) })
	n, err := q.PutAll([]job{{2, "write"}, {1, "read"}, {2, "close"}})
	fmt.Println(n, err)
	q.Shutdown()
	for j := range q.All() {
		fmt.Println(j.name)
	}
	// Output:
	// 3 <nil>
	// read
	// write
	// close
}

func ExampleNewLIFO() {
	q := queue.NewLIFO[int](2)
	fmt.Println(q.Put(1), q.Put(2), q.TryPut(3))
	fmt.Println(q.Get())
	// Output:
	// <nil> <nil> queue: full
	// 2 <nil>
}

func ExampleSimple() {
	var s queue.Simple[string]
	s.Put("never sleeps")
	fmt.Println(s.Get())
	// Output: never sleeps
}

func ExampleQueue_ShutdownNow() {
	var q queue.Queue[int]
	n, err := q.PutAll([]int{1, 2, 3})
	fmt.Println(n, err)
	fmt.Println(q.ShutdownNow())
	fmt.Println(q.Put(4))
	// Output:
	// 3 <nil>
	// [1 2 3]
	// osthread: shut down
}

func ExampleQueue_GetOp() {
	var stop osthread.Event
	orders := queue.New[string](0)
	next := orders.GetOp()
	if err := orders.Put("coffee"); err != nil {
		fmt.Println(err)
	}
	for {
		switch osthread.WaitAnyTimeout(time.Minute, &stop, next) {
		case 0:
			fmt.Println("stopped")
			return
		case 1:
			fmt.Println(next.Result())
			stop.Set()
		}
	}
	// Output:
	// coffee <nil>
	// stopped
}

// GetN takes a batch: all values that are there, up to the length of its
// buffer.
func ExampleQueue_GetN() {
	q := queue.New[int](0)
	n, err := q.PutAll([]int{1, 2, 3, 4, 5})
	fmt.Println(n, err)
	q.Shutdown()
	buf := make([]int, 3)
	for {
		n, err := q.GetN(buf)
		if err != nil {
			fmt.Println(errors.Is(err, queue.ErrShutdown))
			return
		}
		fmt.Println(buf[:n])
	}
	// Output:
	// 5 <nil>
	// [1 2 3]
	// [4 5]
	// true
}

func ExampleQueue_Drain() {
	q := queue.New[string](2)
	for _, v := range []string{"a", "b"} {
		if err := q.Put(v); err != nil {
			fmt.Println(err)
		}
	}
	for _, v := range q.Drain() {
		fmt.Println(v)
		q.TaskDone()
	}
	fmt.Println(q.Len(), q.Unfinished())
	// Output:
	// a
	// b
	// 0 0
}
