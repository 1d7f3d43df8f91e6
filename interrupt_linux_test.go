//go:build 386 || amd64 || arm || arm64 || riscv64

package thread

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// pipe returns the two ends of a pipe, which blocks its reader.
func pipe(t testing.TB) (r, w int) {
	t.Helper()
	var p [2]int
	require.NoError(t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	t.Cleanup(func() {
		for _, fd := range p {
			assert.NoError(t, unix.Close(fd))
		}
	})
	return p[0], p[1]
}

// blockingCalls are calls that do not return but with an error, which they
// return. What needs cgo adds its own.
var blockingCalls = map[string]func(t *testing.T) func() error{
	"read": func(t *testing.T) func() error {
		r, _ := pipe(t)
		return func() error { _, err := unix.Read(r, make([]byte, 1)); return err }
	},
	"poll": func(t *testing.T) func() error {
		r, _ := pipe(t)
		return func() error {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(r), Events: unix.POLLIN}}, -1)
			return err
		}
	},
	"nanosleep": func(*testing.T) func() error {
		return func() error { return unix.Nanosleep(&unix.Timespec{Sec: 1 << 20}, nil) }
	},
	"Sigwait": func(*testing.T) func() error {
		return func() error { _, err := Sigwait(Signals(real)); return err }
	},
	"SigwaitContext": func(t *testing.T) func() error {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		return func() error { _, err := SigwaitContext(ctx, Signals(real)); return err }
	},
}

func TestInterruptEndsBlockingCalls(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for name, makeCall := range blockingCalls {
			t.Run(name, func(t *testing.T) {
				failIfItHangs(t)
				call := makeCall(t)
				type result struct {
					interrupted bool
					err, of     error
				}
				results := make(chan result)
				th, err := Start(func() {
					for range 100 {
						var r result
						r.interrupted, r.err = Interruptible(func() { r.of = call() })
						results <- r
					}
					close(results)
				}, blocking(attr, real))
				require.NoError(t, err)
				for n := range 100 {
					if n%2 == 0 {
						awaitAsleep(t, th)
					}
					interruptSoon(t, th)
					require.Equal(t, result{true, nil, syscall.EINTR}, <-results)
				}
				_, ok := <-results
				require.False(t, ok)
				require.NoError(t, th.Join())
			})
		}
	})
}

// interruptSoon interrupts th as soon as it may be.
func interruptSoon(t *testing.T, th *Thread) {
	t.Helper()
	err := th.Interrupt()
	for err == ErrNotInterruptible {
		runtime.Gosched()
		err = th.Interrupt()
	}
	require.NoError(t, err)
}

// 100,000 interrupts at the edges of a blocking read: each ends it, and none
// ends the read after it, outside Interruptible.
func TestInterruptIsNeitherLostNorStray(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for _, attached := range []bool{false, true} {
			t.Run(fmt.Sprintf("attached=%v", attached), func(t *testing.T) {
				rounds := testutil.Rounds("OSTHREAD_TEST_INTERRUPTS", 8000, 2000)
				if attached {
					rounds /= 10 // whether it is alive is asked of /proc
				}
				attackReads(t, attr, attached, rounds)
			})
		}
	})
}

