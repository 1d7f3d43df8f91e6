package osthread

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/internal/testutil"
)

// An oddSignal is not a signal of package syscall.
type oddSignal struct{}

func (oddSignal) Signal()        {}
func (oddSignal) String() string { return "odd" }

// For any argument, and on a zero value, a method returns, or panics with an
// error and leaves nothing locked: each call is made twice.
func TestExtremeArgumentsReturnOrPanic(t *testing.T) {
	const most, least = math.MaxInt, math.MinInt
	var noContext context.Context
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	full := NewSemaphore(most)
	bounded := NewBoundedSemaphore(1)
	var l Lock
	l.Lock()
	var set Event
	set.Set()
	var nilEvent *Event
	for _, row := range []struct {
		name string
		call func()
		want error
	}{
		{"NewSemaphore(least)", func() { NewSemaphore(least) }, ErrCount},
		{"NewBoundedSemaphore(-1)", func() { NewBoundedSemaphore(-1) }, ErrCount},
		{"NewBarrier(0)", func() { NewBarrier(0, nil) }, ErrCount},
		{"NewBarrier(least)", func() { NewBarrier(least, nil) }, ErrCount},
		{"NewBarrier(most)", func() { _, _ = NewBarrier(most, nil).TryWait() }, nil},

		{"Semaphore.Acquire(0)", func() { full.Acquire(0) }, ErrCount},
		{"Semaphore.Acquire(least)", func() { full.Acquire(least) }, ErrCount},
		{"Semaphore.AcquireTimeout(least)", func() { full.AcquireTimeout(least, time.Hour) }, ErrCount},
		{"Semaphore.Acquire(most)", func() { full.Acquire(most); full.Release(most) }, nil},
		{"Semaphore.TryAcquire(most)", func() { NewSemaphore(0).TryAcquire(most) }, nil},
		{"Semaphore.Release(0)", func() { full.Release(0) }, ErrCount},
		{"Semaphore.Release(least)", func() { full.Release(least) }, ErrCount},
		{"Semaphore.Release over int", func() { full.Release(1) }, ErrOverflow},
		{"Semaphore.Release(most) over int", func() { full.Release(most) }, ErrOverflow},
		{"Semaphore.Release over bound", func() { bounded.Release(most) }, ErrOverflow},
		{"Semaphore.Acquire over bound", func() { bounded.Acquire(2) }, ErrCount},
		{"zero Semaphore", func() { new(Semaphore).TryAcquire(1) }, nil},

		{"LockTimeout(least)", func() { assert.False(t, l.LockTimeout(math.MinInt64)) }, nil},
		{"LockTimeout(most) of a free lock", func() { new(Lock).LockTimeout(TimeoutMax) }, nil},
		{"WaitTimeout(most)", func() { assert.True(t, set.WaitTimeout(TimeoutMax)) }, nil},
		{"WaitTimeout(most) that sleeps", func() {
			var e Event
			defer time.AfterFunc(time.Millisecond, e.Set).Stop()
			assert.True(t, e.WaitTimeout(TimeoutMax))
		}, nil},
		{"LockContext(nil)", func() { _ = l.LockContext(noContext) }, testutil.ErrAnyPanic},
		{"AcquireContext(nil)", func() { _ = full.AcquireContext(noContext, 1) }, testutil.ErrAnyPanic},
		{"AcquireContext(done, 0)", func() { assert.Error(t, full.AcquireContext(canceled, 0)) }, nil},
		{"Unlock of a zero Lock", func() { new(Lock).Unlock() }, ErrNotLocked},
		{"Unlock of a zero RLock", func() { new(RLock).Unlock() }, ErrNotOwner},
		{"Unlock of a zero RWLock", func() { new(RWLock).Unlock() }, ErrNotLocked},
		{"RUnlock of a zero RWLock", func() { new(RWLock).RUnlock() }, ErrNotLocked},
		{"Downgrade of a zero RWLock", func() { new(RWLock).Downgrade() }, ErrNotLocked},

		{"zero Condition", func() { new(Condition).Wait() }, ErrNotLocked},
		{"zero Condition.Notify", func() { new(Condition).Notify() }, ErrNotLocked},
		{"Condition.NotifyN(most)", func() { (&Condition{L: &l}).NotifyN(most) }, nil},
		{"Condition.NotifyN(least)", func() { (&Condition{L: &l}).NotifyN(least) }, nil},
		{"Condition.WaitFor(nil)", func() { (&Condition{L: &l}).WaitFor(nil) }, testutil.ErrAnyPanic},

		{"zero Barrier.Wait", func() { _, _ = new(Barrier).Wait() }, ErrCount},
		{"zero Barrier.WaitContext", func() { _, _ = new(Barrier).WaitContext(canceled) }, ErrCount},
		{"zero Barrier.Reset", func() { new(Barrier).Reset() }, ErrCount},
		{"zero Barrier.Abort", func() { new(Barrier).Abort() }, ErrCount},
		{"getters of a zero Barrier", func() {
			b := new(Barrier)
			_ = fmt.Sprint(b, b.Waiting(), b.Broken(), b.Parties())
		}, nil},

		{"WaitAny()", func() { WaitAny() }, ErrCount},
		{"WaitAnyTimeout()", func() { assert.Equal(t, -1, WaitAnyTimeout(time.Hour)) }, nil},
		{"WaitAll()", func() { WaitAll() }, nil},
		{"WaitAny(nil)", func() { WaitAny(nil) }, testutil.ErrAnyPanic},
		{"WaitAny(e, nil)", func() { WaitAny(new(Event), nil) }, testutil.ErrAnyPanic},
		{"WaitAny(nil event)", func() { WaitAny(new(Event), nilEvent) }, testutil.ErrAnyPanic},
		{"WaitAll(e, nil)", func() { WaitAll(&set, nil) }, testutil.ErrAnyPanic},
		{"WaitAll(nil event)", func() { WaitAll(&set, nilEvent) }, testutil.ErrAnyPanic},
		{"WaitAll of more permits than there are", func() { TryWaitAll(bounded, bounded) }, nil},

		{"zero Thread", func() {
			var th Thread
			assert.Equal(t, ErrNotStarted, th.Join())
			_ = fmt.Sprint(&th, th.Alive(), th.Ident(), th.NativeID(), th.Name(), th.Daemon())
			assert.NoError(t, th.Start())
			assert.NoError(t, th.Join())
		}, nil},
		{"New(nil)", func() { th := New(nil, nil); assert.NoError(t, th.Start()); assert.NoError(t, th.Join()) }, nil},
		{"NewRunner(nil)", func() { NewRunner(nil, nil) }, testutil.ErrAnyPanic},
		{"Thread.JoinContext(nil)", func() { _ = new(Thread).JoinContext(noContext) }, testutil.ErrAnyPanic},
		{"zero Timer.Start", func() { _ = new(Timer).Start() }, errNoTimer},
		{"zero Timer.Cancel", func() { new(Timer).Cancel() }, nil},
		{"String of a zero Timer", func() { _ = fmt.Sprint(new(Timer)) }, nil},
		{"Timer with the least interval", func() {
			timer := NewTimer(math.MinInt64, nil, nil)
			assert.NoError(t, timer.Start())
			assert.NoError(t, timer.Join())
		}, nil},
		{"Timer with the longest interval", func() {
			timer := NewTimer(TimeoutMax, nil, nil)
			assert.NoError(t, timer.Start())
			assert.True(t, timer.Cancel())
			assert.NoError(t, timer.Join())
		}, nil},
		{"Threads with a nil yield", func() { Threads()(nil) }, testutil.ErrAnyPanic},
		{"ReportPanic(nil)", func() { ReportPanic(nil) }, testutil.ErrAnyPanic},
		{"Shutdown(nil)", func() { _, _ = Shutdown(noContext) }, testutil.ErrAnyPanic},
		{"Action", func() { _ = fmt.Sprint(Action(255)) }, nil},
	} {
		testutil.CheckTwice(t, row.name, row.call, row.want)
	}
	l.Unlock()
}

