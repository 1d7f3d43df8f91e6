package thread

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/headroom"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) {
	leak.Main(m, func() (left string) {
		collectExited()
		if n := NumThread(); n != 0 {
			left += fmt.Sprintf(" %d threads", n)
		}
		if n := records.count(); n != 0 {
			left += fmt.Sprintf(" %d records", n)
		}
		return left
	})
}

// kinds runs f for native threads, where there are any, and pinned ones.
func kinds(t *testing.T, f func(t *testing.T, attr func(Attr) *Attr)) {
	for _, pinned := range []bool{false, true} {
		if pinned || osNative {
			t.Run(fmt.Sprintf("pinned=%v", pinned), func(t *testing.T) {
				f(t, func(a Attr) *Attr { a.Pinned = pinned; return &a })
			})
		}
	}
}

// run runs body on a thread and joins it.
func run(t *testing.T, attr *Attr, body func()) {
	t.Helper()
	th, err := Start(body, attr)
	require.NoError(t, err)
	require.NoError(t, th.Join())
}

// quiet keeps panics that are meant off standard error, and returns how many
// there were.
func quiet(t *testing.T) *atomic.Int64 {
	var n atomic.Int64
	SetPanicHook(func(*Thread, *PanicError) { n.Add(1) })
	t.Cleanup(func() { SetPanicHook(nil) })
	return &n
}

func TestStartReturnsAThreadThatCanBeUsedAtOnce(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		var self Ident
		var native int
		th, err := Start(func() {
			<-leave
			self, native = Self(), NativeID()
			assert.Equal(t, self, Current().Ident())
		}, attr(Attr{}))
		require.NoError(t, err)
		assert.True(t, th.Alive())
		assert.Equal(t, 1, NumThread())
		if osNativeID() != 0 {
			assert.NotZero(t, th.NativeID())
			assert.NotZero(t, th.Ident())
			assert.True(t, osExists(th.NativeID()))
		}
		close(leave)
		require.NoError(t, th.Join())
		assert.False(t, th.Alive())
		assert.Equal(t, 0, NumThread())
		assert.False(t, osExists(th.NativeID()), "gone from the kernel's list after Join")
		assert.Equal(t, self, th.Ident())
		assert.Equal(t, native, th.NativeID())
	})
}

// Before a thread begins it is in the list of threads, and what needs the
// running thread waits for it, by any number of callers.
func TestThreadUsesWaitUntilItBegins(t *testing.T) {
	th := &Thread{kind: pinned, serial: newSerial(), start: &start{fn: func() {}}}
	records.add(th)
	started.Add(1)
	require.NoError(t, headroom.Pinned()) // is settled when it begins
	assert.NotContains(t, Threads(), th, "the system has not made it")
	th.made.Store(true)
	assert.Contains(t, Threads(), th)
	assert.True(t, th.Alive())
	uses := map[string]func(){
		"Ident":    func() { th.Ident() },
		"NativeID": func() { th.NativeID() },
		"SetName":  func() { _ = th.SetName("x") },
		"CPUTime":  func() { _, _ = th.CPUTime() },
		"String":   func() { _ = th.String() },
	}
	done := make(chan string, len(uses))
	for name, use := range uses {
		go func() { use(); done <- name }()
	}
	testutil.Await(func() bool {
		th.mu.Lock()
		defer th.mu.Unlock()
		return len(th.starters) == len(uses)
	})
	assert.Empty(t, done)
	go pinnedMain(th)
	for range uses {
		<-done
	}
	assert.NoError(t, th.Join())
	assert.NotContains(t, Threads(), th)
}

// An attribute that the system refuses is Start's error even so.
func TestStartWaitsForAnAttributeThatMayBeRefused(t *testing.T) {
	for name, a := range map[string]attrs{
		"affinity": {affinity: []int{0}}, "policy": {policy: PolicyOther}, "QoS": {qos: QoSUtility}, "nice": {nice: 1},
		"mask": {masked: true}, "apartment": {com: ApartmentSTA},
	} {
		assert.True(t, a.refusable(), name)
	}
	assert.False(t, (&attrs{name: "x", stack: 1 << 20, guard: 4096, detached: true}).refusable())
}

