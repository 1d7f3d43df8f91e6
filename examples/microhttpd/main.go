// Microhttpd is an HTTP server whose threads are C's: libmicrohttpd makes them,
// and they call into Go for every request. Note:
//
//   - server.handle, in server.go, runs on a thread that Go has never seen. It
//     takes an osthread.Lock, keeps an osthread.Local, and waits for answers of
//     Go threads and goroutines. It needs no preparation: its first call
//     attaches the thread.
//   - server.calls counts by thread. With a thread for each connection that
//     makes it a connection's own counter.
//   - run, below, stops in this order: the library, whose threads may still
//     wait for an answer; then the queue; then the workers.
//   - When the library has joined its threads, nothing of them is left: no
//     osthread.Thread, no Local value.
//
// It needs libmicrohttpd (Debian: apt-get install libmicrohttpd-dev) and puts
// itself under load from Go's own client:
//
//	go run -tags microhttpd ./examples/microhttpd
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"example.com/thread/osthread"
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout, 4000, 16) }); err != nil {
		fmt.Fprintln(os.Stderr, "microhttpd:", err)
		os.Exit(1)
	}
}

// perConnection asks startDaemon for a thread for each connection, instead of a
// pool of so many.
const perConnection = 0

var ways = []struct {
	title     string
	threads   int
	keepAlive bool
}{
	{"a thread for each connection", perConnection, true},
	{"a thread for each request", perConnection, false},
	{"a pool of 4 threads", 4, true},
}

// run shows what each way does with so many requests from so many clients at
// once.
func run(w io.Writer, requests, clients int) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "way\trequests/s\tmedian\t99 %\tC's threads\tleft of them")
	for _, way := range ways {
		s := newServer()
		r, err := underLoad(s, way.threads, load{requests, clients, way.keepAlive})
		if err != nil {
			return fmt.Errorf("%s: %w", way.title, err)
		}
		fmt.Fprintf(
			rows,
			"%s\t%.0f\t%v\t%v\t%d\t%d\n",
			way.title,
			r.perSecond(),
			r.quantile(0.5),
			r.quantile(0.99),
			len(s.callers),
			s.left(),
		)
	}
	return rows.Flush()
}

// underLoad serves from start to stop. After it nobody touches s any more.
func underLoad(s *server, threads int, l load) (r result, err error) {
	workers, err := s.startWorkers()
	defer func() {
		s.jobs.Shutdown() // in any case, else the workers wait for ever
		err = errors.Join(err, workers.join())
	}()
	if err != nil {
		return r, err
	}
	d, err := startDaemon(s.handle, threads)
	if err != nil {
		return r, err
	}
	defer d.stop()
	return l.run("http://" + d.addr())
}

// A result is how long each request took, the shortest first, and all of them
// together.
type result struct {
	each []time.Duration
	all  time.Duration
}

func (r result) perSecond() float64 { return float64(len(r.each)) / r.all.Seconds() }

func (r result) quantile(q float64) time.Duration {
	return r.each[int(q*float64(len(r.each)-1))].Round(10 * time.Microsecond)
}
