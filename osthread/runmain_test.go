//go:build linux || windows

package osthread

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

const goexitTest = "TestRunMainWhoseFunctionCallsGoexit"

func init() {
	onMain[goexitTest+"/first"] = goexitInRunMain
	onMain[goexitTest+"/late"] = func() {
		went := make(chan struct{})
		go func() { // the main goroutine may wake on another thread
			runtime.Gosched()
			close(went)
		}()
		<-went
		goexitInRunMain()
	}
	onMain[goexitTest+"/beside"] = func() {
		went := make(chan struct{})
		go func() {
			defer close(went)
			goexitInRunMain()
		}()
		<-went
	}
	onMain[goexitTest+"/locked"] = goexitInRunMain
	if os.Getenv(leak.ChildEnv) == goexitTest+"/locked" {
		runtime.LockOSThread() // as package mainthread does
	}
}

func goexitInRunMain() {
	say := func(s string) func() { return func() { fmt.Println(s) } }
	err := RunMain(func() error {
		var leave Event
		_ = AtExit(say("exit 1"))
		_ = AtExit(func() { say("exit 2")(); runtime.Goexit() })
		_ = AtExit(func() { say("exit 3")(); runtime.Goexit() })
		_ = AtShutdown(leave.Set)
		_ = AtShutdown(func() { say("shutdown")(); runtime.Goexit() })
		if _, err := Go(func() error { leave.Wait(); say("waited for")(); return nil }); err != nil {
			panic(err)
		}
		runtime.Goexit()
		return nil
	})
	fmt.Println(err, Main().Join(), Main().Alive())
}

func TestRunMainWhoseFunctionCallsGoexit(t *testing.T) {
	const (
		rest     = "shutdown\nwaited for\nexit 3\nexit 2\nexit 1\n"
		returned = rest + "thread: body called runtime.Goexit thread: body called runtime.Goexit false\n"
	)
	for _, how := range []string{"first", "late", "beside"} {
		t.Run(how, func(t *testing.T) {
			assert.Equal(t, returned, leak.InChild(t, nil))
		})
	}
	t.Run("locked", func(t *testing.T) {
		out, err := leak.Child(t, nil)
		assert.EqualError(t, err, "exit status 2")
		assert.Equal(t, rest+"osthread: RunMain: thread: body called runtime.Goexit\n", out)
	})
}

func TestShutdownInWhichExitFunctionsCallGoexit(t *testing.T) {
	out := leak.InChild(t, func() {
		SetPanicHook(func(_ *Thread, e *PanicError) { fmt.Println("reported", e.Value); runtime.Goexit() })
		for i := range 3 {
			_ = AtExit(func() { fmt.Println("exit", i); runtime.Goexit() })
			_ = AtExit(func() { panic(i) })
			_ = AtShutdown(func() { fmt.Println("shutdown", i); runtime.Goexit() })
			_ = AtShutdown(func() { panic(i) })
		}
		ended := make(chan bool)
		go func() {
			returned := false
			defer func() { ended <- returned }()
			_, _ = Shutdown(t.Context())
			returned = true
		}()
		assert.False(t, <-ended)
		assert.ErrorIs(t, New(nil, nil).Start(), ErrShutdown)
		exitIfFailed(t)
	})
	want := ""
	for _, kind := range []string{"shutdown", "exit"} {
		for i := 2; i >= 0; i-- {
			want += fmt.Sprintf("reported %d\n%s %d\n", i, kind, i)
		}
	}
	assert.Equal(t, want, out)
}

func TestTraceFunctionGoexitKeepsTheThreadsResult(t *testing.T) {
	goexit := func(TraceEvent) { runtime.Goexit() }
	SetPanicHook(func(*Thread, *PanicError) { runtime.Goexit() })
	defer SetPanicHook(nil)
	for _, pinned := range []bool{false, true} {
		for _, hooks := range []string{"", "trace", "profile", "both"} {
			t.Run(fmt.Sprintf("pinned=%t/hooks=%s", pinned, hooks), func(t *testing.T) {
				th := New(func() error {
					if hooks == "trace" || hooks == "both" {
						Current().SetTrace(goexit)
					}
					if hooks == "profile" || hooks == "both" {
						Current().SetProfile(goexit)
					}
					panic(errWhy)
				}, &Attr{Pinned: pinned})
				assert.NoError(t, th.Start())
				var p *PanicError
				assert.ErrorAs(t, th.Join(), &p)
				assert.ErrorIs(t, th.Join(), errWhy)
			})
		}
	}
}

func TestProfileGetsItsEventsWhateverTraceDoes(t *testing.T) {
	SetPanicHook(func(*Thread, *PanicError) {})
	defer SetPanicHook(nil)
	for name, trace := range map[string]func(TraceEvent){
		"panic":  func(TraceEvent) { panic("oh") },
		"goexit": func(TraceEvent) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			var got []Action
			th := New(func() error { return nil }, nil)
			th.SetTrace(trace)
			th.SetProfile(func(e TraceEvent) { got = append(got, e.Action) })
			assert.NoError(t, th.Start())
			_ = th.Join()
			assert.Equal(t, []Action{TraceStart, TraceEnd}, got)
		})
	}
}

// The context of the main thread ends with RunMain's function.
func TestThreadContextOfMain(t *testing.T) {
	out := leak.InChild(t, func() {
		ctx := Main().Context()
		testutil.Must(RunMain(func() error { return ctx.Err() }))
		fmt.Println(context.Cause(ctx))
	})
	assert.Contains(t, out, ErrEnded.Error())
}
