//go:build unix || windows

package inspect_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/inspect"
	"example.com/thread/osthread/queue"
)

// A deadlock cannot be undone, so each is in a process of its own.

// daemon starts a thread that is left in its deadlock.
func daemon(name string, body func()) *osthread.Thread {
	t, err := osthread.Start(func() error { body(); return nil }, &osthread.Attr{Name: name, Daemon: true})
	testutil.Must(err)
	return t
}

// meet returns a function that returns when n callers have called it.
func meet(n int) func() {
	b := osthread.NewBarrier(n, nil)
	return func() { _, err := b.Wait(); testutil.Must(err) }
}

// A deadlock is how parties come into one, and what is said of it.
type deadlock struct {
	name  string
	watch bool // it is found in watch mode alone
	stuck int  // the parties, including those behind
	enter func()
	want  []string // lines, as expressions; each A, B, ... is a name
}

var deadlocks = []deadlock{
	{
		"two RLocks", false, 2,
		func() {
			var a, b osthread.RLock
			met := meet(2)
			daemon("alice", func() { a.Lock(); met(); b.Lock() })
			daemon("bob", func() { b.Lock(); met(); a.Lock() })
		},
		[]string{
			`DEADLOCK 1: 2 parties wait for each other`,
			`"alice" waits for \S+ for RLock\(\S+, locked, 1 waiting\), held by "bob"`,
			`"bob" waits for \S+ for RLock\(\S+, locked, 1 waiting\), held by "alice"`,
		},
	},
	{
		"three RLocks, and one behind", false, 4,
		func() {
			var l [3]osthread.RLock
			met := meet(3)
			var threads [3]*osthread.Thread
			for i := range l {
				body := func() { l[i].Lock(); met(); l[(i+1)%3].Lock() }
				threads[i] = daemon(fmt.Sprintf("philosopher %d", i), body)
			}
			daemon("host", func() { _ = threads[1].Join() })
		},
		[]string{
			`DEADLOCK 1: 3 parties wait for each other`,
			`"philosopher 0" waits .*, held by "philosopher 1"`,
			`"philosopher 1" waits .*, held by "philosopher 2"`,
			`"philosopher 2" waits .*, held by "philosopher 0"`,
			`behind them, so stuck as well: "host"`,
		},
	},
	{
		"two joins", false, 2,
		func() {
			var alice, bob *osthread.Thread
			met := meet(3)
			alice = daemon("alice", func() { met(); _ = bob.Join() })
			bob = daemon("bob", func() { met(); _ = alice.Join() })
			met()
		},
		[]string{
			`"alice" waits for \S+ for Thread\(bob, .*, for which "bob" must go on`,
			`"bob" waits for \S+ for Thread\(alice, .*, for which "alice" must go on`,
		},
	},
	{
		"a Worker that waits for a lock of its caller", false, 2,
		func() {
			var l osthread.RLock
			w, err := executor.NewWorker(&osthread.Attr{Name: "worker", Daemon: true})
			testutil.Must(err)
			daemon("caller", func() {
				l.Lock()
				_ = w.Call(func() error { l.Lock(); return nil })
			})
		},
		[]string{
			`"caller" waits for \S+ for Worker\(worker, .*\), which only "worker" can end`,
			`"worker" waits for \S+ for RLock\(.*, held by "caller"`,
		},
	},
	{
		"a pool whose threads wait for a lock of its user", false, 3,
		func() {
			var l osthread.RLock
			p, err := executor.New(executor.Options{Threads: 2, Attr: &osthread.Attr{Name: "pool", Daemon: true}})
			testutil.Must(err)
			daemon("user", func() {
				l.Lock()
				for range 2 {
					_, _ = executor.Submit(p, func() (int, error) { pass(&l); return 0, nil })
				}
				f, _ := executor.Submit(p, func() (int, error) { return 1, nil })
				_, _ = f.Result()
			})
		},
		[]string{
			`DEADLOCK 1: 3 parties wait for each other`,
			`"user" waits for \S+ for Future\(pending\), which only "\S+" or "\S+" can end`,
		},
	},
	{
		"two Locks", true, 2,
		func() {
			var a, b osthread.Lock
			met := meet(2)
			daemon("alice", func() { a.Lock(); met(); b.Lock() })
			daemon("bob", func() { b.Lock(); met(); a.Lock() })
		},
		[]string{
			`"alice" waits for \S+ for Lock\(\S+, locked, 1 waiting\).*, held by "bob"`,
			`"bob" waits for \S+ for Lock\(\S+, locked, 1 waiting\).*, held by "alice"`,
			`taken in`,
		},
	},
	{
		"three Locks, two of goroutines", true, 3,
		func() {
			var a, b, c osthread.Lock
			met := meet(3)
			daemon("alice", func() { a.Lock(); met(); b.Lock() })
			go func() { b.Lock(); met(); c.Lock() }()
			go func() { c.Lock(); met(); a.Lock() }()
		},
		[]string{
			`DEADLOCK 1: 3 parties wait for each other`,
			`"alice" waits for \S+ for Lock\(.*\) first used at deadlock_test.go:\d+, held by goroutine \d+`,
			`goroutine \d+ waits for \S+ for Lock\(.*, held by "alice"`,
			`goroutine \d+ waits for \S+ for Lock\(.*, held by goroutine \d+`,
		},
	},
	{
		"a barrier, and a party that waits for the lock of another", true, 2,
		func() {
			b := osthread.NewBarrier(2, nil)
			var l osthread.Lock
			met := meet(2)
			daemon("alice", func() { _, _ = b.Wait(); l.Lock(); met(); _, _ = b.Wait() })
			daemon("bob", func() { _, _ = b.Wait(); met(); l.Lock(); _, _ = b.Wait() })
		},
		[]string{
			`DEADLOCK 1: 2 parties wait for each other`,
			`"alice" waits for \S+ for Barrier\(.*, for which "bob" must go on`,
			`unless another party comes to the barrier`,
			`"bob" waits for \S+ for Lock\(.*, held by "alice"`,
		},
	},
	{
		"an upgrader, and a reader that waits for its lock", true, 2,
		func() {
			var w osthread.RWLock
			var l osthread.Lock
			met := meet(2)
			daemon("upgrader", func() { w.RLock(); l.Lock(); met(); _ = w.Upgrade() })
			daemon("reader", func() { w.RLock(); met(); l.Lock() })
		},
		[]string{
			`"upgrader" waits for \S+ for RWLock\(.*, held by "reader"`,
			`"reader" waits for \S+ for Lock\(.*, held by "upgrader"`,
		},
	},
	{
		"a reader that reads again behind a writer", true, 2,
		func() {
			var w osthread.RWLock
			met := meet(2)
			daemon("reader", func() {
				w.RLock()
				met()
				await(func() bool { return w.Waiting() == 1 })
				w.RLock()
			})
			daemon("writer", func() { met(); w.Lock() })
		},
		[]string{
			`"reader" waits for \S+ for RWLock\(.*, for which "writer" must go on`,
			`"writer" waits for \S+ for RWLock\(.*, held by "reader"`,
		},
	},
	{
		"a queue's Join, and a consumer that waits for the caller's lock", true, 2,
		func() {
			q := queue.New[int](0)
			var l osthread.Lock
			met := meet(2)
			testutil.Must(q.Put(1))
			daemon("consumer", func() {
				_, _ = q.Get()
				met()
				l.Lock()
				q.TaskDone()
			})
			daemon("producer", func() { l.Lock(); met(); q.Join() })
		},
		[]string{
			`"producer" waits for \S+ for FIFO queue.*, held by "consumer"`,
			`"consumer" waits for \S+ for Lock\(.*, held by "producer"`,
		},
	},
}

