package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

// requireBuilt skips the test in a build without the library, as err says.
func requireBuilt(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

// leavesNoThread checks that f leaves no thread that was not there before,
// neither one of ours nor a dummy.
func leavesNoThread(t *testing.T, f func()) {
	t.Helper()
	before := map[*osthread.Thread]bool{}
	for th := range osthread.Threads() {
		before[th] = true
	}
	f()
	for th := range osthread.Threads() {
		assert.True(t, before[th], "%v is left", th)
	}
	assert.LessOrEqual(t, osthread.NumThread(), len(before))
}

// assertNoneLost checks that each number was squared once, and that all were
// answered on threads that are gone.
func assertNoneLost(t *testing.T, s *server, numbers int) {
	t.Helper()
	answered := 0
	for _, calls := range s.callers {
		answered += calls
	}
	assert.Equal(t, numbers, answered)
	assert.Len(t, s.done, numbers)
	for n, times := range s.done {
		assert.Equal(t, 1, times, n)
	}
	assert.True(t, s.jobs.Empty())
	assert.Zero(t, s.left())
}

func TestServerAnswersAllRequestsAndLeavesNoThread(t *testing.T) {
	const requests, clients = 400, 32
	for _, way := range ways {
		t.Run(way.title, func(t *testing.T) {
			leavesNoThread(t, func() {
				s := newServer()
				r, err := underLoad(s, way.threads, load{requests, clients, way.keepAlive})
				requireBuilt(t, err)
				assert.Len(t, r.each, requests)
				assertNoneLost(t, s, requests)
				switch {
				case way.threads != perConnection:
					assert.LessOrEqual(t, len(s.callers), way.threads)
				case !way.keepAlive:
					assert.Len(t, s.callers, requests)
				}
				for th := range s.callers {
					assert.False(t, th.Alive(), th)
				}
			})
		})
	}
}

// The library waits for its threads, these for the workers; the clients see
// their connections closed.
func TestDaemonStopWaitsForRequestsUnderWay(t *testing.T) {
	const clients = 2 * room // half of them in the queue, half before it
	s := newServer()
	leavesNoThread(t, func() {
		var inHandle sync.WaitGroup
		inHandle.Add(clients)
		d, err := startDaemon(func(path string) (int, string) { inHandle.Done(); return s.handle(path) }, perConnection)
		requireBuilt(t, err)
		url := "http://" + d.addr()
		// Go's client retries on a new connection if a used one is closed.
		// These are new.
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: requestTimeout}
		var asking sync.WaitGroup
		for n := range uint64(clients) {
			asking.Go(func() { _ = square(client, url, n) }) // may or may not fail
		}
		within(t, inHandle.Wait)

		stopped := make(chan struct{})
		go func() { d.stop(); close(stopped) }()
		w, err := s.startWorkers()
		within(t, func() { <-stopped })
		s.jobs.Shutdown()
		require.NoError(t, errors.Join(err, w.join()))
		within(t, asking.Wait)
		assertNoneLost(t, s, clients)
	})
}

func TestServerRefusesWhatIsNotANumber(t *testing.T) {
	s := newServer()
	d, err := startDaemon(s.handle, 2)
	requireBuilt(t, err)
	defer d.stop()
	client := &http.Client{Timeout: requestTimeout}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{
		"/": 404, "/square": 404, "/square/": 400, "/square/-1": 400, "/square/4294967296": 400,
	} {
		status, _, err := get(client, "http://"+d.addr()+path)
		assert.NoError(t, err)
		assert.Equal(t, want, status, path)
	}
	s.jobs.Shutdown()
	status, body, err := get(client, "http://"+d.addr()+"/square/1")
	assert.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, status, body)
}

func TestRunShowsTheWays(t *testing.T) {
	var w strings.Builder
	requireBuilt(t, run(&w, 64, 8))
	for _, way := range ways {
		assert.Regexp(t, fmt.Sprintf(`(?m)^%s +\d+ .* 0$`, way.title), w.String())
	}
}

// within bounds a wait.
func within(t *testing.T, wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(requestTimeout):
		t.Fatal("still waiting after", requestTimeout)
	}
}
