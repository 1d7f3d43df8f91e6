package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// requestTimeout bounds one request; it is far above what a busy machine needs.
const requestTimeout = 2 * time.Minute

// A load is so many requests from so many clients at once, each client on a
// connection of its own, or on a new one for each request.
type load struct {
	requests, clients int
	keepAlive         bool
}

// run asks for the squares of 0 to requests-1 at url and checks every answer.
func (l load) run(url string) (result, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: l.clients, DisableKeepAlives: !l.keepAlive}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: requestTimeout}
	r := result{each: make([]time.Duration, l.requests)}
	failed := make([]error, l.clients)
	var next atomic.Int64
	var clients sync.WaitGroup
	start := time.Now()
	for c := range l.clients {
		clients.Go(func() {
			for n := next.Add(1) - 1; n < int64(l.requests) && failed[c] == nil; n = next.Add(1) - 1 {
				began := time.Now()
				failed[c] = square(client, url, uint64(n))
				r.each[n] = time.Since(began)
			}
		})
	}
	clients.Wait()
	r.all = time.Since(start)
	slices.Sort(r.each)
	return r, errors.Join(failed...)
}

// square asks for the square of n and returns an error if the answer is
// another.
func square(client *http.Client, url string, n uint64) error {
	status, body, err := get(client, fmt.Sprint(url, "/square/", n))
	if err != nil {
		return err
	}
	if want := strconv.FormatUint(n*n, 10) + "\n"; status != http.StatusOK || body != want {
		return fmt.Errorf("the square of %d: got %d %q, want 200 %q", n, status, body, want)
	}
	return nil
}

func get(client *http.Client, url string) (status int, body string, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() // was only read
	all, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(all), err
}
