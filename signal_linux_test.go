package thread

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// Tests named after POSIX.1-2024's clauses on signals of threads: sigprocmask,
// pthread_kill, sigpending, sigwait, sigtimedwait, sigqueue.

// failIfItHangs ends the process with all stacks if the test takes far longer
// than it may.
func failIfItHangs(t *testing.T) {
	t.Helper()
	timer := time.AfterFunc(testutil.Timeout, func() {
		stacks := make([]byte, 1<<20)
		panic(t.Name() + " hangs\n" + string(stacks[:runtime.Stack(stacks, true)]))
	})
	t.Cleanup(func() { timer.Stop() })
}

// real is a real-time signal that nobody else uses.
const real = syscall.Signal(40)

// blocking returns the attributes of a thread that blocks s.
func blocking(attr func(Attr) *Attr, s ...os.Signal) *Attr { return attr(Attr{SignalMask: s}) }

// must returns v, for calls on threads that a test cannot end.
func must[T any](v T, err error) T {
	testutil.Must(err)
	return v
}

func TestPthreadSigmaskChangesTheMaskAndReturnsTheOneBefore(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		other := hold(t, attr(Attr{}))
		run(t, attr(Attr{SignalMask: []os.Signal{syscall.SIGUSR1}}), func() {
			usr1, both := Signals(syscall.SIGUSR1), Signals(syscall.SIGUSR1, real)
			for _, step := range []struct {
				change   MaskChange
				set, had SignalSet
			}{
				{BlockSignals, Signals(real), usr1},
				{UnblockSignals, usr1.With(syscall.SIGHUP), both},
				{ReplaceMask, both, Signals(real)},
				{BlockSignals, 0, both},
				{ReplaceMask, 0, both},
			} {
				old, err := SetSignalMask(step.change, step.set)
				assert.NoError(t, err)
				assert.Equal(t, step.had, old, "%v %v", step.change, step.set)
			}
			old, err := SetSignalMask(ReplaceMask, both)
			assert.NoError(t, err)
			assert.Zero(t, old)
			assertBlocked(t, uint64(both), Current())
			assertBlocked(t, 0, other)
			_, err = SetSignalMask(MaskChange(3), 0)
			assert.ErrorIs(t, err, syscall.EINVAL)
		})
	})
	_, err := SetSignalMask(BlockSignals, 0)
	assert.Equal(t, ErrNotAttached, err)
	_, err = SignalPending()
	assert.Equal(t, ErrNotAttached, err)
}

// "It shall not be possible to block those signals that cannot be ignored. This
// shall be enforced by the system without causing an error to be indicated."
func TestPthreadSigmaskLeavesOutUnblockableSignals(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			_, err := SetSignalMask(ReplaceMask, AllSignals)
			assert.NoError(t, err)
			assertBlocked(t, ^uint64(osUnblockable|osNeverBlocked), Current())
			runtime.GC() // which preempts
			var null *int
			assert.Error(t, testutil.PanicOf(func() { fmt.Print(*null) }))
		})
	})
}

// "If there are any pending unblocked signals after the call to
// pthread_sigmask(), at least one of those signals shall be delivered before
// the call returns."
func TestPthreadSigmaskDeliversWhatItUnblocks(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		got := make(chan os.Signal, 1)
		signal.Notify(got, real)
		defer signal.Stop(got)
		run(t, blocking(attr, real), func() {
			testutil.Must(Current().Signal(real))
			assert.Equal(t, Signals(real), must(SignalPending()))
			assert.Empty(t, got)
			must(SetSignalMask(UnblockSignals, Signals(real)))
			assert.Zero(t, must(SignalPending()))
		})
		assert.Equal(t, real, <-got)
	})
}

// "The set of signals pending for the new thread shall be empty"
// (pthread_create), even if one is pending on its creator.
func TestStartBeginsWithNoSignalPending(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, blocking(attr, real), func() {
			testutil.Must(Current().Signal(real))
			assert.True(t, must(SignalPending()).Has(real))
			run(t, blocking(attr, real), func() {
				assert.False(t, must(SignalPending()).Has(real))
			})
			must(TrySigwait(Signals(real)))
		})
	})
}

