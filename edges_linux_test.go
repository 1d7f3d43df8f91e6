package thread

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/thread/internal/testutil"
)

// The sentences "X synchronizes before Y" about signals: the kernel carries
// these, and the race detector sees them all the same.
func TestSignalSynchronizesBeforeSigwait(t *testing.T) {
	testutil.CheckEdges(t, startThread, signalEdges())
}

func signalEdges() (edges []testutil.Edge) {
	set := Signals(real)
	for shape, wait := range map[string]func() (SignalInfo, error){
		"Sigwait":        func() (SignalInfo, error) { return Sigwait(set) },
		"SigwaitTimeout": func() (SignalInfo, error) { return SigwaitTimeout(set, time.Hour) },
		"SigwaitContext": func() (SignalInfo, error) { return SigwaitContext(context.Background(), set) },
		"TrySigwait": func() (info SignalInfo, err error) {
			testutil.Await(func() bool { info, err = TrySigwait(set); return err == nil })
			return info, err
		},
	} {
		for how, send := range map[string]func(t *Thread) error{
			"Signal":      func(t *Thread) error { return t.Signal(real) },
			"SignalValue": func(t *Thread) error { return t.SignalValue(real, 7) },
		} {
			edges = append(edges, testutil.Edge{Name: how + ", " + shape, Make: func(read func()) (_, _ func()) {
				th, err := Start(func() { must(wait()); read() }, &Attr{SignalMask: []os.Signal{real}})
				testutil.Must(err)
				return func() { testutil.Must(send(th)) }, func() { testutil.Must(th.Join()) }
			}})
		}
	}
	return edges
}

// What is written before an Interrupt is read after the call that it ends.
func TestInterruptSynchronizesBeforeInterruptible(t *testing.T) {
	if _, err := Interruptible(func() {}); err != ErrNotAttached {
		t.Skip(err)
	}
	sleep := func() { _, _ = syscall.Select(0, nil, nil, nil, nil) } // until a signal
	testutil.CheckEdges(t, startThread, []testutil.Edge{
		{Name: "Interrupt, Interruptible", Make: func(read func()) (_, _ func()) {
			return interruptEdge(func() {
				testutil.Await(func() bool { return must(Interruptible(sleep)) })
				read()
			})
		}},
		{Name: "Interrupt, Interrupted", Make: func(read func()) (_, _ func()) {
			return interruptEdge(func() {
				must(Interruptible(func() { testutil.Await(Interrupted); read() }))
			})
		}},
	})
}

// interruptEdge returns the callers of an Edge: before interrupts a thread
// whose body is f, after joins it.
func interruptEdge(f func()) (before, after func()) {
	th, err := Start(f, nil)
	testutil.Must(err)
	return func() { testutil.Await(func() bool { return th.Interrupt() == nil }) },
		func() { testutil.Must(th.Join()) }
}
