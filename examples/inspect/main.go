// Inspect is a bank whose transfers lock two accounts, the source first. Some
// seconds after it has opened, two transfers in opposite directions wait for
// each other for ever. The page that it serves shows that, and so does the
// report that watch mode writes.
//
//	go run ./examples/inspect        # prints the address, then the report, and ends
//	go run ./examples/inspect -stay  # the page stays until an interrupt
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
	_ "example.com/thread/osthread/inspect/web" // http.DefaultServeMux has /debug/osthread/
)

// Watch mode costs time, so a program chooses it: here, or from outside by the
// environment variable OSTHREAD_WATCH=1.
func init() { osthread.Watch() }

func main() {
	stay := flag.Bool("stay", false, "serve the page until an interrupt")
	open := flag.Duration("open", 3*time.Second, "for how long the bank does well")
	flag.Parse()
	exitOn(serve(os.Stdout))
	exitOn(run(os.Stdout, *open))
	if *stay {
		interrupt := make(chan os.Signal, 1)
		signal.Notify(interrupt, os.Interrupt)
		<-interrupt
	}
	// The threads are daemons: the process ends all the same.
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "inspect:", err)
		os.Exit(1)
	}
}

// serve serves the page to this machine alone, and writes its address.
func serve(w io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "the page is at http://%s/debug/osthread/\n", l.Addr())
	go func() { fmt.Fprintln(os.Stderr, "inspect:", http.Serve(l, nil)) }()
	return nil
}

// run opens the bank and writes the report of its deadlock.
func run(w io.Writer, open time.Duration) error {
	found := make(chan *inspect.Report, 1)
	inspect.SetHook(func(r *inspect.Report) {
		if r.Deadlock != nil {
			found <- r
		}
	})
	defer inspect.SetHook(nil)
	if err := newBank().open(open); err != nil {
		return err
	}
	select {
	case r := <-found:
		fmt.Fprint(w, r)
		return nil
	case <-time.After(open + time.Minute):
		return inspect.Dump(w)
	}
}
