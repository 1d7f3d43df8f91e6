package pprof_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/pprof"
	"example.com/thread/osthread/queue"
)

// top returns what go tool pprof shows of the profile written by write.
func top(t *testing.T, write func(f *os.File), args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "profile")
	f, err := os.Create(name)
	require.NoError(t, err)
	write(f)
	require.NoError(t, f.Close())
	return testutil.GoTool(t, "pprof", append(append([]string{"-top"}, args...), name)...)
}

func waits(t *testing.T) func(f *os.File) {
	return func(f *os.File) { require.NoError(t, pprof.WriteWaitProfile(f)) }
}

const shortly = 30 * time.Millisecond

// Each function waits for shortly, in the method of its name.
var waiters = map[string]func(){
	"osthread.(*Event).WaitTimeout": func() { new(osthread.Event).WaitTimeout(shortly) },
	"osthread.(*Condition).WaitTimeout": func() {
		c := osthread.NewCondition(new(osthread.Lock))
		c.L.Lock()
		defer c.L.Unlock()
		c.WaitTimeout(shortly)
	},
	"osthread.(*Barrier).WaitTimeout": func() { _, _ = osthread.NewBarrier(2, nil).WaitTimeout(shortly) },
	"queue.(*Queue[...]).GetTimeout":  func() { _, _ = queue.New[int](1).GetTimeout(shortly) },
	"osthread.WaitAnyTimeout":         func() { osthread.WaitAnyTimeout(shortly, new(osthread.Event)) },
	"osthread.(*Thread).JoinTimeout":  joinShortly,
	"executor.(*Future[...]).ResultTimeout": func() {
		_, _ = executor.NewPromise[int]().Future().ResultTimeout(shortly)
	},
	"executor.(*Worker).Call": callShortly,
}

func joinShortly() {
	var leave osthread.Event
	th, err := osthread.Go(func() error { leave.Wait(); return nil })
	if err != nil {
		panic(err)
	}
	_ = th.JoinTimeout(shortly)
	leave.Set()
	_ = th.Join()
}

func callShortly() {
	w, err := executor.NewWorker(&osthread.Attr{Name: "waited for"})
	if err != nil {
		panic(err)
	}
	defer w.Close()
	_ = w.Call(func() error { new(osthread.Event).WaitTimeout(shortly); return nil })
}

// waitFor calls f. Its name is in the profile.
//
//go:noinline
func waitFor(f func()) { f() }

func TestWaitProfileIsReadByPprof(t *testing.T) {
	for name, wait := range waiters {
		var out string
		// A caller that loses its processor for as long does not wait.
		for !strings.Contains(out, name) {
			pprof.SetWaitProfileRate(1)
			waitFor(wait)
			pprof.SetWaitProfileRate(0)
			out = top(t, waits(t), "-cum", "-nodefraction=0", "-focus=waitFor", "-unit=ms")
		}
		assert.Contains(t, out, "Type: delay")
		assert.NotContains(t, out, "internal/")
	}
	out := top(t, waits(t), "-nodefraction=0", "-sample_index=waits", "-tagfocus=object=Barrier")
	assert.Contains(t, out, "WaitTimeout", out)
	assert.NotContains(t, out, "Event", out)
}

// Waits for locks and semaphores are in the mutex profile.
func TestWaitProfileHasNoLocks(t *testing.T) {
	var l osthread.Lock
	l.Lock()
	pprof.SetWaitProfileRate(1)
	waitFor(func() {
		l.LockTimeout(shortly)
		osthread.NewSemaphore(0).AcquireTimeout(1, shortly)
		new(osthread.Event).WaitTimeout(shortly)
	})
	pprof.SetWaitProfileRate(0)
	out := top(t, waits(t), "-nodefraction=0", "-focus=waitFor", "-cum")
	assert.Contains(t, out, "(*Event).WaitTimeout")
	assert.NotContains(t, out, "(*Lock)")
	assert.NotContains(t, out, "(*Semaphore)")
}

// With a rate short waits count for those that were not sampled.
func TestWaitProfileEstimatesWhatItDoesNotSample(t *testing.T) {
	pprof.SetWaitProfileRate(int(100 * time.Millisecond))
	began := time.Now()
	sampled(400)
	waited := time.Since(began)
	pprof.SetWaitProfileRate(0)
	out := top(t, waits(t), "-focus=sampled", "-unit=ms")
	var ms float64
	for line := range strings.Lines(out) {
		if strings.Contains(line, "WaitTimeout") {
			_, err := fmt.Sscanf(line, "%fms", &ms)
			require.NoError(t, err, line)
		}
	}
	// Some 4 samples of 100 ms or more are expected, and 40 at most with a
	// probability beyond doubt.
	assert.Less(t, ms, 10*float64(waited.Milliseconds()), out)
}

//go:noinline
func sampled(n int) {
	for range n {
		new(osthread.Event).WaitTimeout(time.Millisecond)
	}
}

func TestWaitProfileHandler(t *testing.T) {
	server := httptest.NewServer(http.DefaultServeMux)
	defer server.Close()
	get := func(query string) (status int, body []byte) {
		r, err := server.Client().Get(server.URL + "/debug/pprof/osthread.wait" + query)
		require.NoError(t, err)
		defer r.Body.Close()
		body, err = io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, body
	}
	pprof.SetWaitProfileRate(1)
	defer pprof.SetWaitProfileRate(0)
	waitFor(func() { new(osthread.Event).WaitTimeout(shortly) })
	save := func(body []byte) func(f *os.File) {
		return func(f *os.File) {
			_, err := f.Write(body)
			require.NoError(t, err)
		}
	}
	status, body := get("")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, top(t, save(body), "-nodefraction=0"), "WaitTimeout")

	var stop atomic.Bool
	th, err := osthread.Go(func() error {
		for !stop.Load() {
			new(osthread.Event).WaitTimeout(time.Millisecond)
		}
		return nil
	})
	require.NoError(t, err)
	status, body = get("?seconds=1")
	stop.Store(true)
	require.NoError(t, th.Join())
	assert.Equal(t, http.StatusOK, status)
	out := top(t, save(body), "-nodefraction=0")
	assert.Contains(t, out, "WaitTimeout")
	assert.NotContains(t, out, "waitFor", "it ended before")

	for _, bad := range []string{"?seconds=0", "?seconds=-1", "?seconds=x"} {
		status, body = get(bad)
		assert.Equal(t, http.StatusBadRequest, status, "%s: %s", bad, body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/?seconds=1000", nil)
	w := httptest.NewRecorder()
	pprof.WaitProfile(w, r) // returns at once
	assert.Zero(t, w.Body.Len())
}

func TestWriteWaitProfileReturnsTheErrorOfTheWriter(t *testing.T) {
	assert.ErrorIs(t, pprof.WriteWaitProfile(failing{}), io.ErrClosedPipe)
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
