//go:build !android && !portablefutex

package inspect_test

import (
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread/shared"
)

// newMutex returns a mutex of attributes that have an owner.
func newMutex(a shared.MutexAttr) *shared.Mutex {
	m := new(shared.Mutex)
	testutil.Must(m.Init(a))
	return m
}

func init() {
	deadlocks = append(deadlocks, deadlock{
		"two mutexes that C shares", false, 2,
		func() {
			a := newMutex(shared.MutexAttr{Robust: true, ProcessShared: true})
			b := newMutex(shared.MutexAttr{Kind: shared.Recursive})
			met := meet(2)
			daemon("alice", func() { testutil.Must(a.Lock()); met(); testutil.Must(b.Lock()) })
			daemon("bob", func() { testutil.Must(b.Lock()); met(); testutil.Must(a.Lock()) })
		},
		[]string{
			`"alice" waits for \S+ for shared.Mutex\(\S+, locked by thread \d+\), held by "bob"`,
			`"bob" waits for \S+ for shared.Mutex\(\S+, locked by thread \d+\), held by "alice"`,
		},
	}, deadlock{
		"a mutex and a read-write lock that C shares", false, 3,
		func() {
			a, rw := newMutex(shared.MutexAttr{Kind: shared.ErrorCheck}), new(shared.RWMutex)
			met := meet(2)
			daemon("alice", func() { testutil.Must(a.Lock()); met(); testutil.Must(rw.RLock()) })
			daemon("bob", func() {
				testutil.Must(rw.Lock())
				met()
				daemon("carol", func() { testutil.Must(rw.Lock()) })
				testutil.Must(a.Lock())
			})
		},
		[]string{
			`"alice" waits for \S+ for shared.RWMutex\(.*\), held by "bob"`,
			`"bob" waits for \S+ for shared.Mutex\(.*\), held by "alice"`,
			`behind them, so stuck as well: "carol"`,
		},
	})
	noDeadlocks = append(noDeadlocks, noDeadlock{
		"a mutex that C shares and that no thread must unlock", func() {
			a, b := new(shared.Mutex), new(shared.Mutex)
			met := meet(2)
			daemon("alice", func() { testutil.Must(a.Lock()); met(); testutil.Must(b.Lock()) })
			daemon("bob", func() { testutil.Must(b.Lock()); met(); testutil.Must(a.Lock()) })
			await(func() bool { return len(waiting()) == 2 })
		},
	})
}