func attackReads(t *testing.T, attr func(Attr) *Attr, attached bool, rounds int) {
	failIfItHangs(t)
	inside, wIn := pipe(t)
	outside, wOut := pipe(t)
	var begun, asked, noticed, eintr, data, stray atomic.Int64
	target := make(chan *Thread)
	body := func() {
		target <- Current()
		b := make([]byte, 1)
		for n := range rounds {
			begun.Store(int64(n + 1))
			var err error
			interrupted, err2 := Interruptible(func() { _, err = unix.Read(inside, b) })
			testutil.Must(err2)
			if interrupted {
				noticed.Add(1)
			}
			switch {
			case err == syscall.EINTR && interrupted:
				eintr.Add(1)
			case err == nil:
				data.Add(1)
			default:
				stray.Add(1)
			}
			// Outside, at once: the byte comes later.
			if _, err := unix.Read(outside, b); err != nil {
				stray.Add(1)
			}
		}
	}
	end := make(chan struct{})
	if attached {
		go func() {
			defer close(end)
			_, err := Attach()
			testutil.Must(err)
			body()
			testutil.Must(Detach())
		}()
	} else {
		_, err := Start(func() { defer close(end); body() }, attr(Attr{Detached: true}))
		require.NoError(t, err)
	}
	th := <-target
	sent := 0
	for n := range rounds {
		testutil.Await(func() bool { return begun.Load() > int64(n) })
		spin(rand.IntN(4000))
		switch n % 4 {
		case 0, 1: // nothing else ends the read
			interruptSoon(t, th)
			asked.Add(1)
		case 2: // together with the byte, before or after the read ends
			_, err := unix.Write(wIn, []byte{1})
			require.NoError(t, err)
			sent++
			spin(rand.IntN(1000))
			if err := th.Interrupt(); err == nil {
				asked.Add(1)
			} else {
				require.Equal(t, ErrNotInterruptible, err)
			}
		case 3: // before the byte
			interruptSoon(t, th)
			asked.Add(1)
			spin(rand.IntN(1000))
		}
		if rand.IntN(2) == 0 {
			spin(rand.IntN(4000))
		}
		_, err := unix.Write(wOut, []byte{1})
		require.NoError(t, err)
	}
	<-end
	t.Logf("%d interrupts, %d noticed, %d reads with EINTR, %d with data of %d",
		asked.Load(), noticed.Load(), eintr.Load(), data.Load(), sent)
	assert.Equal(t, asked.Load(), noticed.Load(), "none lost")
	assert.Zero(t, stray.Load(), "no stray EINTR")
	assert.EqualValues(t, rounds, eintr.Load()+data.Load())
}

var spun atomic.Int64

func spin(n int) {
	for range n {
		spun.Load()
	}
}

// A loop around the call goes on after an EINTR that is not Interrupt's, and
// Interrupted acknowledges those that are.
func TestInterruptedReportsWhatEndedTheCall(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		var times atomic.Int64
		var over atomic.Bool
		begun := make(chan struct{})
		th, err := Start(func() {
			assert.False(t, Interrupted(), "outside")
			_, err := Interruptible(func() {
				assert.False(t, Interrupted())
				close(begun)
				for !over.Load() {
					_ = unix.Nanosleep(&unix.Timespec{Sec: 1 << 20}, nil)
					if Interrupted() {
						times.Add(1)
					}
				}
			})
			assert.NoError(t, err)
		}, attr(Attr{}))
		require.NoError(t, err)
		<-begun
		for n := range 1000 {
			before := times.Load()
			require.NoError(t, th.Interrupt())
			if n%3 == 0 {
				_ = th.Interrupt() // the same as one, unless it was noticed
			}
			if n%2 == 0 {
				_ = th.Signal(syscall.SIGURG) // ends a sleep as well
			}
			testutil.Await(func() bool { return times.Load() > before })
		}
		over.Store(true)
		testutil.Await(func() bool { _ = th.Interrupt(); return th.TryJoin() == nil })
	})
}

func TestInterruptOutsideInterruptible(t *testing.T) {
	_, err := Interruptible(func() { t.Error("called") })
	assert.Equal(t, ErrNotAttached, err)
	assert.False(t, Interrupted())
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		quiet(t)
		th := hold(t, attr(Attr{}))
		assert.Equal(t, ErrNotInterruptible, th.Interrupt())
		ended, err := Start(func() {}, attr(Attr{}))
		require.NoError(t, err)
		require.NoError(t, ended.Join())
		assert.Equal(t, ErrEnded, ended.Interrupt())

		// However the function ends, the thread is out of it.
		for name, leave := range map[string]func(){
			"panic":  func() { panic("left") },
			"Goexit": runtime.Goexit,
			"Exit":   Exit,
		} {
			for _, ask := range []bool{false, true} {
				run := make(chan struct{})
				th, err := Start(func() {
					defer func() {
						defer close(run)
						_ = recover()
						assert.Equal(t, ErrNotInterruptible, Current().Interrupt(), name)
						assert.NoError(t, sleepShort(), name)
					}()
					_, _ = Interruptible(func() {
						if ask {
							assert.NoError(t, Current().Interrupt())
						}
						leave()
					})
				}, attr(Attr{}))
				require.NoError(t, err)
				<-run
				_ = th.Join()
			}
		}
	})
	assert.Equal(t, ErrEnded, new(Thread).Interrupt())
}

