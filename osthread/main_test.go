package osthread

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/internal/trace"
)

// onMain holds what children run on the main goroutine, by the names of their
// tests.
var onMain = map[string]func(){}

func TestMain(m *testing.M) {
	if f := onMain[os.Getenv(leak.ChildEnv)]; f != nil {
		f()
		os.Exit(0)
	}
	leak.Main(m, func() (left string) {
		if n := thread.NumThread(); n != 0 {
			left += fmt.Sprintf(" %d threads", n)
		}
		for t := range Threads() {
			if t.origin == created {
				left += " " + t.String()
			}
		}
		if trace.Enabled() {
			left += " hooks"
		}
		return left
	})
}

// callers runs f with a spawn for both kinds of callers: goroutines, and
// threads. What spawn returned is to be called before f returns: it waits for
// all.
func callers(t *testing.T, f func(t *testing.T, g *group)) {
	t.Run("caller=goroutine", func(t *testing.T) {
		g := &group{t: t}
		defer g.wait()
		f(t, g)
	})
	t.Run("caller=thread", func(t *testing.T) {
		g := &group{t: t, threads: true}
		defer g.wait()
		f(t, g)
	})
}

// A group is callers that run at once.
type group struct {
	t       *testing.T
	threads bool
	started []func() error
}

// run runs f beside the others.
func (g *group) run(f func()) (join func()) {
	g.t.Helper()
	var end func() error
	if g.threads {
		th, err := Go(func() error { f(); return nil })
		if err != nil {
			g.t.Fatal(err)
		}
		end = th.Join
	} else {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		end = func() error { <-done; return nil }
	}
	g.started = append(g.started, end)
	return func() {
		if err := end(); err != nil {
			g.t.Error(err)
		}
	}
}

func (g *group) wait() {
	g.t.Helper()
	for _, end := range g.started {
		if err := end(); err != nil {
			g.t.Error(err)
		}
	}
	g.started = nil
}

var await, panicOf = testutil.Await, testutil.PanicOf

// A queue is a wait.Queue or a wait.ObjectQueue.
type queue interface {
	sync.Locker
	Len() int
}

// waiting returns a function that counts the waiters in q.
func waiting(q queue) func() int {
	return func() int {
		q.Lock()
		defer q.Unlock()
		return q.Len()
	}
}

// awaitWaiting waits until there are n waiters in q.
func awaitWaiting(q queue, n int) { testutil.AwaitLen(q, q, n) }