// A new process has the mask of the thread that starts it (POSIX: exec), and
// the thread keeps its own.
func TestExecInheritsTheSignalMaskOfItsThread(t *testing.T) {
	if os.Getenv(leak.ExecEnv) != "" {
		t.Skip("an emulator runs none of the system's programs")
	}
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		body := func() {
			out, err := exec.Command("grep", "SigBlk", "/proc/self/status").Output()
			if errors.Is(err, exec.ErrNotFound) {
				return
			}
			assert.NoError(t, err)
			assert.Equal(t, fmt.Sprintf("SigBlk:\t%016x\n", uint64(Signals(real))), string(out))
			assert.Equal(t, Signals(real), must(SignalMask()))
		}
		run(t, blocking(attr, real), body)
		run(t, attr(Attr{}), func() {
			must(SetSignalMask(BlockSignals, Signals(real)))
			body()
		})
	})
}

func TestAttachedThreadKeepsItsSignalMaskAfterDetach(t *testing.T) {
	runtime.LockOSThread() // the goroutine ends with the thread
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		_, err := Attach()
		testutil.Must(err)
		_, err = SetSignalMask(BlockSignals, Signals(real))
		assert.NoError(t, err)
		testutil.Must(Detach())
		_, err = Attach()
		testutil.Must(err)
		mask, err := SignalMask()
		assert.NoError(t, err)
		assert.True(t, mask.Has(real))
		testutil.Must(Detach())
	}()
	<-done
	runtime.UnlockOSThread()
}

// "If sig is zero, error checking shall be performed but no signal shall
// actually be sent."
func TestPthreadKillWithSignalZeroChecks(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th, err := Start(func() {}, attr(Attr{}))
		require.NoError(t, err)
		if err := th.Signal(syscall.Signal(0)); err != nil { // it may have ended
			assert.Equal(t, ErrEnded, err)
		}
		require.NoError(t, th.Join())
		assert.Equal(t, ErrEnded, th.Signal(syscall.Signal(0)))
		assert.Equal(t, ErrEnded, th.Signal(real))
		assert.Equal(t, ErrEnded, th.SignalValue(real, 1))
		held := hold(t, attr(Attr{}))
		assert.NoError(t, held.Signal(syscall.Signal(0)))
		assert.NoError(t, held.SignalValue(syscall.Signal(0), 1))
	})
	assert.Equal(t, ErrEnded, new(Thread).Signal(real))
}

// "[EINVAL] The value of the sig argument is an invalid or unsupported signal
// number."
func TestPthreadKillRefusesInvalidSignals(t *testing.T) {
	th := hold(t, nil)
	for _, sig := range []os.Signal{
		nil,
		notASignal{},
		syscall.Signal(-1), syscall.Signal(65), syscall.Signal(math.MaxInt32),
		syscall.Signal(32), syscall.Signal(33), syscall.Signal(34), syscall.Signal(wakeSignal),
	} {
		assert.ErrorIs(t, th.Signal(sig), syscall.EINVAL, "%v", sig)
		assert.ErrorIs(t, th.SignalValue(sig, 0), syscall.EINVAL, "%v", sig)
	}
	assert.ErrorIs(t, th.SignalValue(syscall.SIGSEGV, 0), syscall.EINVAL)
}

// "The pthread_kill() function shall request that a signal be delivered to the
// specified thread." A signal that the thread blocks is pending there alone.
func TestPthreadKillIsPendingOnItsThreadAlone(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		sent := make(chan struct{})
		both := make(chan *Thread, 2)
		got := make(chan SignalSet, 2)
		body := func() {
			both <- Current()
			<-sent
			got <- must(SignalPending())
			_, _ = TrySigwait(Signals(real))
		}
		first, err := Start(body, blocking(attr, real))
		require.NoError(t, err)
		<-both
		require.NoError(t, first.Signal(real))
		second, err := Start(body, blocking(attr, real))
		require.NoError(t, err)
		<-both
		close(sent)
		assert.ElementsMatch(t, []SignalSet{Signals(real), 0}, []SignalSet{<-got, <-got})
		require.NoError(t, first.Join())
		require.NoError(t, second.Join())
	})
}

// A signal that the thread does not block runs Go's handler on it.
func TestThreadSignalGoesToOSSignal(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		c := make(chan os.Signal, 2)
		signal.Notify(c, syscall.SIGUSR1, real)
		defer signal.Stop(c)
		th := hold(t, attr(Attr{}))
		assert.NoError(t, th.Signal(syscall.SIGUSR1))
		assert.Equal(t, syscall.SIGUSR1, <-c)
		assert.NoError(t, th.SignalValue(real, 7))
		assert.Equal(t, real, <-c)
	})
}

