//go:build (cgo && linux && !android) || windows

package threadtest

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// inOneChild runs the cases in a child, since what they are about ended the
// process or spoiled threads that had no part in it. The last name on the
// child's output is that of the case that failed.
func inOneChild(t *testing.T, cases map[string]func()) {
	t.Helper()
	leak.InChild(t, func() {
		for name, f := range cases {
			fmt.Println(name)
			f()
			thread.SetPanicHook(nil)
			if n := keep.Records(); n != 0 {
				panic(fmt.Sprint("records left: ", n))
			}
			runtime.GC()
			for range 3 { // they get the Ms that were given back
				expectEnd(func() { runtime.GC() }, nil)
			}
		}
	})
}

// expectEnd runs body on a native and on a pinned thread, and panics unless
// Join returns what errors.Is want.
func expectEnd(body func(), want error) {
	for _, pinned := range []bool{false, true} {
		th, err := thread.Start(body, &thread.Attr{Pinned: pinned})
		testutil.Must(err)
		if err := th.Join(); !errors.Is(err, want) {
			panic(fmt.Sprintf("%v thread: Join: %v, want %v", kindOf(th), err, want))
		}
	}
}

// on runs f in a goroutine and waits for its end, by Goexit too.
func on(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func TestThreadWithLockOSThreadOutstanding(t *testing.T) {
	const more = 200
	lock := func() {
		for range more {
			runtime.LockOSThread()
		}
	}
	attach := func() {
		for range more {
			_, err := thread.Attach()
			testutil.Must(err)
		}
	}
	inOneChild(t, map[string]func(){
		"by bodies": func() {
			for _, f := range []func(){lock, attach} {
				expectEnd(f, nil)
				expectEnd(func() { f(); runtime.Goexit() }, thread.ErrGoexit)
				expectEnd(func() { f(); thread.Exit() }, thread.ErrExit)
			}
		},
		"by destructors": func() {
			k := thread.Key[int]{Destructor: func(int) { lock() }}
			expectEnd(func() { testutil.Must(k.Set(1)) }, nil)
		},
		"by callbacks of C": func() {
			testutil.Must(ctest.Aliens(4, func(int) { lock() }))
			testutil.Must(ctest.Aliens(4, func(int) { attach() }))
			k := thread.Key[int]{Destructor: func(int) { lock() }}
			testutil.Must(ctest.Aliens(4, func(n int) { testutil.Must(k.Set(n)) }))
		},
	})
}

// UnlockOSThread once too often must not give a thread that has a record to
// other goroutines.
func TestThreadUnlockOSThreadOnceTooOften(t *testing.T) {
	inOneChild(t, map[string]func(){
		"once": func() {
			expectEnd(func() {
				self, id := thread.Current(), thread.NativeID()
				runtime.UnlockOSThread()
				for range 1000 {
					runtime.Gosched()
					if thread.Current() != self || thread.NativeID() != id {
						panic("moved to another thread")
					}
				}
			}, nil)
		},
		"many times": func() {
			quit := make(chan struct{})
			asked := make(chan struct{})
			for range 4 {
				go func() {
					for {
						_, _ = thread.Current(), thread.NativeID() // a record or nil; without a panic
						select {
						case asked <- struct{}{}:
						case <-quit:
							return
						}
					}
				}()
			}
			for range 20 {
				th, err := thread.Start(func() {
					for range 100 {
						runtime.UnlockOSThread()
					}
					for range 50 {
						<-asked
					}
				}, &thread.Attr{Pinned: true})
				testutil.Must(err)
				for th.Alive() { // Join may be called on its thread, which is ErrDeadlock
					<-asked
				}
			}
			for range 1000 {
				<-asked
				if thread.Current() != nil {
					panic("an ordinary goroutine has the record of a thread that has ended")
				}
			}
			close(quit)
		},
	})
}

func TestThreadGoexitAtAnyDepth(t *testing.T) {
	dying := thread.Key[int]{Destructor: func(int) { runtime.Goexit() }}
	panicking := thread.Key[int]{Destructor: func(int) { panic(errors.ErrUnsupported) }}
	leaving := func(*thread.Thread, *thread.PanicError) { runtime.Goexit() }
	inOneChild(t, map[string]func(){
		"under a recover": func() {
			expectEnd(func() {
				defer func() { recover() }()
				runtime.Goexit()
			}, thread.ErrGoexit)
		},
		"Exit in a deferred function": func() {
			expectEnd(func() { defer thread.Exit() }, thread.ErrExit)
			expectEnd(func() { defer thread.Exit(); panic("x") }, thread.ErrExit)
		},
		"in a callback of C": func() {
			expectEnd(func() { ctest.Back(func(int) { runtime.Goexit() }) }, thread.ErrGoexit)
			expectEnd(func() { ctest.Back(func(int) { ctest.Back(func(int) { thread.Exit() }) }) }, thread.ErrExit)
		},
		"in a coroutine": func() {
			expectEnd(func() {
				next, _ := iter.Pull(func(func(int) bool) { runtime.Goexit() })
				next()
			}, thread.ErrGoexit)
		},
		"in a destructor": func() {
			expectEnd(func() { testutil.Must(dying.Set(1)) }, thread.ErrGoexit)
			expectEnd(func() { testutil.Must(dying.Set(1)); thread.Exit() }, thread.ErrExit)
		},
		"in a destructor at the end of an attached thread": func() {
			on(func() {
				_, err := thread.Attach()
				testutil.Must(err)
				testutil.Must(dying.Set(1))
				testutil.Must(thread.Detach())
			})
		},
		"in a destructor at the end of an alien thread": func() {
			testutil.Must(ctest.Aliens(4, func(n int) { testutil.Must(dying.Set(n)) }))
		},
		"in a destructor at Detach on an alien thread": func() {
			var all [4]*thread.Thread
			testutil.Must(ctest.Aliens(4, func(n int) {
				all[n], _ = thread.Attach()
				testutil.Must(dying.Set(n))
				testutil.Must(thread.Detach())
				panic("came back")
			}))
			for _, th := range all {
				if th.Alive() {
					panic("has a record after its end")
				}
			}
		},
		"in a panic hook": func() {
			thread.SetPanicHook(leaving)
			expectEnd(func() { panic(errors.ErrUnsupported) }, errors.ErrUnsupported)
			expectEnd(func() { testutil.Must(panicking.Set(1)) }, errors.ErrUnsupported)
			expectEnd(func() { testutil.Must(panicking.Set(1)); testutil.Must(dying.Set(1)) }, errors.ErrUnsupported)
		},
		"in a panic hook at Detach": func() {
			thread.SetPanicHook(leaving)
			var th *thread.Thread
			f := func(int) {
				th, _ = thread.Attach()
				testutil.Must(panicking.Set(1))
				testutil.Must(thread.Detach())
				panic("came back")
			}
			on(func() { f(0) })
			if th.Alive() {
				panic("attached after Detach")
			}
			testutil.Must(ctest.Aliens(1, f))
			if th.Alive() {
				panic("attached after Detach")
			}
			for range 100 {
				on(func() {
					if thread.Current() != nil {
						panic("an ordinary goroutine has a record")
					}
				})
			}
		},
		"in a panic hook at the end of an alien thread": func() {
			thread.SetPanicHook(leaving)
			testutil.Must(ctest.Aliens(4, func(n int) { testutil.Must(panicking.Set(n)) }))
		},
	})
}

// The outermost function of a coroutine does not show whose thread it is on.
func TestCurrentInACoroutineOfAnAlien(t *testing.T) {
	leak.InChild(t, func() {
		k := thread.Key[int]{}
		testutil.Must(ctest.Aliens(4, func(n int) {
			inside, stop := iter.Pull(func(yield func(*thread.Thread) bool) { yield(thread.Current()) })
			th, _ := inside()
			stop()
			if th == nil && runtime.GOOS != "windows" { // where it is not known
				panic("not seen")
			}
			if now := thread.Current(); now == nil || th != nil && th != now {
				panic(fmt.Sprint("outside of the coroutine it is ", now))
			}
			testutil.Must(k.Set(n))
		}))
		on(func() {
			inside, stop := iter.Pull(func(yield func(*thread.Thread) bool) { yield(thread.Current()) })
			defer stop()
			if th, _ := inside(); th != nil {
				panic("a thread of Go's is none of C's")
			}
		})
	})
}
