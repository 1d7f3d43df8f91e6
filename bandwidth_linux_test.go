package thread

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
)

var tenth = Bandwidth{Runtime: time.Millisecond, Deadline: 5 * time.Millisecond, Period: 10 * time.Millisecond}

// mayDeadline skips the test if the system refuses the policy, or does not have
// it (an emulator).
func mayDeadline(t *testing.T, err error) {
	t.Helper()
	for _, refused := range []error{syscall.EPERM, syscall.ENOSYS, syscall.EBUSY} {
		if errors.Is(err, refused) {
			t.Skip(err)
		}
	}
	if os.Getenv(leak.ExecEnv) != "" && err != nil {
		t.Skip("an emulator:", err)
	}
	require.NoError(t, err)
}

func TestThreadBandwidth(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{Policy: PolicyDeadline, Bandwidth: tenth}))
		mayDeadline(t, err)
		defer func() {
			close(leave)
			assert.NoError(t, th.Join())
			assert.Equal(t, ErrEnded, th.SetBandwidth(tenth))
			_, err := th.Bandwidth()
			assert.Equal(t, ErrEnded, err)
		}()
		b, err := th.Bandwidth()
		assert.NoError(t, err)
		assert.Equal(t, tenth, b)
		p, prio, err := th.Priority()
		assert.NoError(t, err)
		assert.Equal(t, PolicyDeadline, p)
		assert.Zero(t, prio)
		assert.Equal(t, 1, realTime.threads, "it has a place")
		half := Bandwidth{Runtime: 2 * time.Millisecond, Deadline: 20 * time.Millisecond}
		assert.NoError(t, th.SetBandwidth(half))
		half.Period = half.Deadline
		b, err = th.Bandwidth()
		assert.NoError(t, err)
		assert.Equal(t, half, b)

		for _, refused := range []error{
			th.SetPriority(PolicyDeadline, 0),
			th.SetBandwidth(Bandwidth{}),
			th.SetBandwidth(Bandwidth{Runtime: -1, Deadline: time.Second}),
			th.SetBandwidth(Bandwidth{Runtime: time.Second, Deadline: time.Millisecond}),
			th.SetBandwidth(Bandwidth{Runtime: time.Millisecond, Deadline: time.Second, Period: time.Millisecond}),
			(&Attr{Policy: PolicyDeadline}).Check(),
			(&Attr{Policy: PolicyDeadline, Bandwidth: tenth, Priority: 1}).Check(),
			(&Attr{Policy: PolicyFIFO, Priority: 1, Bandwidth: tenth}).Check(),
			(&Attr{Bandwidth: tenth}).Check(),
		} {
			assert.ErrorIs(t, refused, syscall.EINVAL)
		}
		b, err = th.Bandwidth()
		assert.NoError(t, err)
		assert.Equal(t, half, b, "unchanged")

		assert.NoError(t, th.SetPriority(PolicyOther, 0))
		b, err = th.Bandwidth()
		assert.NoError(t, err)
		assert.Zero(t, b)
	})
}

// A thread with the policy can create threads, which begin without it.
func TestThreadWithBandwidthStartsOthers(t *testing.T) {
	th, err := Start(func() {
		var p Policy
		child, err := Start(func() { p, _, _ = Current().Priority() }, nil)
		if assert.NoError(t, err) {
			assert.NoError(t, child.Join())
			assert.Equal(t, PolicyOther, p)
		}
	}, &Attr{Policy: PolicyDeadline, Bandwidth: tenth})
	mayDeadline(t, err)
	assert.NoError(t, th.Join())
}

func TestThreadResetOnFork(t *testing.T) {
	// Go's runtime creates the threads that are pinned, from one of its own.
	inherited := func(p Policy) Policy {
		if osNative {
			return p
		}
		return PolicyOther
	}
	child := func() (p Policy) {
		th, err := Start(func() { p, _, _ = Current().Priority() }, nil)
		if assert.NoError(t, err) {
			assert.NoError(t, th.Join())
		}
		return p
	}
	for _, reset := range []bool{false, true} {
		th, err := Start(func() {
			me := Current()
			want := inherited(PolicyFIFO)
			if reset {
				want = PolicyOther
			}
			assert.Equal(t, want, child())
			on, err := me.ResetOnFork()
			assert.NoError(t, err)
			assert.Equal(t, reset, on)

			assert.NoError(t, me.SetResetOnFork(true))
			assert.NoError(t, me.SetPriority(PolicyRR, 2))
			on, err = me.ResetOnFork()
			assert.NoError(t, err)
			assert.True(t, on, "SetPriority leaves it")
			p, prio, err := me.Priority()
			assert.NoError(t, err)
			assert.Equal(t, PolicyRR, p)
			assert.Equal(t, 2, prio)
			assert.Equal(t, PolicyOther, child())
			assert.NoError(t, me.SetResetOnFork(false))
			assert.Equal(t, inherited(PolicyRR), child())
		}, &Attr{Policy: PolicyFIFO, Priority: 1, ResetOnFork: reset})
		mayDeadline(t, err)
		assert.NoError(t, th.Join())
	}
}

// The kernel stops a thread that has used its runtime up.
func TestThreadBandwidthIsALimit(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for a second")
	}
	var used time.Duration
	began := time.Now()
	th, err := Start(func() {
		me := Current()
		for time.Since(began) < time.Second {
		}
		used, _ = me.CPUTime()
	}, &Attr{Policy: PolicyDeadline, Bandwidth: tenth})
	mayDeadline(t, err)
	require.NoError(t, th.Join())
	assert.Less(t, used, time.Since(began)/2)
}
