//go:build !plan9

package threadtest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/keep"
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
func extremeAttrs() map[string]thread.Attr {
	rows := map[string]thread.Attr{
		"no processor": {Affinity: []int{}}, "one processor often": {Affinity: make([]int, 1<<16)},
		"nil signal": {SignalMask: []os.Signal{nil}}, "foreign signal": {SignalMask: []os.Signal{foreignSignal{}}},
		"no signal": {SignalMask: []os.Signal{}},
	}
	for name, s := range extremeNames {
		rows["name "+name] = thread.Attr{Name: s}
	}
	for _, n := range extremeInts {
		for field, a := range map[string]thread.Attr{
			"StackSize": {StackSize: n}, "GuardSize": {GuardSize: n}, "Affinity": {Affinity: []int{n}}, "Policy": {Policy: thread.Policy(n)},
			"Priority": {Policy: thread.PolicyFIFO, Priority: n}, "Priority alone": {Priority: n}, "QoS": {QoS: thread.QoS(n)}, "Nice": {Nice: n},
			"SignalMask": {SignalMask: []os.Signal{syscall.Signal(n)}}, "Apartment": {Apartment: thread.Apartment(n)},
		} {
			rows[field+" "+time.Duration(n).String()] = a
		}
	}
	return rows
}

// isRefusal reports whether err is one that Start's docs name.
func isRefusal(err error) bool {
	var e *os.SyscallError
	return errors.As(err, &e) || errors.Is(err, thread.ErrStackSize) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, errors.ErrUnsupported)
}

// Whatever the attributes are, Start runs the thread or returns an error that
// it names, and then no thread is left.
func TestStartWithExtremeAttributes(t *testing.T) {
	for name, row := range extremeAttrs() {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
				a := attr(row)
				ran := false
				th, err := thread.Start(func() { ran = true }, a)
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
				assert.Zero(t, thread.NumThread())
				assert.Zero(t, keep.Records())
			})
		})
	}
}

func TestThreadSettersWithExtremeValues(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		leave := make(chan struct{})
		th, err := thread.Start(func() { <-leave }, attr(thread.Attr{}))
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
			assert.True(t, isRefusal(th.SetPriority(thread.Policy(n), 0)), n)
			assert.True(t, isRefusal(th.SetPriority(thread.PolicyFIFO, n)), n)
			if n != -1 { // Windows has that priority, and root may have that niceness
				assert.True(t, isRefusal(th.SetPriority(thread.PolicyOther, n)), n)
				assert.True(t, isRefusal(th.SetNice(n)), n)
			}
			assert.NotEmpty(t, thread.Policy(n).String()+thread.QoS(n).String()+thread.Apartment(n).String())
			if old, err := thread.SetStackSize(n); err == nil {
				_, err = thread.SetStackSize(old)
				assert.NoError(t, err)
			} else {
				assert.True(t, isRefusal(err), "%v", err)
			}
		}
		close(leave)
		assert.NoError(t, th.Join())
	})
}

func TestAttrSignalMaskRefusesInvalidSignals(t *testing.T) {
	want := error(syscall.EINVAL)
	if errors.Is((&thread.Attr{SignalMask: []os.Signal{}}).Check(), errors.ErrUnsupported) {
		want = errors.ErrUnsupported
	}
	for _, n := range []int{-1, 0, 65} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := &thread.Attr{SignalMask: []os.Signal{syscall.Signal(n)}}
			_, err := thread.Start(func() { t.Error("the body ran") }, a)
			assert.ErrorIs(t, err, want)
			assert.Equal(t, err, a.Check())
			assert.Zero(t, thread.NumThread())
			assert.Zero(t, keep.Records())
		})
	}
}
