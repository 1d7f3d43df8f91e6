//go:build (cgo && linux && !android) || windows

package thread

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"example.com/thread/internal/ctest"
)

// inOneChild runs the cases in a child, since what they are about ended the
// process or spoiled threads that had no part in it. The last name on the
// child's output is that of the case that failed.
func inOneChild(t *testing.T, cases map[string]func()) {
	t.Helper()
	inChild(t, func() {
		for name, f := range cases {
			fmt.Println(name)
			f()
			SetPanicHook(nil)
			if n := records.count(); n != 0 {
				panic(fmt.Sprint("records left: ", n))
			}
			runtime.GC()
			for range 3 { // they get the Ms that were given back
				expect(func() { runtime.GC() }, nil)
			}
		}
	})
}

// expect runs body on a native and on a pinned thread, and panics unless Join
// returns what errors.Is want.
func expect(body func(), want error) {
	for _, pinned := range []bool{false, true} {
		th, err := Start(body, &Attr{Pinned: pinned})
		must(err)
		if err := th.Join(); !errors.Is(err, want) {
			panic(fmt.Sprintf("%v thread: Join: %v, want %v", th.kind, err, want))
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

func TestLocksLeftOpen(t *testing.T) {
	const more = 200
	lock := func() {
		for range more {
			runtime.LockOSThread()
		}
	}
	attach := func() {
		for range more {
			_, err := Attach()
			must(err)
		}
	}
	inOneChild(t, map[string]func(){
		"by bodies": func() {
			for _, f := range []func(){lock, attach} {
				expect(f, nil)
				expect(func() { f(); runtime.Goexit() }, ErrGoexit)
				expect(func() { f(); Exit() }, ErrExit)
			}
		},
		"by destructors": func() {
			k := Key[int]{Destructor: func(int) { lock() }}
			expect(func() { must(k.Set(1)) }, nil)
		},
		"by callbacks of C": func() {
			must(ctest.Aliens(4, func(int) { lock() }))
			must(ctest.Aliens(4, func(int) { attach() }))
			k := Key[int]{Destructor: func(int) { lock() }}
			must(ctest.Aliens(4, func(n int) { must(k.Set(n)) }))
		},
	})
}

// UnlockOSThread once too often must not give a thread that has a record to
// other goroutines.
func TestUnlockOSThreadOnceTooOften(t *testing.T) {
	inOneChild(t, map[string]func(){
		"once": func() {
			expect(func() {
				self, id := Current(), NativeID()
				runtime.UnlockOSThread()
				for range 1000 {
					runtime.Gosched()
					if Current() != self || NativeID() != id {
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
						_, _ = Current(), NativeID() // a record or nil; without a panic
						select {
						case asked <- struct{}{}:
						case <-quit:
							return
						}
					}
				}()
			}
			for range 20 {
				th, err := Start(func() {
					for range 100 {
						runtime.UnlockOSThread()
					}
					for range 50 {
						<-asked
					}
				}, &Attr{Pinned: true})
				must(err)
				for th.Alive() { // Join may be called on its thread, which is ErrDeadlock
					<-asked
				}
			}
			for range 1000 {
				<-asked
				if Current() != nil {
					panic("an ordinary goroutine has the record of a thread that has ended")
				}
			}
			close(quit)
		},
	})
}

func TestGoexitWhereverOursIsBelow(t *testing.T) {
	dying := Key[int]{Destructor: func(int) { runtime.Goexit() }}
	panicking := Key[int]{Destructor: func(int) { panic(errors.ErrUnsupported) }}
	leaving := func(*Thread, *PanicError) { runtime.Goexit() }
	inOneChild(t, map[string]func(){
		"under a recover": func() {
			expect(func() {
				defer func() { recover() }()
				runtime.Goexit()
			}, ErrGoexit)
		},
		"Exit in a deferred function": func() {
			expect(func() { defer Exit() }, ErrExit)
			expect(func() { defer Exit(); panic("x") }, ErrExit)
		},
		"in a callback of C": func() {
			expect(func() { ctest.Back(func(int) { runtime.Goexit() }) }, ErrGoexit)
			expect(func() { ctest.Back(func(int) { ctest.Back(func(int) { Exit() }) }) }, ErrExit)
		},
		"in a coroutine": func() {
			expect(func() {
				next, _ := iter.Pull(func(func(int) bool) { runtime.Goexit() })
				next()
			}, ErrGoexit)
		},
		"in a destructor": func() {
			expect(func() { must(dying.Set(1)) }, ErrGoexit)
			expect(func() { must(dying.Set(1)); Exit() }, ErrExit)
		},
		"in a destructor at the end of an attached thread": func() {
			on(func() {
				_, err := Attach()
				must(err)
				must(dying.Set(1))
				must(Detach())
			})
		},
		"in a destructor at the end of an alien thread": func() {
			must(ctest.Aliens(4, func(n int) { must(dying.Set(n)) }))
		},
		"in a destructor at Detach on an alien thread": func() {
			var all [4]*Thread
			must(ctest.Aliens(4, func(n int) {
				all[n], _ = Attach()
				must(dying.Set(n))
				must(Detach())
				panic("came back")
			}))
			for _, th := range all {
				if th.Alive() {
					panic("has a record after its end")
				}
			}
		},
		"in a panic hook": func() {
			SetPanicHook(leaving)
			expect(func() { panic(errors.ErrUnsupported) }, errors.ErrUnsupported)
			expect(func() { must(panicking.Set(1)) }, errors.ErrUnsupported)
			expect(func() { must(panicking.Set(1)); must(dying.Set(1)) }, errors.ErrUnsupported)
		},
		"in a panic hook at Detach": func() {
			SetPanicHook(leaving)
			var th *Thread
			f := func(int) {
				th, _ = Attach()
				must(panicking.Set(1))
				must(Detach())
				panic("came back")
			}
			on(func() { f(0) })
			if th.Alive() {
				panic("attached after Detach")
			}
			must(ctest.Aliens(1, f))
			if th.Alive() {
				panic("attached after Detach")
			}
			for range 100 {
				on(func() {
					if Current() != nil {
						panic("an ordinary goroutine has a record")
					}
				})
			}
		},
		"in a panic hook at the end of an alien thread": func() {
			SetPanicHook(leaving)
			must(ctest.Aliens(4, func(n int) { must(panicking.Set(n)) }))
		},
	})
}

// The outermost function of a coroutine does not tell whose thread it is on.
func TestAnAlienFirstSeenInACoroutine(t *testing.T) {
	inChild(t, func() {
		k := Key[int]{}
		must(ctest.Aliens(4, func(n int) {
			inside, stop := iter.Pull(func(yield func(*Thread) bool) { yield(Current()) })
			th, _ := inside()
			stop()
			if th == nil && runtime.GOOS != "windows" { // where it cannot be told
				panic("not seen")
			}
			if now := Current(); now == nil || th != nil && th != now {
				panic(fmt.Sprint("outside of the coroutine it is ", now))
			}
			must(k.Set(n))
		}))
		on(func() {
			inside, stop := iter.Pull(func(yield func(*Thread) bool) { yield(Current()) })
			defer stop()
			if th, _ := inside(); th != nil {
				panic("a thread of Go's is none of C's")
			}
		})
	})
}
