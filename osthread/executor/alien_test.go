//go:build cgo && linux

package executor

import (
	"fmt"
	"testing"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"

	"github.com/stretchr/testify/assert"
)

// C code that ends a thread leaves a goroutine, so it has a process of its own.

// No deferred call of the thread's runs.
func TestThreadThatCCodeEndsIsReplaced(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		bad, err := Submit(e, func() (int, error) { ctest.PthreadExit(); return 1, nil })
		check(err)
		queued, err := Submit(e, value(2))
		check(err)
		fmt.Println(bad.Result())
		fmt.Println(queued.Result())
		check(e.Close())
	})
	assert.Equal(t, "0 thread ended by C code\n2 <nil>\n", out)
}

func TestPoolWhoseOnStartIsEndedByCCodeIsBroken(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1, OnStart: func() error { ctest.PthreadExit(); return nil }})
		check(err)
		f, err := Submit(e, value(1))
		check(err)
		fmt.Println(f.Result())
		check(e.Close())
	})
	assert.Equal(t, "0 executor is broken: thread ended by C code\n", out)
}