// A bad attribute is an error of Check and of Start, which starts no thread.
func TestAttrExtremeValuesStartOrFail(t *testing.T) {
	const most, least = math.MaxInt, math.MinInt
	for name, a := range map[string]Attr{
		"StackSize least": {StackSize: least},
		"StackSize most":  {StackSize: most},
		"StackSize 1":     {StackSize: 1},
		"GuardSize least": {GuardSize: least},
		"GuardSize most":  {GuardSize: most},
		"Affinity least":  {Affinity: []int{least}},
		"Affinity most":   {Affinity: []int{most}},
		"Affinity empty":  {Affinity: []int{}},
		"Policy":          {Policy: thread.Policy(100)},
		"Priority most":   {Policy: thread.PolicyFIFO, Priority: most},
		"Priority least":  {Policy: thread.PolicyFIFO, Priority: least},
		"Priority alone":  {Priority: least},
		"Nice most":       {Nice: most},
		"Nice least":      {Nice: least},
		"QoS":             {QoS: thread.QoS(100)},
		"Apartment":       {Apartment: thread.Apartment(100)},
		"SignalMask nil":  {SignalMask: []os.Signal{nil}},
		"SignalMask odd":  {SignalMask: []os.Signal{oddSignal{}}},
		"all":             {StackSize: least, Affinity: []int{-1}, Nice: most, Pinned: true},
	} {
		t.Run(name, func(t *testing.T) {
			var ran atomic.Bool
			th := New(func() error { ran.Store(true); return nil }, &a)
			checked := a.Check()
			err := th.Start()
			if checked != nil {
				assert.Error(t, err)
			}
			if err != nil {
				assert.Equal(t, ErrNotStarted, th.Join())
				assert.False(t, th.Alive())
				return
			}
			assert.NoError(t, th.Join())
			assert.True(t, ran.Load())
		})
	}
}