func TestCurrent(t *testing.T) {
	assert.Nil(t, Current(), "an ordinary goroutine")
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var inside *Thread
		th, err := Start(func() {
			inside = Current()
			child := make(chan *Thread)
			go func() { child <- Current() }()
			assert.Nil(t, <-child, "a goroutine that a body started")
			assert.Same(t, inside, Current(), "after the goroutine was off the processor")
		}, attr(Attr{}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
		assert.Same(t, th, inside)
	})
	assert.Nil(t, Current())
}

func TestSerialIsNotReused(t *testing.T) {
	seen := map[uint64]bool{}
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for range 100 {
			th, err := Start(func() {}, attr(Attr{}))
			require.NoError(t, err)
			require.NoError(t, th.Join())
			assert.False(t, seen[th.Serial()])
			seen[th.Serial()] = true
		}
	})
}

func TestJoinDistinguishesResults(t *testing.T) {
	hooked := quiet(t)
	boom := errors.New("boom")
	rows := []struct {
		name string
		body func()
		want error
	}{
		{"return", func() {}, nil},
		{"Exit", Exit, ErrExit},
		{"Goexit", runtime.Goexit, ErrGoexit},
		{"panic with an error", func() { panic(boom) }, boom},
		{"Exit that a recover would stop", func() { defer func() { _ = recover() }(); Exit() }, ErrExit},
		{
			"Goexit with locks left",
			func() { runtime.LockOSThread(); runtime.LockOSThread(); runtime.Goexit() },
			ErrGoexit,
		},
		{"return with locks left", func() { runtime.LockOSThread(); runtime.LockOSThread() }, nil},
		{"return with locks undone too often", func() { runtime.UnlockOSThread(); runtime.UnlockOSThread() }, nil},
		{"panic in a deferred call of Exit", func() { defer func() { panic(boom) }(); Exit() }, boom},
		{"recovered panic", func() { defer func() { _ = recover() }(); panic(boom) }, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				if row.name == "return with locks undone too often" && attr(Attr{}).Pinned {
					t.Skip("this unpins a pinned thread, as the documentation of runtime.UnlockOSThread says")
				}
				deferred := false
				th, err := Start(func() { defer func() { deferred = true }(); row.body() }, attr(Attr{}))
				require.NoError(t, err)
				for range 2 {
					assert.ErrorIs(t, th.Join(), row.want)
				}
				assert.True(t, deferred)
			})
		})
	}
	assert.NotZero(t, hooked.Load())
}

func TestThreadFailNowEndsTheThreadOnly(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th, err := Start((&testing.T{}).SkipNow, attr(Attr{}))
		require.NoError(t, err)
		assert.Equal(t, ErrGoexit, th.Join())
	})
}

func TestExitNeedsAThreadFromStart(t *testing.T) {
	assert.PanicsWithError(t, "thread: Exit: goroutine has no thread of its own", Exit)
	_, err := Attach()
	require.NoError(t, err)
	assert.Panics(t, Exit)
	require.NoError(t, Detach())
}

func TestThreadsHasEveryBegunThread(t *testing.T) {
	assert.Empty(t, Threads())
	var want []*Thread
	leave, attached, ended := make(chan struct{}), make(chan *Thread), make(chan struct{})
	go func() {
		defer close(ended)
		th, err := Attach()
		assert.NoError(t, err)
		attached <- th
		<-leave
		assert.NoError(t, Detach())
	}()
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		want = append(want, th)
	})
	want = append(want, <-attached)
	slices.SortFunc(want, func(a, b *Thread) int { return cmp.Compare(a.Serial(), b.Serial()) })
	assert.True(t, slices.Equal(want, Threads()))
	close(leave)
	<-ended
	for _, th := range want {
		_ = th.Join() // one is attached
		assert.False(t, slices.Contains(Threads(), th))
	}
}

