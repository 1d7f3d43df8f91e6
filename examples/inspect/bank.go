package main

import (
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

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

// A bank has customers, tellers, a counter where orders come in, and a clerk
// that takes them.
type bank struct {
	checking, savings, vault account

	orders *queue.Queue[int]
}

func newBank() *bank {
	b := &bank{orders: osthread.Named(queue.New[int](20), "orders")}
	osthread.Named(&b.checking.lock, "checking")
	osthread.Named(&b.savings.lock, "savings")
	osthread.Named(&b.vault.lock, "vault")
	return b
}

// open starts the bank, which does well for a while.
func (b *bank) open(while time.Duration) error {
	if err := b.staff(); err != nil {
		return err
	}
	closing, never := time.Now().Add(while), time.Now().AddDate(1, 0, 0)
	met := osthread.NewBarrier(2, nil)
	// In other programs it takes chance; here both transfers meet halfway.
	meet := func() { _, _ = met.Wait() }
	return start(map[string]func(){
		"alice": func() { visit(&b.checking, &b.vault, closing); transfer(&b.checking, &b.savings, 100, meet) },
		"bob":   func() { visit(&b.savings, &b.vault, closing); transfer(&b.savings, &b.checking, 50, meet) },
		"carol": func() { visit(&b.checking, &b.vault, never) },
		"dave":  func() { visit(&b.savings, &b.vault, never) },
	})
}

// visit makes transfers from one account until closing.
func visit(from, to *account, closing time.Time) {
	for time.Now().Before(closing) {
		transfer(from, to, 1, work)
	}
}

// work stands for what a person does at a counter.
func work() { time.Sleep(2 * time.Millisecond) }

// staff starts those that no transfer waits for.
func (b *bank) staff() error {
	tellers, err := executor.New(executor.Options{
		Threads: 2, Backlog: 12, Attr: &osthread.Attr{Name: "teller", Daemon: true},
	})
	if err != nil {
		return err
	}
	return start(map[string]func(){
		"counter": func() {
			for n := 0; b.orders.Put(n) == nil; n++ {
				_, _ = executor.TrySubmit(tellers, func() (int, error) { work(); return n, nil })
				time.Sleep(time.Millisecond)
			}
		},
		"clerk": func() {
			for range b.orders.All() {
				work()
			}
		},
	})
}

func start(people map[string]func()) error {
	for name, body := range people {
		attr := &osthread.Attr{Name: name, Daemon: true}
		if _, err := osthread.Start(func() error { body(); return nil }, attr); err != nil {
			return err
		}
	}
	return nil
}
