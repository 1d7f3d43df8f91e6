//go:build unix || windows

package inspect_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
	"example.com/thread/osthread/queue"
)

func TestMetricsHaveNamedQueuesInWatchMode(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		orders := osthread.Named(queue.New[int](10), "orders")
		simple := osthread.Named(new(queue.Simple[int]), "simple")
		testutil.Must(orders.Put(1))
		testutil.Must(orders.Put(2))
		simple.Put(3)
		done := make(chan bool)
		go func() { // a goroutine that waits is known as well, once
			for range 2 {
				simple.Get()
			}
			close(done)
		}()
		await(func() bool { v, _ := value("/queues/getters:waiters", "simple"); return v == 1 })
		v, ok := value("/queues/length:values", "orders")
		fmt.Println("orders", v, ok)
		v, ok = value("/queues/length:values", "simple")
		fmt.Println("simple", v, ok)
		simple.Put(4)
		<-done
		os.Exit(0)
	})
	assert.Contains(t, text, "orders 2 true\n")
	assert.Contains(t, text, "simple 0 true\n")
}

func TestSnapshotTotalsWaitsByLockInWatchMode(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		l := osthread.Named(new(osthread.Lock), "hot")
		l.Lock()
		for range 2 {
			ended := make(chan bool)
			go func() { pass(l); close(ended) }()
			await(func() bool { return l.Waiting() == 1 })
			await(func() bool { return len(objectNamed("hot").Waiters) == 1 })
			now := futex.Now() // which may be coarse
			await(func() bool { return futex.Now() > now })
			l.Unlock()
			<-ended
			l.Lock()
		}
		hot := objectNamed("hot")
		fmt.Println(hot.Type, hot.Ended.Count, hot.Ended.Time > 0)
		os.Exit(0)
	})
	assert.Contains(t, text, "osthread.Lock 2 true\n")
}

func objectNamed(name string) inspect.Object {
	for _, o := range inspect.Take().Objects {
		if o.Name == name {
			return o
		}
	}
	return inspect.Object{}
}
