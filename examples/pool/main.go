// Pool has more threads than connections: a bounded semaphore counts the
// free connections, so no more are in use than there are, and each is returned
// however its user ends: by return, by error, by panic or by runtime.Goexit.
//
//	go run ./examples/pool
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/osthread"
)

const (
	connections = 3
	workers     = 9
	queries     = 50 // of each worker
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "pool:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	osthread.SetPanicHook(func(*osthread.Thread, *osthread.PanicError) {}) // Join returns them as well
	defer osthread.SetPanicHook(nil)
	p := newPool(connections)
	threads, err := startWorkers(p)
	for _, t := range threads {
		ended := t.Join()
		fmt.Fprintf(w, "%s: %v\n", t.Name(), ended)
		if errors.Is(ended, errShared) {
			err = errors.Join(err, ended)
		}
	}
	if err != nil {
		return err
	}
	if err := report(w, p); err != nil {
		return err
	}
	return oneTooMany(w, p)
}

// startWorkers returns those that it has started, also with an error.
func startWorkers(p *pool) (threads []*osthread.Thread, err error) {
	for n := range workers {
		t := osthread.New(func() error { return work(p, n) }, &osthread.Attr{Name: fmt.Sprintf("worker-%d", n)})
		if err := t.Start(); err != nil {
			return threads, err
		}
		threads = append(threads, t)
	}
	return threads, nil
}

// work is the life of worker n. The last three end badly, with a connection in
// their hands.
func work(p *pool, n int) error {
	for q := range queries {
		err := p.do(context.Background(), func(c *conn) error {
			if q == queries/2 {
				switch n {
				case workers - 3:
					return errRefused
				case workers - 2:
					panic("out of luck")
				case workers - 1:
					runtime.Goexit()
				}
			}
			return c.query()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func report(w io.Writer, p *pool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.all {
		fmt.Fprintf(w, "connection %d answered %d queries\n", c.id, c.queries)
	}
	fmt.Fprintf(
		w,
		"%d threads, %d connections: at most %d were in use at once, now %d are\n",
		workers,
		connections,
		p.most,
		p.inUse,
	)
	if p.most > connections || p.inUse != 0 || p.permits.Value() != connections {
		return errors.New("the pool has lost count")
	}
	return nil
}

// oneTooMany takes all connections and asks for one more.
func oneTooMany(w io.Writer, p *pool) error {
	for range connections {
		c, err := p.get(context.Background())
		if err != nil {
			return err
		}
		defer p.put(c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	c, err := p.get(ctx)
	if err == nil {
		p.put(c)
		return errors.New("there is a connection too many")
	}
	fmt.Fprintf(w, "with all %d taken: %v\n", connections, err)
	return nil
}

// A pool holds connections. There are as many permits as idle connections, or
// fewer while one is taken or returned, so a caller with a permit finds one.
type pool struct {
	permits *osthread.Semaphore
	all     []*conn

	mu    osthread.Lock
	idle  []*conn
	inUse int
	most  int // that were in use at once
}

func newPool(n int) *pool {
	p := &pool{permits: osthread.NewBoundedSemaphore(n)}
	for id := range n {
		p.all = append(p.all, &conn{id: id})
	}
	p.idle = append(p.idle, p.all...)
	return p
}

// do lends f a connection, and takes it back however f ends.
func (p *pool) do(ctx context.Context, f func(*conn) error) error {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	defer p.put(c)
	return f(c)
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	if err := p.permits.AcquireContext(ctx, 1); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.idle[0]
	p.idle = p.idle[1:]
	p.inUse++
	p.most = max(p.most, p.inUse)
	return c, nil
}

// put gives c back before its permit: otherwise a
// caller with a permit could find none.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.inUse--
	p.mu.Unlock()
	p.permits.Release(1)
}

var (
	errRefused = errors.New("query refused")
	errShared  = errors.New("connection used by two at once")
)

// A conn stands for a connection to a server: it serves one at a time.
type conn struct {
	id      int
	busy    atomic.Bool
	queries int // under the owner of the connection
}

func (c *conn) query() error {
	if c.busy.Swap(true) {
		return errShared
	}
	defer c.busy.Store(false)
	c.queries++
	var sum [sha256.Size]byte
	for range 10 { // what a server would do, while others run
		for range 50 {
			sum = sha256.Sum256(sum[:])
		}
		runtime.Gosched()
	}
	return nil
}