func TestAttrErrorsNameTheValue(t *testing.T) {
	unsupported := func(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
	th, err := Start(func() {}, nil)
	require.NoError(t, err)
	require.NoError(t, th.Join())
	for want, err := range map[string]error{
		"processor -3": (&Attr{Affinity: []int{0, -3}}).Check(),
		fmt.Sprintf("is not in 0 to %d", osMaxCPUs-1): (&Attr{Affinity: []int{osMaxCPUs}}).Check(),
		"niceness 20 is not in -20 to 19":             (&Attr{Nice: 20}).Check(),
		"priority 1000 of policy other is not in":     (&Attr{Policy: PolicyOther, Priority: 1000}).Check(),
		"Policy(99)":         (&Attr{Policy: 99}).Check(),
		"1 bytes is not in":  (&Attr{StackSize: 1}).Check(),
		"guard of -7 bytes":  (&Attr{GuardSize: -7}).Check(),
		"priority 5 without": (&Attr{Priority: 5}).Check(),
		"affinity: no proc":  th.SetAffinity([]int{}),
	} {
		if !unsupported(err) {
			assert.ErrorContains(t, err, want)
		}
	}
	if osAffinity {
		_, err := Start(func() {}, &Attr{Affinity: []int{osMaxCPUs - 1}})
		if err != nil { // a machine may have it
			assert.ErrorContains(t, err, fmt.Sprintf("processors [%d]", osMaxCPUs-1))
			assert.ErrorIs(t, err, syscall.EINVAL)
			var e *os.SyscallError
			assert.ErrorAs(t, err, &e)
		}
	}
}

func TestStartRefusesABadAttr(t *testing.T) {
	_, most, err := osPriorityBounds(PolicyOther)
	plain := err == nil && most == 0 // time sharing has no priorities
	_, _, err = osPriorityBounds(PolicyFIFO)
	realTime := err == nil
	rows := []struct {
		name string
		attr Attr
		want error
		has  bool // the platform has what is asked for
	}{
		{"negative stack", Attr{StackSize: -1}, ErrStackSize, osNative},
		{"small stack", Attr{StackSize: MinStackSize - 1}, ErrStackSize, osNative},
		{"negative guard", Attr{GuardSize: -2}, ErrStackSize, osNative},
		{"guard as large as the stack", Attr{StackSize: 64 << 10, GuardSize: 64 << 10}, ErrStackSize, osNative},
		{"stack of a pinned thread", Attr{StackSize: 1 << 20, Pinned: true}, errors.ErrUnsupported, true},
		{"guard of a pinned thread", Attr{GuardSize: 1 << 20, Pinned: true}, errors.ErrUnsupported, true},
		{"affinity to none", Attr{Affinity: []int{}}, syscall.EINVAL, osAffinity},
		{"affinity to a negative", Attr{Affinity: []int{-1}}, syscall.EINVAL, osAffinity},
		{"affinity past the end", Attr{Affinity: []int{1 << 20}}, syscall.EINVAL, osAffinity},
		{"no such policy", Attr{Policy: 17}, syscall.EINVAL, true},
		{"negative policy", Attr{Policy: -1}, syscall.EINVAL, true},
		{"priority without a policy", Attr{Priority: 1}, syscall.EINVAL, true},
		{"priority of time sharing", Attr{Policy: PolicyOther, Priority: 1}, syscall.EINVAL, plain},
		{"real-time priority 0", Attr{Policy: PolicyFIFO}, syscall.EINVAL, realTime},
		{"real-time priority 100", Attr{Policy: PolicyRR, Priority: 100}, syscall.EINVAL, realTime},
		{"nice 20", Attr{Nice: 20}, syscall.EINVAL, osNice},
		{"nice -21", Attr{Nice: -21}, syscall.EINVAL, osNice},
		{"no such apartment", Attr{Apartment: 3}, syscall.EINVAL, osApartment},
		{"negative apartment", Attr{Apartment: -1}, syscall.EINVAL, osApartment},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			want := row.want
			if !row.has {
				if row.attr.Policy == PolicyOther {
					t.Skip("time sharing has priorities here")
				}
				want = errors.ErrUnsupported
			}
			_, err := Start(func() { t.Error("the body ran") }, &row.attr)
			assert.ErrorIs(t, err, want)
			assert.Equal(t, err, row.attr.Check())
			assert.Zero(t, NumThread())
			assert.Zero(t, records.count())
		})
	}
	_, err = Start(nil, nil)
	assert.ErrorIs(t, err, syscall.EINVAL)
	assert.NoError(t, (*Attr)(nil).Check())
	assert.NoError(t, new(Attr).Check())
}

func TestAttrMayChangeAfterStart(t *testing.T) {
	if !osAffinity {
		t.Skip("no affinity here")
	}
	a := &Attr{Affinity: []int{0}}
	leave := make(chan struct{})
	th, err := Start(func() { <-leave }, a)
	require.NoError(t, err)
	a.Affinity[0] = 1 << 20
	got, err := th.Affinity()
	assert.NoError(t, err)
	assert.Equal(t, []int{0}, got)
	close(leave)
	require.NoError(t, th.Join())
}

