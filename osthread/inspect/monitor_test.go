//go:build unix || windows

package inspect_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// Each of two deadlocks is reported once, although both stay.
func TestHookGetsEachDeadlockOnce(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		inspect.SetLockOrder(false)
		reports := make(chan *inspect.Report)
		inspect.SetHook(func(r *inspect.Report) { reports <- r })
		for range 2 {
			deadlocks[0].enter()
			r := <-reports
			fmt.Println("REPORT", len(r.Deadlock.Deadlocks), len(r.Deadlock.Parties))
		}
		os.Exit(0)
	})
	assert.Equal(t, 2, strings.Count(text, "REPORT 1 2\n"), text)
}

// The goroutine of the monitor has nobody to recover a panic, and goes on after
// a runtime.Goexit.
func TestHookThatPanicsOrCallsGoexitEndsNothing(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		inspect.SetLockOrder(false)
		called := make(chan int)
		n := 0
		inspect.SetHook(func(*inspect.Report) {
			n++
			defer func() { called <- n }()
			switch n {
			case 1:
				panic("hook")
			case 2:
				runtime.Goexit()
			}
		})
		for range 3 {
			deadlocks[0].enter()
			fmt.Println("CALLED", <-called)
		}
		os.Exit(0)
	})
	assert.Contains(t, text, "CALLED 3\n")
	assert.Contains(t, text, "hook")
}

func TestHookGetsInversions(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		inspect.SetHook(func(r *inspect.Report) { fmt.Print(r) })
		var a, b, c, d osthread.Lock
		osthread.Named(&a, "first")
		inspect.IgnoreLockOrder(&c, &d)
		for _, order := range [][2]*osthread.Lock{{&a, &b}, {&b, &a}, {&c, &d}, {&d, &c}} {
			ended := make(chan bool)
			go func() {
				order[0].Lock()
				pass(order[1])
				order[0].Unlock()
				close(ended)
			}()
			<-ended
		}
	})
	assert.Equal(t, 1, strings.Count(text, "LOCK ORDER: 2 locks acquired in different orders"), text)
	assert.Contains(t, text, `"first"`)
	assert.Contains(t, text, "inspect_test.TestHookGetsInversions")
}

func TestInversionsNameThreads(t *testing.T) {
	t.Setenv("OSTHREAD_WATCH", "1")
	text := leak.InChild(t, func() {
		inspect.SetHook(func(r *inspect.Report) { fmt.Print(r) })
		var a, b osthread.Lock
		for name, order := range map[string][2]*osthread.Lock{"alice": {&a, &b}, "bob": {&b, &a}} {
			done := make(chan bool)
			daemon(name, func() {
				order[0].Lock()
				pass(order[1])
				order[0].Unlock()
				close(done)
				new(osthread.Event).Wait() // it lives
			})
			<-done
		}
		os.Exit(0)
	})
	assert.Regexp(t, `"alice", goroutine \d+, acquired \*osthread.Lock`, text)
	assert.Regexp(t, `"bob", goroutine \d+, acquired \*osthread.Lock`, text)
	assert.NotContains(t, text, "protect.Call")
}
