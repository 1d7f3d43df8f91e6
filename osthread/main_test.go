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
		if trace.Hooked() {
			left += " hooks"
		}
		return left
	})
}

// startThread is the testutil.Start of a thread.
func startThread(body func() error) (testutil.Thread, error) { return Go(body) }

func callers(t *testing.T, f func(t *testing.T, g *testutil.Group)) {
	testutil.Callers(t, startThread, f)
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