func TestStartDoesNotRetainTheBody(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		big := new([1 << 20]byte)
		collected := make(chan struct{})
		runtime.AddCleanup(big, func(struct{}) { close(collected) }, struct{}{})
		th, err := Start(func() { big[0] = 1 }, attr(Attr{}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
		big = nil
		for {
			runtime.GC()
			select {
			case <-collected:
				runtime.KeepAlive(th)
				return
			default:
				runtime.Gosched()
			}
		}
	})
}

func TestThreadString(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var inside string
		th, err := Start(func() { inside = Current().String() }, attr(Attr{Name: "x"}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
		assert.Contains(t, inside, `thread "x" (`)
		assert.Contains(t, inside, "running")
		assert.Contains(t, th.String(), "ended")
	})
}

var classes = []QoS{QoSBackground, QoSUtility, QoSDefault, QoSUserInitiated, QoSUserInteractive}

func TestQoSExcludesAPolicy(t *testing.T) {
	for _, q := range classes {
		assert.NoError(t, refuseQoS(q, PolicyInherit))
		for p := PolicyOther; p <= PolicyIdle; p++ {
			err := refuseQoS(q, p)
			assert.ErrorIs(t, err, syscall.EINVAL)
			assert.ErrorContains(t, err, q.String())
			assert.ErrorContains(t, err, p.String())
		}
	}
	for _, q := range []QoS{-1, QoSUserInteractive + 1} {
		assert.ErrorIs(t, refuseQoS(q, PolicyInherit), syscall.EINVAL)
		assert.Error(t, (&Attr{QoS: q}).Check(), "EINVAL where there are classes, else unsupported")
	}
	if !osQoS {
		return
	}
	assert.ErrorIs(t, (&Attr{QoS: QoSUtility, Policy: PolicyRR, Priority: 40}).Check(), syscall.EINVAL)
	run(t, &Attr{QoS: QoSUtility}, func() {
		require.NoError(t, Current().SetPriority(PolicyOther, 0))
		q, err := Current().QoS()
		assert.NoError(t, err)
		assert.Equal(t, QoSUnspecified, q, "a priority takes the thread out of the classes")
	})
}

func TestQoSHasNames(t *testing.T) {
	assert.Equal(t, "unspecified", QoSUnspecified.String())
	assert.Equal(t, "user-interactive", QoSUserInteractive.String())
	assert.Equal(t, "QoS(6)", QoS(6).String())
	assert.Equal(t, "QoS(-1)", QoS(-1).String())
}

func TestApartmentHasNames(t *testing.T) {
	for a, want := range map[Apartment]string{
		ApartmentNone: "none", ApartmentMTA: "MTA", ApartmentSTA: "STA", 7: "Apartment(7)", -1: "Apartment(-1)",
	} {
		assert.Equal(t, want, a.String())
	}
}

func TestZeroThreadIsNone(t *testing.T) {
	var th Thread
	assert.False(t, th.Alive())
	assert.Contains(t, th.String(), "ended")
	assert.Equal(t, ErrNotJoinable, th.Join())
	assert.Equal(t, ErrNotJoinable, th.TryJoin())
	assert.Equal(t, ErrNotJoinable, th.Detach())
	assert.Equal(t, ErrEnded, th.SetName("x"))
	assert.Empty(t, th.Name())
	assert.Equal(t, ErrEnded, th.SetPriority(PolicyOther, 0))
	_, err := th.CPUTime()
	assert.Equal(t, ErrEnded, err)
	if osNice {
		assert.Equal(t, ErrEnded, th.SetNice(1), "not the caller's")
	}
	if osAffinity {
		assert.Equal(t, ErrEnded, th.SetAffinity([]int{0}), "not the caller's")
	}
	th.Unpark()
}

func TestExitOnAnAttachedThreadSaysWhy(t *testing.T) {
	_, err := Attach()
	require.NoError(t, err)
	defer func() { assert.NoError(t, Detach()) }()
	defer func() {
		err, _ := recover().(error)
		assert.ErrorIs(t, err, ErrNotAttached)
		assert.EqualError(t, err, "thread: Exit: thread was not made by Start")
	}()
	Exit()
}
