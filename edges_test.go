package thread

import (
	"context"
	"testing"
	"time"

	"example.com/thread/internal/testutil"
)

// startThread is the testutil.Start of a thread.
func startThread(body func() error) (testutil.Thread, error) {
	return Start(func() { testutil.Must(body()) }, nil)
}

// Each sentence "X synchronizes before Y" of this package's documentation but
// for those about signals, with all shapes of what waits.
func TestSynchronizesBefore(t *testing.T) {
	testutil.CheckEdges(t, startThread, sharedLockEdges())
	testutil.CheckEdges(t, startThread, parkEdges())
	testutil.CheckEdges(t, startThread, bodyEdges())
}

func sharedLockEdges() (edges []testutil.Edge) {
	for shape, lock := range map[string]func(l *Lock){
		"Lock":        (*Lock).Lock,
		"TryLock":     func(l *Lock) { testutil.Await(l.TryLock) },
		"LockTimeout": func(l *Lock) { testutil.Await(func() bool { return l.LockTimeout(time.Hour) }) },
		"LockContext": func(l *Lock) { testutil.Must(l.LockContext(context.Background())) },
	} {
		edges = append(edges, testutil.Edge{Name: "Lock Unlock, " + shape, Make: func(func()) (_, _ func()) {
			l := new(Lock)
			return testutil.Guarded(l.Lock, l.Unlock, func() { lock(l) }, l.Unlock)
		}})
	}
	return edges
}

func parkEdges() (edges []testutil.Edge) {
	for shape, park := range map[string]func() error{
		"Park":        Park,
		"ParkTimeout": func() error { return ParkTimeout(time.Hour) },
		"ParkContext": func() error { return ParkContext(context.Background()) },
	} {
		edges = append(edges, testutil.Edge{Name: "Unpark, " + shape, Make: func(read func()) (_, _ func()) {
			th, err := Start(func() { testutil.Must(park()); read() }, nil)
			testutil.Must(err)
			return th.Unpark, func() { testutil.Must(th.Join()) }
		}})
	}
	return edges
}

func bodyEdges() (edges []testutil.Edge) {
	for shape, join := range map[string]func(t *Thread) error{
		"Join":        (*Thread).Join,
		"TryJoin":     func(t *Thread) error { testutil.Await(func() bool { return t.TryJoin() == nil }); return nil },
		"JoinTimeout": func(t *Thread) error { return t.JoinTimeout(time.Hour) },
		"JoinContext": func(t *Thread) error { return t.JoinContext(context.Background()) },
	} {
		edges = append(edges, testutil.Edge{Name: "Start, the body, " + shape, Make: func(read func()) (_, _ func()) {
			begun := make(chan *Thread, 1)
			return func() {
				th, err := Start(read, nil)
				testutil.Must(err)
				begun <- th
			}, func() { testutil.Must(join(<-begun)) }
		}}, testutil.Edge{Name: "the body, " + shape, Make: func(func()) (_, _ func()) {
			gate := make(chan func(), 1)
			th, err := Start(func() { (<-gate)() }, nil)
			testutil.Must(err)
			ran := false
			return func() { gate <- func() { ran = true } }, func() {
				testutil.Must(join(th))
				if !ran {
					panic("Join returned before the body had run")
				}
			}
		}})
	}
	return edges
}
