// Timeline is a queue between threads: two producers put into it, three
// consumers get from it and share a ledger, which one lock protects. It records
// what they do, when, and writes a file for a viewer.
//
//	go run ./examples/timeline [FILE]
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

// In watch mode objects have names, and locks have holders that are known.
func init() { osthread.Watch() }

const (
	producers = 2
	consumers = 3
	each      = 20 // orders of one producer
	room      = 4
)

func main() {
	name := filepath.Join(os.TempDir(), "timeline.json")
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if err := osthread.RunMain(func() error { return run(os.Stdout, name) }); err != nil {
		fmt.Fprintln(os.Stderr, "timeline:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, name string) error {
	var s shop
	if err := timeline.WriteFile(name, s.open); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d orders, %d sold\n", producers*each, s.sold)
	fmt.Fprintf(w, "%s: open it at https://ui.perfetto.dev or https://www.speedscope.app\n", name)
	return nil
}

// A shop takes orders into a queue and enters what is sold into a ledger.
type shop struct {
	doors  *osthread.Barrier
	orders *queue.Queue[int]
	ledger osthread.Lock
	sold   int // under ledger
}

// open returns when all orders are sold.
func (s *shop) open() error {
	s.doors = osthread.Named(osthread.NewBarrier(producers+consumers, nil), "doors")
	s.orders = osthread.Named(queue.New[int](room), "orders")
	osthread.Named(&s.ledger, "ledger")
	sellers, err := threads("consumer", consumers, s.sell)
	var buyers []*osthread.Thread
	if err == nil {
		buyers, err = threads("producer", producers, s.order)
	}
	if err != nil {
		s.doors.Abort() // some would wait for others for ever
	}
	err = errors.Join(err, join(buyers))
	s.orders.Shutdown() // consumers end when it is empty
	return errors.Join(err, join(sellers))
}

func (s *shop) order() error {
	if _, err := s.doors.Wait(); err != nil {
		return err
	}
	for i := range each {
		work(200)
		if err := s.orders.Put(i); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) sell() error {
	if _, err := s.doors.Wait(); err != nil {
		return err
	}
	for range s.orders.All() {
		work(300)
		s.ledger.Lock()
		s.sold++
		work(150)
		s.ledger.Unlock()
	}
	return nil
}

// work computes until us microseconds have passed.
func work(us int) {
	for began := time.Now(); time.Since(began) < time.Duration(us)*time.Microsecond; {
	}
}

// threads starts n threads that call f.
func threads(name string, n int, f func() error) (all []*osthread.Thread, err error) {
	for i := range n {
		t, err := osthread.Start(f, &osthread.Attr{Name: fmt.Sprintf("%s-%d", name, i)})
		if err != nil {
			return all, err
		}
		all = append(all, t)
	}
	return all, nil
}

func join(threads []*osthread.Thread) error {
	var errs []error
	for _, t := range threads {
		errs = append(errs, t.Join())
	}
	return errors.Join(errs...)
}
