package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

// A server answers GET /square/N. Threads of C's take the requests and put them
// into jobs; threads of ours and goroutines do them.
type server struct {
	jobs  *queue.Queue[*job]
	calls osthread.Local[int] // how many requests the calling thread has answered

	mu      osthread.Lock
	done    map[uint64]int           // by number: how often it was squared; the workers write here
	callers map[*osthread.Thread]int // what calls says of each thread of C's; the threads of C's write here
}

// A job is finished when finished is set; square is the worker's before, and
// the caller's after.
type job struct {
	n, square uint64
	finished  osthread.Event
}

// room is how many jobs may wait. One more makes the thread of C's wait that
// brings it.
const room = 8

func newServer() *server {
	return &server{jobs: queue.New[*job](room), done: map[uint64]int{}, callers: map[*osthread.Thread]int{}}
}

// handle is called on the library's threads.
func (s *server) handle(path string) (status int, body string) {
	digits, found := strings.CutPrefix(path, "/square/")
	if !found {
		return http.StatusNotFound, "GET /square/N\n"
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return http.StatusBadRequest, err.Error() + "\n"
	}
	j := &job{n: n}
	if err := s.jobs.Put(j); err != nil {
		return http.StatusServiceUnavailable, err.Error() + "\n"
	}
	j.finished.Wait()

	calls := s.calls.Get() + 1
	s.calls.Set(calls)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers[osthread.Current()] = calls
	return http.StatusOK, fmt.Sprintln(j.square)
}

// work does jobs until there will be none, in a thread or in a goroutine.
func (s *server) work() {
	for j := range s.jobs.All() {
		j.square = j.n * j.n
		s.mu.Lock()
		s.done[j.n]++
		s.mu.Unlock()
		j.finished.Set()
	}
}

// left returns how much there still is of the threads that have called handle,
// once nobody calls it any more.
func (s *server) left() (n int) {
	for t := range osthread.Threads() {
		if _, called := s.callers[t]; called {
			n++
		}
	}
	for range s.calls.All() {
		n++
	}
	return n
}

// workers are two threads and two goroutines.
type workers struct {
	threads    []*osthread.Thread
	goroutines sync.WaitGroup
}

// startWorkers returns those that it has started, also with an error.
func (s *server) startWorkers() (*workers, error) {
	w := new(workers)
	for range 2 {
		w.goroutines.Go(s.work)
		t, err := osthread.Go(func() error { s.work(); return nil })
		if err != nil {
			return w, err
		}
		w.threads = append(w.threads, t)
	}
	return w, nil
}

func (w *workers) join() (err error) {
	for _, t := range w.threads {
		err = errors.Join(err, t.Join())
	}
	w.goroutines.Wait()
	return err
}
