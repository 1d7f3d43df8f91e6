// Prodcons has producers and consumers meet at a bounded buffer: one Lock, and
// two Conditions that share it, so that a put wakes a consumer, and a get a
// producer.
//
//	go run ./examples/prodcons
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"example.com/thread/osthread"
)

const (
	producers = 3
	consumers = 2
	each      = 10_000 // items of one producer
	capacity  = 8
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "prodcons:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	b := newBuffer[int](capacity)
	eaters, eating, err := startConsumers(b)
	if err == nil {
		err = produce(b)
	}
	b.close() // in any case, else the consumers wait for ever
	if err := errors.Join(err, joinAll(eating)); err != nil {
		return err
	}
	return report(w, b, eaters)
}

// produce returns when all producers have ended.
func produce(b *buffer[int]) error {
	var threads []*osthread.Thread
	for p := range producers {
		t := osthread.New(func() error {
			for i := range each {
				if err := b.put(p*each + i); err != nil {
					return err
				}
			}
			return nil
		}, &osthread.Attr{Name: fmt.Sprintf("producer-%d", p)})
		if err := t.Start(); err != nil {
			return errors.Join(err, joinAll(threads))
		}
		threads = append(threads, t)
	}
	return joinAll(threads)
}

// A consumer is an osthread.Runner; its fields are to be read after Join.
type consumer struct {
	from  *buffer[int]
	items int
	sum   int
}

func (c *consumer) Run() error {
	for {
		v, ok := c.from.get()
		if !ok {
			return nil
		}
		c.items++
		c.sum += v
	}
}

func startConsumers(b *buffer[int]) (all []*consumer, threads []*osthread.Thread, err error) {
	for n := range consumers {
		c := &consumer{from: b}
		t := osthread.NewRunner(c, &osthread.Attr{Name: fmt.Sprintf("consumer-%d", n)})
		if err := t.Start(); err != nil {
			return all, threads, err
		}
		all, threads = append(all, c), append(threads, t)
	}
	return all, threads, nil
}

func joinAll(threads []*osthread.Thread) error {
	var errs []error
	for _, t := range threads {
		errs = append(errs, t.Join())
	}
	return errors.Join(errs...)
}

func report(w io.Writer, b *buffer[int], eaters []*consumer) error {
	items, sum := 0, 0
	for n, c := range eaters {
		fmt.Fprintf(w, "consumer-%d got %d items\n", n, c.items)
		items, sum = items+c.items, sum+c.sum
	}
	const all = producers * each
	fmt.Fprintf(w, "%d producers made %d items, %d consumers got %d\n", producers, all, consumers, items)
	fmt.Fprintf(w, "the buffer held %d at most, and has room for %d\n", b.most, capacity)
	if want := all * (all - 1) / 2; sum != want {
		return fmt.Errorf("items sum up to %d, not %d", sum, want)
	}
	return nil
}

var errClosed = errors.New("buffer is closed")

// A buffer is a queue of limited length. put waits while it is full, and
// get while it is empty.
type buffer[T any] struct {
	mu       osthread.Lock
	notEmpty *osthread.Condition
	notFull  *osthread.Condition

	items  []T
	max    int
	most   int // that were in it at once
	closed bool
}

func newBuffer[T any](limit int) *buffer[T] {
	b := &buffer[T]{max: limit}
	b.notEmpty = osthread.NewCondition(&b.mu)
	b.notFull = osthread.NewCondition(&b.mu)
	return b
}

func (b *buffer[T]) put(v T) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notFull.WaitFor(func() bool { return len(b.items) < b.max || b.closed })
	if b.closed {
		return errClosed
	}
	b.items = append(b.items, v)
	b.most = max(b.most, len(b.items))
	b.notEmpty.Notify() // one item, so one waiter
	return nil
}

// get reports false once the buffer is closed and empty.
func (b *buffer[T]) get() (v T, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notEmpty.WaitFor(func() bool { return len(b.items) > 0 || b.closed })
	if len(b.items) == 0 {
		return v, false
	}
	v, b.items = b.items[0], b.items[1:]
	b.notFull.Notify()
	return v, true
}

// close lets nothing more in; what is in it can still be got.
func (b *buffer[T]) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.notEmpty.NotifyAll()
	b.notFull.NotifyAll()
}
