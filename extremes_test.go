//go:build !plan9

package thread

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// foreignSignal is an os.Signal of another maker.
type foreignSignal struct{}

func (foreignSignal) String() string { return "foreign" }
func (foreignSignal) Signal()        {}

var extremeInts = []int{math.MinInt, math.MinInt32, -1000, -1, 0, 1, 1000, math.MaxInt32, math.MaxInt}

var extremeNames = map[string]string{
	"NUL": "\x00", "NUL inside": "a\x00b", "no UTF-8": "\xff\xfe\x80", "continuations": strings.Repeat("\x80", 100),
	"newline": "a\nb", "bracket": "a) R 1 (", "huge": strings.Repeat("näme", 1<<18), "percent": "%s%n",
}

// extremeAttrs has a row for each kind of value that an attribute may have been
// given by mistake.
func extremeAttrs() map[string]Attr {
	rows := map[string]Attr{
		"no processor": {Affinity: []int{}}, "one processor often": {Affinity: make([]int, 1<<16)},
		"nil signal": {SignalMask: []os.Signal{nil}}, "foreign signal": {SignalMask: []os.Signal{foreignSignal{}}},
		"no signal": {SignalMask: []os.Signal{}},
	}
	for name, s := range extremeNames {
		rows["name "+name] = Attr{Name: s}
	}
	for _, n := range extremeInts {
		for field, a := range map[string]Attr{
			"StackSize": {StackSize: n}, "GuardSize": {GuardSize: n}, "Affinity": {Affinity: []int{n}}, "Policy": {Policy: Policy(n)},
			"Priority": {Policy: PolicyFIFO, Priority: n}, "Priority alone": {Priority: n}, "QoS": {QoS: QoS(n)}, "Nice": {Nice: n},
			"SignalMask": {SignalMask: []os.Signal{syscall.Signal(n)}}, "Apartment": {Apartment: Apartment(n)},
		} {
			rows[field+" "+time.Duration(n).String()] = a
		}
	}
	return rows
}

// isRefusal reports whether err is one that Start's docs name.
func isRefusal(err error) bool {
	var e *os.SyscallError
	return errors.As(err, &e) || errors.Is(err, ErrStackSize) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, errors.ErrUnsupported)
}

// Whatever the attributes are, Start runs the thread or returns an error that
// it names, and then no thread is left.
func TestStartWithExtremeAttributes(t *testing.T) {
	for name, row := range extremeAttrs() {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				a := attr(row)
				ran := false
				th, err := Start(func() { ran = true }, a)
				if refused := a.Check(); refused != nil {
					require.Error(t, err)
					assert.EqualError(t, err, refused.Error())
				}
				if err != nil {
					assert.Nil(t, th)
					assert.True(t, isRefusal(err), "%v", err)
					assert.NotContains(t, err.Error(), "\n")
				} else {
					assert.Equal(t, row.Name, th.Name())
					assert.NoError(t, th.Join())
				}
				assert.Equal(t, err == nil, ran)
				assert.Zero(t, NumThread())
				assert.Zero(t, records.count())
			})
		})
	}
}

func TestSettersWithExtremeValues(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		for _, s := range extremeNames {
			before := th.Name()
			if err := th.SetName(s); err != nil {
				assert.True(t, isRefusal(err), "%v", err)
				s = before
			}
			assert.Equal(t, s, th.Name())
			assert.NotEmpty(t, th.String())
		}
		for _, n := range extremeInts {
			if n == 0 || n == 1 { // those may be had
				continue
			}
			assert.True(t, isRefusal(th.SetAffinity([]int{n})), n)
			assert.True(t, isRefusal(th.SetPriority(Policy(n), 0)), n)
			assert.True(t, isRefusal(th.SetPriority(PolicyFIFO, n)), n)
			if n != -1 { // Windows has that priority, and root may have that niceness
				assert.True(t, isRefusal(th.SetPriority(PolicyOther, n)), n)
				assert.True(t, isRefusal(th.SetNice(n)), n)
			}
			assert.NotEmpty(t, Policy(n).String()+QoS(n).String()+Apartment(n).String())
			if old, err := SetStackSize(n); err == nil {
				_, err = SetStackSize(old)
				assert.NoError(t, err)
			} else {
				assert.True(t, isRefusal(err), "%v", err)
			}
		}
		close(leave)
		assert.NoError(t, th.Join())
	})
}

func TestJoinWithExtremeTimes(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		for _, d := range []time.Duration{math.MinInt64, -1, 0, 1} {
			assert.Equal(t, ErrTimeout, th.JoinTimeout(d), d)
		}
		past, cancel := context.WithDeadline(t.Context(), time.Time{})
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, th.JoinContext(past))
		far, cancel := context.WithDeadline(t.Context(), time.Unix(1<<62, 0))
		defer cancel()
		joined := make(chan error)
		go func() { joined <- th.JoinTimeout(math.MaxInt64) }()
		go func() { joined <- th.JoinContext(far) }()
		for th.waiting() < 2 {
			runtime.Gosched()
		}
		close(leave)
		assert.NoError(t, <-joined)
		assert.NoError(t, <-joined)
		for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
			assert.NoError(t, th.JoinTimeout(d), d)
		}
		assert.Equal(t, context.DeadlineExceeded, th.JoinContext(past))
	})
}