// sleepShort sleeps in a call that any handler ends with EINTR.
func sleepShort() error { return unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil) }

// C code may block the signal: then the call goes on, and nothing is left when
// the mask is back.
func TestInterruptLeavesNoSignalPending(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			_, err := osChangeMask(BlockSignals, 1<<(wakeSignal-1)) // SetSignalMask would not
			assert.NoError(t, err)
			for range 3 {
				interrupted, err := Interruptible(func() {
					assert.NoError(t, Current().Interrupt())
					assert.NoError(t, sleepShort())
				})
				assert.NoError(t, err)
				assert.True(t, interrupted)
				assert.Zero(t, must(SignalPending()))
			}
		})
	})
}

// A call in the function is part of the outer one.
func TestInterruptibleNests(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		run(t, attr(Attr{}), func() {
			me := Current()
			outer, err := Interruptible(func() {
				inner, err := Interruptible(func() {})
				assert.NoError(t, err)
				assert.False(t, inner)
				assert.NoError(t, me.Interrupt(), "still in the outer one")
				inner, err = Interruptible(func() {})
				assert.NoError(t, err)
				assert.True(t, inner)
			})
			assert.NoError(t, err)
			assert.True(t, outer)
			assert.Equal(t, ErrNotInterruptible, me.Interrupt())
		})
	})
}

// os/signal may take the signal away: Interrupt takes it back.
func TestInterruptAfterOSSignalTookTheSignal(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leak.InChild(t, func() {
			sleep := func() {
				th, err := Start(func() {
					interrupted, err := Interruptible(func() {
						if err := unix.Nanosleep(&unix.Timespec{Sec: 1 << 20}, nil); err != syscall.EINTR {
							panic(err)
						}
					})
					if !interrupted || err != nil {
						panic(fmt.Sprint(interrupted, err))
					}
				}, attr(Attr{}))
				testutil.Must(err)
				for th.Interrupt() == ErrNotInterruptible {
					runtime.Gosched()
				}
				testutil.Must(th.Join())
			}
			sleep()
			all := AllSignals.List()
			signal.Ignore(all...)
			sleep()
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.Signal(wakeSignal))
			sleep()
			if len(c) != 0 {
				panic("os/signal got the signal")
			}
			signal.Reset()
			sleep()
		})
	})
}

// Interrupts by a goroutine of a bubble are repeated although the bubble's time
// stands still.
func TestInterruptInABubble(t *testing.T) {
	failIfItHangs(t)
	results := make(chan error)
	th, err := Start(func() {
		for range 200 {
			var err error
			_, err2 := Interruptible(func() { err = unix.Nanosleep(&unix.Timespec{Sec: 1 << 20}, nil) })
			testutil.Must(err2)
			results <- err
		}
	}, nil)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			interruptSoon(t, th)
			require.Equal(t, syscall.EINTR, <-results)
		}
	})
	require.NoError(t, th.Join())
	testutil.Await(func() bool { return NumThread() == 0 })
}

func BenchmarkInterruptible(b *testing.B) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := Attach()
		testutil.Must(err)
		defer func() { testutil.Must(Detach()) }()
		for b.Loop() {
			_, _ = Interruptible(func() {})
		}
	}()
	<-done
}

// From Interrupt to the end of Interruptible, of a thread in a read.
func BenchmarkInterrupt(b *testing.B) {
	r, _ := pipe(b)
	var stop atomic.Bool
	ends := make(chan time.Time)
	th, err := Start(func() {
		defer close(ends)
		buf := make([]byte, 1)
		for !stop.Load() {
			_, err := Interruptible(func() { _, _ = unix.Read(r, buf) })
			testutil.Must(err)
			ends <- time.Now()
		}
	}, nil)
	require.NoError(b, err)
	for b.Loop() {
		for th.Interrupt() == ErrNotInterruptible {
			runtime.Gosched()
		}
		<-ends
	}
	stop.Store(true)
	for {
		_ = th.Interrupt()
		if _, ok := <-ends; !ok {
			break
		}
	}
	require.NoError(b, th.Join())
}
