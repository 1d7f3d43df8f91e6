package executor

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// Each sentence "X synchronizes before Y" of this package's documentation, with
// all shapes of what waits.
func TestSynchronizesBefore(t *testing.T) {
	start := func(body func() error) (testutil.Thread, error) { return osthread.Go(body) }
	e := newExecutor(t, Options{Threads: 2})
	w, err := NewWorker(nil)
	testutil.Must(err)
	testutil.CheckEdges(t, start, endEdges())
	testutil.CheckEdges(t, start, submitEdges(e))
	testutil.CheckEdges(t, start, callEdges(w))
	testutil.Must(w.Close())
}

// reports are the calls that report the end of a future.
var reports = map[string]func(f *Future[int]){
	"Result":        func(f *Future[int]) { _, _ = f.Result() },
	"ResultTimeout": func(f *Future[int]) { _, _ = f.ResultTimeout(time.Hour) },
	"ResultContext": func(f *Future[int]) { _, _ = f.ResultContext(context.Background()) },
	"TryResult": func(f *Future[int]) {
		await(func() bool { _, err := f.TryResult(); return !errors.Is(err, ErrTimeout) })
	},
	"IsDone": func(f *Future[int]) { await(f.IsDone) },
	"Done":   func(f *Future[int]) { <-f.Done() },
	"Wait":   func(f *Future[int]) { Wait(AllCompleted, f) },
	"AsCompleted": func(f *Future[int]) {
		for range AsCompleted(f) {
			return
		}
	},
	"OnDone": func(f *Future[int]) {
		called := make(chan struct{})
		f.OnDone(func(*Future[int]) { close(called) })
		<-called
	},
}

// endEdges are from the end of a Promise to the calls that report it.
func endEdges() (edges []testutil.Edge) {
	for how, finish := range map[string]func(p *Promise[int]){
		"SetResult": func(p *Promise[int]) { testutil.Must(p.SetResult(1)) },
		"SetError":  func(p *Promise[int]) { testutil.Must(p.SetError(errTest)) },
		"Cancel":    func(p *Promise[int]) { p.Future().Cancel() },
	} {
		for shape, end := range reports {
			edges = append(edges, testutil.Edge{Name: how + ", " + shape, Make: func(func()) (_, _ func()) {
				p := NewPromise[int]()
				return func() { finish(p) }, func() { end(p.Future()) }
			}})
		}
	}
	return append(edges, testutil.Edge{Name: "Cancel, Cancelled", Make: func(func()) (_, _ func()) {
		f := NewPromise[int]().Future()
		return func() { f.Cancel() }, func() { await(f.Cancelled) }
	}}, testutil.Edge{Name: "SetResult, a callback", Make: func(read func()) (_, _ func()) {
		p := NewPromise[int]()
		called := make(chan struct{})
		p.Future().OnDone(func(*Future[int]) { read(); close(called) })
		return func() { testutil.Must(p.SetResult(1)) }, func() { <-called }
	}})
}

// submitEdges are from a Submit to its function, and from that to what reports
// its end.
func submitEdges(e *Executor) (edges []testutil.Edge) {
	for shape, end := range reports {
		name := "Submit, the function, " + shape
		edges = append(edges, testutil.Edge{Name: name, Make: func(read func()) (_, _ func()) {
			ran, submitted := false, make(chan *Future[int], 1)
			return func() {
					f, err := Submit(e, func() (int, error) { read(); ran = true; return 0, nil })
					testutil.Must(err)
					submitted <- f
				}, func() {
					end(<-submitted)
					if !ran {
						panic("reported before the function had returned")
					}
				}
		}})
	}
	return edges
}

func callEdges(w *Worker) (edges []testutil.Edge) {
	for shape, call := range map[string]func(f func() error) error{
		"Call":        w.Call,
		"TryCall":     func(f func() error) error { await(func() bool { return w.TryCall(f) == nil }); return nil },
		"CallTimeout": func(f func() error) error { return w.CallTimeout(f, time.Hour) },
		"CallContext": func(f func() error) error { return w.CallContext(context.Background(), f) },
	} {
		name := shape + ", the function, its return"
		edges = append(edges, testutil.Edge{Name: name, Make: func(read func()) (_, _ func()) {
			ran, called := false, make(chan struct{})
			return func() {
				testutil.Must(call(func() error { read(); ran = true; return nil }))
				if !ran {
					panic("the call returned before the function")
				}
				close(called)
			}, func() { <-called }
		}})
	}
	return append(edges, testutil.Edge{Name: "Go, the function", Make: func(read func()) (_, _ func()) {
		called := make(chan struct{})
		return func() { testutil.Must(w.Go(func() { read(); close(called) })) }, func() { <-called }
	}})
}