func TestDeadlocksAreFound(t *testing.T) {
	for _, row := range deadlocks {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("OSTHREAD_WATCH", map[bool]string{false: "0", true: "1"}[row.watch])
			text := leak.InChild(t, func() {
				inspect.SetHook(func(*inspect.Report) {}) // it finds the same
				row.enter()
				var s *inspect.Snapshot
				await(func() bool {
					s = inspect.Deadlocks()
					return s != nil && len(s.Deadlocks[0].Cycle)+len(s.Deadlocks[0].Behind) == row.stuck
				})
				fmt.Println(s)
				os.Exit(0) // the test would end with what is deadlocked
			})
			for _, want := range row.want {
				assert.Regexp(t, regexp.MustCompile(`(?m)^ *`+want+`$`), text)
			}
			assert.Equal(t, 1, strings.Count(text, "\nDEADLOCK "))
		})
	}
}

func TestDeadlocksLeaveOutWaitsThatEnd(t *testing.T) {
	var a, b osthread.RLock
	met := meet(2)
	unlocked := start(t, "alice", osthread.Attr{}, func() {
		a.Lock()
		defer a.Unlock()
		met()
		assert.False(t, b.LockTimeout(300*time.Millisecond))
	})
	start(t, "bob", osthread.Attr{}, func() {
		b.Lock()
		defer b.Unlock()
		met()
		pass(&a)
	})
	for unlocked.Alive() {
		assert.Nil(t, inspect.Deadlocks())
	}
}

