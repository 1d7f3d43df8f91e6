//go:build cgo && !android

package threadtest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// A thread that nobody joins detaches itself, even if C code or Goexit ended
// it, so that its stack is unmapped. In a child, which has no other threads.
func TestThreadWithoutJoinUnmapsItsStack(t *testing.T) {
	if buildinfo.Race || buildinfo.Sanitized {
		t.Skip("maps of the sanitizer's come and go")
	}
	const threads = 100
	for name, end := range map[string]func(){"pthread_exit": ctest.PthreadExit, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			leak.InChild(t, func() {
				churn := func() {
					for range threads {
						th, err := thread.Start(end, &thread.Attr{Detached: true, StackSize: 1 << 20})
						testutil.Must(err)
						for ident.Exists(th.NativeID()) {
							runtime.Gosched()
						}
					}
				}
				churn() // the C library keeps some stacks
				before := maps()
				churn()
				if n := maps() - before; n >= threads {
					panic(fmt.Sprint("maps left: ", n))
				}
			})
		})
	}
}

func maps() int {
	b, err := os.ReadFile("/proc/self/maps")
	testutil.Must(err)
	return bytes.Count(b, []byte("\n"))
}

// The destructor of a key that is not ours may run after Goexit has ended the
// thread, and call Go.
func TestThreadDestructorsOfCCallGoAfterGoexit(t *testing.T) {
	leak.InChild(t, func() {
		calls := 0
		for range 20 {
			th, err := thread.Start(func() {
				ctest.AtEnd(func(int) {
					calls++
					runtime.GC()
				})
				runtime.Goexit()
			}, nil)
			testutil.Must(err)
			if err := th.Join(); err != thread.ErrGoexit {
				panic(err)
			}
		}
		testutil.Must(ctest.Aliens(4, func(int) { thread.Current() }))
		if runtime.GC(); calls != 20 {
			panic(fmt.Sprint("calls: ", calls))
		}
	})
}
