package pprof_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime/trace"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

// traced returns the events of an execution trace of f, as go tool trace
// prints them.
func traced(t *testing.T, f func()) (events []string) {
	t.Helper()
	if trace.IsEnabled() {
		t.Skip("the test binary is traced")
	}
	name := filepath.Join(t.TempDir(), "trace")
	file, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, trace.Start(file))
	f()
	trace.Stop()
	require.NoError(t, file.Close())
	return strings.Split(testutil.GoTool(t, "trace", "-d=parsed", name), "\n")
}

var (
	typeOf      = regexp.MustCompile(` Type="(.*)"$`)
	goroutineOf = regexp.MustCompile(` G=(-?\d+) `)
	taskOf      = regexp.MustCompile(` (?:Task|ID)=(\d+) `)
)

// of returns the events of a kind and type.
func of(events []string, kind, typ string) (found []string) {
	for _, e := range events {
		if m := typeOf.FindStringSubmatch(e); m != nil && m[1] == typ && strings.Contains(e, " "+kind+" ") {
			found = append(found, e)
		}
	}
	return found
}

// field returns the submatch of re in each of the events.
func field(re *regexp.Regexp, events []string) (values []string) {
	for _, e := range events {
		values = append(values, re.FindStringSubmatch(e)[1])
	}
	return values
}

func start(t *testing.T, name string, pinned bool, f func()) *osthread.Thread {
	t.Helper()
	attr := &osthread.Attr{Name: name}
	attr.Pinned = pinned
	th, err := osthread.Start(func() error { f(); return nil }, attr)
	require.NoError(t, err)
	return th
}

// A wait is a region in a region with the thread's name, on the same goroutine.
func TestTraceHasWaitsUnderTheNameOfTheThread(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		waits := map[string]func(){
			"osthread.Event":   func() { new(osthread.Event).WaitTimeout(shortly) },
			"osthread.Barrier": func() { _, _ = osthread.NewBarrier(2, nil).WaitTimeout(shortly) },
			"osthread.Condition": func() {
				c := osthread.NewCondition(new(osthread.Lock))
				c.L.Lock()
				c.WaitTimeout(shortly)
				c.L.Unlock()
			},
			"osthread.Lock":        func() { var l osthread.Lock; l.Lock(); l.LockTimeout(shortly) },
			"osthread.RWLock":      func() { var l osthread.RWLock; l.Lock(); l.RLockTimeout(shortly) },
			"osthread.Semaphore":   func() { osthread.NewSemaphore(0).AcquireTimeout(1, shortly) },
			"osthread.Thread":      joinShortly,
			"queue.Queue[int]":     func() { _, _ = queue.New[int](1).GetTimeout(shortly) },
			"[]osthread.Waitable":  func() { osthread.WaitAnyTimeout(shortly, new(osthread.Event)) },
			"executor.Future[int]": func() { _, _ = executor.NewPromise[int]().Future().ResultTimeout(shortly) },
			"executor.Worker":      callShortly,
		}
		var waiter *osthread.Thread
		run := make(chan func())
		waiter = start(t, "before the trace", pinned, func() {
			for f := range run {
				f()
			}
		})
		events := traced(t, func() {
			for range 2 { // in case a caller loses its processor for as long as it would wait
				for _, f := range waits {
					run <- f
				}
			}
			run <- func() { _ = waiter.SetName("renamed") } // the system may not take it
			run <- func() { new(osthread.Event).WaitTimeout(shortly) }
			close(run)
			require.NoError(t, waiter.Join())
		})
		names := of(events, "RegionBegin", "thread before the trace")
		require.NotEmpty(t, names, "pinned=%v", pinned)
		g := field(goroutineOf, names)[0]
		if waiter.Name() == "renamed" {
			assert.Contains(t, field(goroutineOf, of(events, "RegionBegin", "thread renamed")), g)
		}
		for object := range waits {
			for _, kind := range []string{"RegionBegin", "RegionEnd"} {
				waits := of(events, kind, "wait for "+object)
				assert.Contains(t, field(goroutineOf, waits), g, "pinned=%v %s %s", pinned, kind, object)
			}
		}
	}
}

// The function of a thread that starts during the trace is a region, too.
func TestTraceHasThreads(t *testing.T) {
	events := traced(t, func() {
		require.NoError(t, start(t, "in the trace", false, func() {}).Join())
	})
	assert.Len(t, of(events, "RegionBegin", "thread in the trace"), 1)
	assert.Len(t, of(events, "RegionEnd", "thread in the trace"), 1)
}

// Tasks of pools and calls of Workers are tasks, in whose region "run" their
// function runs.
func TestTraceHasTasks(t *testing.T) {
	e, err := executor.New(executor.Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
	require.NoError(t, err)
	defer e.Close()
	w, err := executor.NewWorker(&osthread.Attr{Name: "worker"})
	require.NoError(t, err)
	defer w.Close() // where traces cannot be read, the test ends before the call below
	events := traced(t, func() {
		hold := make(chan struct{})
		f, err := executor.Submit(e, func() (int, error) { <-hold; return 1, nil })
		require.NoError(t, err)
		cancelled, err := executor.Submit(e, func() (int, error) { return 2, nil })
		require.NoError(t, err)
		require.True(t, cancelled.Cancel())
		close(hold)
		n, err := f.Result()
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		panics, err := executor.Submit(e, func() (int, error) { panic("of a task") })
		require.NoError(t, err)
		_, err = panics.Result()
		require.Error(t, err)
		require.NoError(t, w.Call(func() error { return nil }))
		require.NoError(t, w.Call(nil))
		require.NoError(t, w.Go(func() {}))
		require.NoError(t, w.Call(nil)) // after it
		require.NoError(t, e.Close())   // the ends of tasks are callbacks
	})
	require.NoError(t, w.Close())
	for kind, want := range map[string]struct{ tasks, runs int }{
		"executor task":           {3, 2},
		"call of executor.Worker": {3, 1},
		"posted call":             {1, 1},
	} {
		begun := field(taskOf, of(events, "TaskBegin", kind))
		assert.Len(t, begun, want.tasks, kind)
		assert.ElementsMatch(t, begun, field(taskOf, of(events, "TaskEnd", kind)), kind)
		runs := slices.DeleteFunc(field(taskOf, of(events, "RegionEnd", "run")), func(task string) bool {
			return !slices.Contains(begun, task)
		})
		assert.Len(t, runs, want.runs, kind)
	}
}
