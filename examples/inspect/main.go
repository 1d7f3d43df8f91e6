// Inspect is a bank whose transfers lock two accounts, the source first. Two
// transfers in opposite directions wait for each other for ever. Watch mode
// finds that and shows it.
//
//	go run ./examples/inspect
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// Watch mode costs time, so a program chooses it: here, or from outside by the
// environment variable OSTHREAD_WATCH=1.
func init() { osthread.Watch() }

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "inspect:", err)
		os.Exit(1)
	}
	// The two threads are daemons: the process ends all the same.
}

// An account is locked while its balance changes.
type account struct {
	lock    osthread.Lock
	balance int
}

// transfer locks both accounts in the order of its arguments, which is the
// mistake: the order must be the same in all threads.
func transfer(from, to *account, amount int, halfway func()) {
	from.lock.Lock()
	defer from.lock.Unlock()
	halfway()
	to.lock.Lock()
	defer to.lock.Unlock()
	from.balance -= amount
	to.balance += amount
}

func run(w io.Writer) error {
	found := make(chan *inspect.Report, 1)
	inspect.SetHook(func(r *inspect.Report) {
		if r.Deadlock != nil {
			found <- r
		}
	})
	defer inspect.SetHook(nil)
	if err := deadlock(); err != nil {
		return err
	}
	select {
	case r := <-found:
		fmt.Fprint(w, r)
		return nil
	case <-time.After(time.Minute):
		return inspect.Dump(w)
	}
}

// deadlock returns when the threads that it starts are about to wait for each
// other. In other programs that takes chance; here both transfers meet halfway.
func deadlock() error {
	var checking, savings account
	osthread.Named(&checking.lock, "checking")
	osthread.Named(&savings.lock, "savings")
	met := osthread.NewBarrier(2, nil)
	meet := func() { _, _ = met.Wait() }
	return start(map[string]func(){
		"alice": func() { transfer(&checking, &savings, 100, meet) },
		"bob":   func() { transfer(&savings, &checking, 50, meet) },
	})
}

func start(clients map[string]func()) error {
	for name, body := range clients {
		attr := &osthread.Attr{Name: name, Daemon: true}
		if _, err := osthread.Start(func() error { body(); return nil }, attr); err != nil {
			return err
		}
	}
	return nil
}