// Waits that parties can end which do not hold the object.
type noDeadlock struct {
	name  string
	enter func() // returns once all wait
}

var noDeadlocks = []noDeadlock{
	{"a Lock as a signal", func() {
		var l osthread.Lock
		l.Lock()
		go l.Lock()
		await(func() bool { return l.Waiting() == 1 })
	}},
	{"a Lock that its locker waits for", func() {
		var l osthread.Lock
		go func() { l.Lock(); l.Lock() }() // another one may unlock it
		await(func() bool { return l.Waiting() == 1 })
	}},
	{"a task that was handed on", func() {
		q := queue.New[int](0)
		testutil.Must(q.Put(1))
		daemon("dispatcher", func() { _, _ = q.Get(); q.Join() }) // TaskDone is to come from elsewhere
		await(func() bool { return len(waiting()) == 1 })
	}},
	{"an RLock of a goroutine that was detached", func() {
		var r osthread.RLock
		var l osthread.Lock
		held := make(chan struct{})
		go func() {
			_, err := thread.Attach()
			testutil.Must(err)
			osthread.With(&l, func() {})
			testutil.Must(thread.Detach())
			r.Lock()
			close(held)
			select {} // it computes
		}()
		<-held
		go r.Lock()
		await(func() bool { return r.Waiting() == 1 })
	}},
	{"a barrier to which others came before", func() {
		b := osthread.NewBarrier(2, nil)
		var l osthread.Lock
		locked := make(chan struct{})
		go func() { _, _ = b.Wait(); l.Lock(); close(locked); _, _ = b.Wait() }()
		go func() { _, _ = b.Wait(); _, _ = b.Wait() }()
		go func() { <-locked; l.Lock() }()
		go func() { <-locked; _, _ = b.Wait() }()
		await(func() bool { return l.Waiting() == 1 })
	}},
}

// waiting returns the parties that wait.
func waiting() (some []inspect.Party) {
	for _, p := range inspect.Take().Parties {
		if p.Wait != nil {
			some = append(some, p)
		}
	}
	return some
}

func TestNoDeadlockIsFoundWhereOthersCanEndTheWait(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	for _, row := range noDeadlocks {
		t.Run(row.name, func(t *testing.T) {
			text := leak.InChild(t, func() {
				row.enter()
				for range 10 {
					if s := inspect.Deadlocks(); s != nil {
						fmt.Println("FOUND", s)
					}
				}
				os.Exit(0)
			})
			assert.NotContains(t, text, "FOUND")
		})
	}
}

func TestTakeNamesEachHolderOnce(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	leak.InChild(t, func() {
		var r osthread.RLock
		r.Lock()
		go r.Lock()
		await(func() bool { return len(waiting()) == 1 })
		for _, o := range inspect.Take().Objects {
			if len(o.Holders) != 1 {
				fmt.Println(o, "has the holders", o.Holders)
				os.Exit(1)
			}
		}
		os.Exit(0)
	})
}
