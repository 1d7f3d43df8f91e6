//go:build unix || windows

package executor_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

const inInitialization = "TestInInitialization"

// What has to work in package initialization as it does later. Each returns
// what it did, which is to be "done".
var inInit = map[string]func() string{
	"thread": func() string {
		ran := false
		t, err := thread.Start(func() { ran = thread.Current() != nil }, &thread.Attr{Name: "early"})
		if err != nil {
			return err.Error()
		}
		return outcome(t.Join(), ran)
	},
	"osthread": func() string {
		ran := false
		t, err := osthread.Go(func() error { ran = true; return nil })
		if err != nil {
			return err.Error()
		}
		return outcome(t.Join(), ran)
	},
	"worker": func() string {
		w, err := executor.NewWorker(nil)
		if err != nil {
			return err.Error()
		}
		ran := false
		err = w.Call(func() error { ran = true; return nil })
		return outcome(errors.Join(err, w.Close()), ran)
	},
	"pool": func() string {
		e, err := executor.New(executor.Options{Threads: 2})
		if err != nil {
			return err.Error()
		}
		f, err := executor.Submit(e, func() (bool, error) { return true, nil })
		if err != nil {
			return err.Error()
		}
		ran, err := f.Result()
		return outcome(errors.Join(err, e.Close()), ran)
	},
	"isolated": func() string {
		ran := false
		return outcome(executor.RunIsolated(func() error { ran = true; return nil }), ran)
	},
	"timer": func() string {
		ran := false
		t := osthread.NewTimer(0, func() error { ran = true; return nil }, nil)
		if err := t.Start(); err != nil {
			return err.Error()
		}
		return outcome(t.Join(), ran)
	},
	"in a thread": func() string {
		var inner error
		t, err := thread.Start(func() {
			var t *thread.Thread
			if t, inner = thread.Start(func() {}, nil); inner == nil {
				inner = t.Join()
			}
		}, nil)
		if err != nil {
			return err.Error()
		}
		return outcome(errors.Join(t.Join(), inner), true)
	},
	"coroutine": func() string {
		next, stop := iter.Pull(func(yield func(*thread.Thread) bool) { yield(thread.Current()) })
		defer stop()
		t, _ := next()
		return outcome(nil, t == nil)
	},
	// What no pinned thread can have is refused at once.
	"stack size": func() string {
		_, err := osthread.Start(func() error { return nil }, &osthread.Attr{StackSize: 1 << 20})
		return outcome(nil, errors.Is(err, errors.ErrUnsupported))
	},
	"guard size": func() string {
		t, err := thread.Start(func() {}, &thread.Attr{GuardSize: thread.NoGuard})
		return outcome(nil, t == nil && errors.Is(err, errors.ErrUnsupported))
	},
	"pool with a stack size": func() string {
		e, err := executor.New(executor.Options{Threads: 1, Attr: &osthread.Attr{StackSize: 1 << 20}})
		if err != nil {
			return outcome(nil, errors.Is(err, errors.ErrUnsupported))
		}
		f, err := executor.Submit(e, func() (bool, error) { return true, nil })
		if err == nil {
			_, err = f.Result()
		}
		return outcome(e.Close(), errors.Is(err, errors.ErrUnsupported))
	},
}

func outcome(err error, done bool) string {
	if err != nil {
		return err.Error()
	}
	return map[bool]string{false: "not done", true: "done"}[done]
}

// early holds what came of inInit in the initializer of a package variable, by
// its goroutine or one that it waits for.
var early = func() map[string]string {
	test, name, _ := strings.Cut(os.Getenv(leak.ChildEnv), "/")
	if test != inInitialization {
		return nil
	}
	came := map[string]string{}
	for what, f := range inInit {
		if strings.HasPrefix(name, "goroutine") {
			c := make(chan string)
			go func() { c <- f() }()
			came[what] = <-c
		} else {
			came[what] = f()
		}
	}
	return came
}()

// kept is a worker as a package has one that wraps a C library.
var kept = func() *executor.Worker {
	if early == nil {
		return nil
	}
	w, err := executor.NewWorker(nil)
	if err != nil {
		panic(err)
	}
	return w
}()

// With cgo, and on Windows, Go lets a thread that it has not made in only after
// package initialization.
func TestInInitialization(t *testing.T) {
	for _, caller := range []string{"main", "goroutine"} {
		t.Run(caller, func(t *testing.T) {
			leak.InChild(t, func() {
				for what, came := range early {
					equal(what, "done", came)
				}
				equal("threads", 1, thread.NumThread())
				equal("kept", "pinned", kindOf(kept.Call))
				testutil.Must(kept.Close())
				equal("threads", 0, thread.NumThread())

				// Later ones are native again, where there are native threads.
				w, err := executor.NewWorker(nil)
				testutil.Must(err)
				kind := "native"
				if _, err := thread.SetStackSize(1 << 20); errors.Is(err, errors.ErrUnsupported) {
					kind = "pinned"
				}
				equal("later", kind, kindOf(w.Call))
				testutil.Must(w.Close())
				equal("threads", 0, thread.NumThread())
			})
		})
	}
}

// kindOf returns how thread.Thread.String calls the thread that call uses.
func kindOf(call func(func() error) error) (kind string) {
	testutil.Must(call(func() error {
		_, kind, _ = strings.Cut(thread.Current().String(), "(")
		kind, _, _ = strings.Cut(kind, ",")
		return nil
	}))
	return kind
}

func equal[T comparable](what string, want, got T) {
	if got != want {
		panic(fmt.Sprintf("%s: %v, want %v", what, got, want))
	}
}
