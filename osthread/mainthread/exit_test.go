//go:build linux || windows

package mainthread

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread"
)

func init() {
	onMain = map[string]func(){
		"TestDoByAThreadThatOutlivesRunMainsFunction": func() {
			err := osthread.RunMain(func() error { return Run(startLate) })
			fmt.Println("RunMain:", err)
		},
		"TestDoByAThreadThatOutlivesRun": func() {
			fmt.Println("Run:", Run(startLate))
			_, err := osthread.Shutdown(context.Background())
			fmt.Println("Shutdown:", err)
		},
		"TestShutdownsContextBesideFunctionsThatAreAskedFor": func() {
			var leave osthread.Event
			_, err := osthread.Go(func() error { leave.Wait(); return nil })
			ctx, cancel := context.WithCancelCause(context.Background())
			Go(func() { cancel(errors.New("late")) })
			left, late := osthread.Shutdown(ctx)
			fmt.Println(err, len(left), late)
			leave.Set()
			fmt.Println(osthread.Shutdown(context.Background()))
		},
		"TestRunMainWithAFunctionThatCallsGoexit": func() {
			_ = osthread.AtExit(func() { fmt.Println("exit function") })
			fmt.Println(osthread.RunMain(func() error {
				return Run(func() { _ = Do(func() error { runtime.Goexit(); return nil }) })
			}))
		},
		"TestGoexitInShutdownOnTheFirstThread": func() {
			_ = osthread.AtExit(func() { fmt.Println("exit function") })
			_, _ = osthread.Go(func() error { return Do(func() error { runtime.Goexit(); return nil }) })
			fmt.Println(osthread.RunMain(func() error { return nil }))
		},
	}
}

// startLate starts a thread that asks for the first thread when Run is over.
func startLate() {
	late := osthread.New(func() error {
		for run.Load() {
			runtime.Gosched()
		}
		for range 100 {
			if err := Do(func() error { return nil }); err != nil {
				return err
			}
		}
		err := Do(func() error { fmt.Println("called", Is()); return nil })
		fmt.Println("Do:", err)
		return err
	}, nil)
	if err := late.Start(); err != nil {
		panic(err)
	}
}

func TestDoByAThreadThatOutlivesRunMainsFunction(t *testing.T) {
	assert.Equal(t, "called true\nDo: <nil>\nRunMain: <nil>\n", leak.InChild(t, nil))
}

func TestDoByAThreadThatOutlivesRun(t *testing.T) {
	assert.Equal(t, "Run: <nil>\ncalled true\nDo: <nil>\nShutdown: <nil>\n", leak.InChild(t, nil))
}

func TestShutdownsContextBesideFunctionsThatAreAskedFor(t *testing.T) {
	assert.Equal(t, "<nil> 1 late\n[] <nil>\n", leak.InChild(t, nil))
}

func TestRunMainWithAFunctionThatCallsGoexit(t *testing.T) {
	out, err := leak.Child(t, nil)
	assert.EqualError(t, err, "exit status 2")
	assert.Equal(t, "exit function\nosthread: RunMain: thread: body called runtime.Goexit\n", out)
}

func TestGoexitInShutdownOnTheFirstThread(t *testing.T) {
	out, err := leak.Child(t, nil)
	assert.EqualError(t, err, "exit status 2")
	assert.Equal(t, "exit function\nosthread: RunMain: thread: body called runtime.Goexit\n", out)
}

// Nothing but the main goroutine gets the first thread.
func TestRunMainBesideRun(t *testing.T) {
	leak.InChild(t, func() {
		if err := osthread.RunMain(func() error { return nil }); err != osthread.ErrMainBusy {
			fmt.Println(err)
			os.Exit(1)
		}
	})
}