// A SIGSEGV that is sent is not a nil dereference of the thread's, to be
// recovered.
func TestThreadSignalOfAFaultEndsTheProcess(t *testing.T) {
	out, err := leak.Child(t, func() {
		th, err := Start(func() {
			defer func() { _ = recover() }()
			select {}
		}, nil)
		testutil.Must(err)
		testutil.Must(th.Signal(syscall.SIGSEGV))
		testutil.Must(th.Join())
	})
	assert.Error(t, err)
	assert.Contains(t, out, "SIGSEGV")
}

// Threads end while they are sent signals: each call finds the thread, or says
// that it has ended.
func TestThreadSignalWhileThreadsEnd(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		rounds := 2000
		if testing.Short() {
			rounds = 200
		}
		for range rounds {
			th, err := Start(func() {}, attr(Attr{}))
			require.NoError(t, err)
			// Of a standard signal one is pending at most: thousands of others
			// would have to be handled before the thread ends.
			for err = th.Signal(real); err == nil; err = th.SignalValue(syscall.SIGUSR1, 1) {
			}
			// The queue is the user's, and may be full.
			if !errors.Is(err, syscall.EAGAIN) {
				require.Equal(t, ErrEnded, err)
			}
			require.NoError(t, th.Join())
		}
	})
}

// "The sigwait() function shall select a pending signal from set, atomically
// clear it from the system's set of pending signals, and return that signal."
func TestSigwaitTakesAPendingSignal(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		run(t, blocking(attr, syscall.SIGUSR1, real), func() {
			me := Current()
			assert.NoError(t, me.Signal(syscall.SIGUSR1))
			assert.Equal(t, Signals(syscall.SIGUSR1), must(SignalPending()))
			_, err := TrySigwait(Signals(real))
			assert.Equal(t, ErrTimeout, err)
			got, err := Sigwait(Signals(syscall.SIGUSR1, real))
			assert.NoError(t, err)
			assert.Equal(t, SignalInfo{
				Signal: syscall.SIGUSR1, Code: -6, PID: os.Getpid(), UID: os.Getuid(),
			}, got)
			assert.Zero(t, must(SignalPending()))
		})
	})
}

// "If no signal in set is pending at the time of the call, the thread shall be
// suspended until one or more becomes pending."
func TestSigwaitSuspendsUntilASignal(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		for name, wait := range map[string]func(SignalSet) (SignalInfo, error){
			"Sigwait":        Sigwait,
			"SigwaitTimeout": func(s SignalSet) (SignalInfo, error) { return SigwaitTimeout(s, math.MaxInt64) },
			"SigwaitContext": func(s SignalSet) (SignalInfo, error) { return SigwaitContext(t.Context(), s) },
		} {
			t.Run(name, func(t *testing.T) {
				result := make(chan SignalInfo, 1)
				th, err := Start(func() { result <- must(wait(Signals(real))) }, blocking(attr, real))
				require.NoError(t, err)
				awaitAsleep(t, th)
				for range 10 { // handlers that run do not end the wait
					require.NoError(t, th.Signal(syscall.SIGURG))
					awaitAsleep(t, th)
				}
				assert.Empty(t, result)
				require.NoError(t, th.SignalValue(real, math.MaxUint32))
				got := <-result
				assert.Equal(t, SignalInfo{
					Signal: real, Value: math.MaxUint32, Code: -1, PID: os.Getpid(), UID: os.Getuid(),
				}, got)
				require.NoError(t, th.Join())
			})
		}
	})
}

// awaitAsleep waits until th sleeps in the kernel, with no signal to handle.
func awaitAsleep(t *testing.T, th *Thread) {
	t.Helper()
	testutil.Await(func() bool {
		state := statusOf(t, th, "State")
		return state[0] == 'S' && statusOf(t, th, "SigPnd") == "0000000000000000"
	})
}

// Waiting keeps nothing from other goroutines, even on the only P.
func TestSigwaitHoldsNoP(t *testing.T) {
	failIfItHangs(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	th, err := Start(func() { must(Sigwait(Signals(real))) }, &Attr{SignalMask: []os.Signal{real}})
	require.NoError(t, err)
	awaitAsleep(t, th)
	for range 1000 {
		done := make(chan struct{})
		go close(done)
		<-done
	}
	runtime.GC()
	require.NoError(t, th.Signal(real))
	require.NoError(t, th.Join())
}

// "The signals defined by set shall have been blocked at the time of the call
// to sigwait(); otherwise, the behavior is undefined." Here it is an error.
func TestSigwaitRefusesSignalsThatAreNotBlocked(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, blocking(attr, real), func() {
			_, err := Sigwait(Signals(real, syscall.SIGUSR1))
			assert.ErrorIs(t, err, syscall.EINVAL)
			assert.ErrorContains(t, err, "SIGUSR1")
			_, err = Sigwait(Signals(syscall.SIGSEGV, syscall.SIGKILL, syscall.SIGURG, syscall.SIGPROF))
			assert.ErrorIs(t, err, syscall.EINVAL)
			_, err = Sigwait(0)
			assert.ErrorIs(t, err, syscall.EINVAL)
			most := AllSignals.Minus(Signals(syscall.Signal(63), syscall.Signal(64))) // an emulator lacks two
			_, err = SetSignalMask(BlockSignals, most)
			assert.NoError(t, err)
			_, err = TrySigwait(most)
			assert.Equal(t, ErrTimeout, err, "what cannot be blocked is ignored")
		})
	})
	_, err := Sigwait(Signals(real))
	assert.Equal(t, ErrNotAttached, err)
}

// "If none of the signals specified by set are pending, sigtimedwait() shall
// wait for the time interval ... If the timespec structure pointed to by
// timeout is zero-valued ... shall return immediately with an error."
func TestSigtimedwaitReturnsAtItsTimeout(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		run(t, blocking(attr, real), func() {
			for _, d := range []time.Duration{math.MinInt64, -1, 0} {
				_, err := SigwaitTimeout(Signals(real), d)
				assert.Equal(t, ErrTimeout, err)
			}
			begun, d := time.Now(), 20*time.Millisecond
			_, err := SigwaitTimeout(Signals(real), d)
			assert.Equal(t, ErrTimeout, err)
			assert.GreaterOrEqual(t, time.Since(begun), d)
			assert.NoError(t, Current().Signal(real))
			_, err = SigwaitTimeout(Signals(real), -1)
			assert.NoError(t, err, "pending")
		})
	})
}

func TestSigwaitContextReturnsTheCause(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		th, err := Start(func() {
			_, err := SigwaitContext(ctx, Signals(real))
			assert.Equal(t, why, err)
			assert.Equal(t, Signals(real), must(SignalMask()))
			assert.Zero(t, must(SignalPending()))
			assert.NoError(t, Current().Signal(real))
			_, err = SigwaitContext(ctx, Signals(real))
			assert.Equal(t, why, err, "done on entry: nothing is tried")
			assert.Equal(t, Signals(real), must(SignalPending()))
		}, blocking(attr, real))
		require.NoError(t, err)
		awaitAsleep(t, th)
		cancel(why)
		require.NoError(t, th.Join())
	})
}

// Contexts that end at any moment of a wait: it returns the cause or the
// signal, and nothing of the wakeup is left.
func TestSigwaitContextAtTheMomentOfTheCancel(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		rounds := 20000
		if testing.Short() {
			rounds = 1000
		}
		type round struct {
			ctx context.Context
			c   chan error
		}
		next := make(chan round)
		var taken atomic.Int64
		th, err := Start(func() {
			for r := range next {
				_, err := SigwaitContext(r.ctx, Signals(real))
				if err == nil {
					taken.Add(1)
				}
				assert.Equal(t, Signals(real), must(SignalMask()))
				assert.Zero(t, must(SignalPending()).Minus(Signals(real)))
				r.c <- err
			}
			for _, err := TrySigwait(Signals(real)); err == nil; _, err = TrySigwait(Signals(real)) {
				taken.Add(1)
			}
		}, blocking(attr, real))
		require.NoError(t, err)
		sent := int64(0)
		for n := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			r := round{ctx, make(chan error, 1)}
			next <- r
			for range rand.IntN(3000) { // somewhere between the check of ctx and the sleep
				_ = taken.Load()
			}
			if n%4 == 0 {
				require.NoError(t, th.Signal(real))
				sent++
			}
			cancel()
			if err := <-r.c; err != nil {
				require.Equal(t, context.Canceled, err)
			}
		}
		close(next)
		require.NoError(t, th.Join())
		assert.Equal(t, sent, taken.Load())
	})
}

// "Should any of multiple pending signals in the range SIGRTMIN to SIGRTMAX be
// selected, it shall be the lowest numbered one." And of one number, "if there
// are multiple queued, the first".
func TestSigqueueSelectsTheLowestNumberInOrder(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		high, low := syscall.Signal(50), syscall.Signal(41)
		run(t, blocking(attr, high, low, syscall.SIGUSR2), func() {
			me := Current()
			for v := range uintptr(3) {
				assert.NoError(t, me.SignalValue(high, v))
				assert.NoError(t, me.SignalValue(low, v))
				assert.NoError(t, me.SignalValue(syscall.SIGUSR2, v)) // one is pending at most
			}
			type taken struct {
				sig   os.Signal
				value uintptr
			}
			var got []taken
			for info, err := TrySigwait(AllSignals); err == nil; info, err = TrySigwait(AllSignals) {
				got = append(got, taken{info.Signal, info.Value})
			}
			assert.Empty(t, got, "of all signals some are not blocked")
			set := Signals(high, low, syscall.SIGUSR2)
			for info, err := TrySigwait(set); err == nil; info, err = TrySigwait(set) {
				got = append(got, taken{info.Signal, info.Value})
			}
			want := []taken{{syscall.SIGUSR2, 0}, {low, 0}, {low, 1}, {low, 2}, {high, 0}, {high, 1}, {high, 2}}
			assert.Equal(t, want, got)
		})
	})
}

// "[EAGAIN] No resources are available to queue the signal": the sender tries
// again, and none of 100,000 signals is lost or overtaken by a later one of its
// number.
func TestSigqueueLosesNoSignal(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for _, senders := range []int{1, 4} {
			t.Run(fmt.Sprintf("senders=%d", senders), func(t *testing.T) { sendAndTake(t, attr, senders) })
		}
	})
}

// sendAndTake has each of the senders send values in order, with a signal
// number of its own, to a thread that takes them all.
func sendAndTake(t *testing.T, attr func(Attr) *Attr, senders int) {
	failIfItHangs(t)
	each := 100000 / senders
	if testing.Short() {
		each /= 20
	}
	pending := math.MaxInt
	if senders > 1 {
		pending = 1000 // the kernel looks for a signal through those of other numbers
	}
	var numbers []os.Signal
	for i := range senders {
		numbers = append(numbers, syscall.Signal(36+i*7))
	}
	got := make([][]uintptr, senders)
	var sent, taken atomic.Int64
	th, err := Start(func() {
		for range senders * each {
			info := must(Sigwait(Signals(numbers...)))
			i := slices.Index(numbers, info.Signal)
			got[i] = append(got[i], info.Value)
			taken.Add(1)
		}
		_, err := TrySigwait(Signals(numbers...))
		assert.Equal(t, ErrTimeout, err, "none is there twice")
	}, blocking(attr, numbers...))
	require.NoError(t, err)
	var all sync.WaitGroup
	for _, sig := range numbers {
		all.Go(func() {
			for v := range uintptr(each) {
				testutil.Await(func() bool { return sent.Load()-taken.Load() < int64(pending) })
				err := th.SignalValue(sig, v)
				for errors.Is(err, syscall.EAGAIN) {
					runtime.Gosched()
					err = th.SignalValue(sig, v)
				}
				if !assert.NoError(t, err) {
					return
				}
				sent.Add(1)
			}
		})
	}
	all.Wait()
	require.NoError(t, th.Join())
	for i := range numbers {
		require.Len(t, got[i], each)
		for v, value := range got[i] {
			require.Equal(t, uintptr(v), value)
		}
	}
}

func TestAttachedThreadWaitsForSignals(t *testing.T) {
	failIfItHangs(t)
	me, err := Attach()
	require.NoError(t, err)
	defer func() { require.NoError(t, Detach()) }()
	old, err := SetSignalMask(BlockSignals, Signals(real))
	require.NoError(t, err)
	defer func() { _, _ = SetSignalMask(ReplaceMask, old) }()
	go func() { assert.NoError(t, me.SignalValue(real, 3)) }()
	got, err := Sigwait(Signals(real))
	require.NoError(t, err)
	assert.EqualValues(t, 3, got.Value)
}

// A signal to the process that all of its threads but one handle: the waiting
// thread is one of those that may take it.
func TestSigwaitMayTakeASignalOfTheProcess(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		failIfItHangs(t)
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		defer signal.Stop(c)
		ctx, cancel := context.WithCancel(t.Context())
		th, err := Start(func() {
			if _, err := SigwaitContext(ctx, Signals(syscall.SIGUSR1)); err == nil {
				c <- syscall.SIGUSR1
			}
		}, blocking(attr, syscall.SIGUSR1))
		require.NoError(t, err)
		awaitAsleep(t, th)
		require.NoError(t, unix.Kill(os.Getpid(), syscall.SIGUSR1))
		<-c
		cancel()
		require.NoError(t, th.Join())
	})
}
