//go:build !plan9

package thread

import (
	"errors"
	"math"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"example.com/thread/internal/testutil"
)

// For any attributes Check returns nil or an error of a known kind, and so does
// Start, which fails where Check does. The thread has its name.
func FuzzAttr(f *testing.F) {
	f.Add("", 0, 0, 0, 0, 0, int64(0), []byte(nil), false)
	f.Add("a name of more than 15 bytes\x00\xff", 1<<16, -1, 3, 99, -20, int64(-1), []byte{0, 1, 255}, true)
	f.Add("\x00", math.MinInt, math.MaxInt/2, -1, math.MinInt, math.MaxInt/2, int64(1<<62), []byte{7}, false)
	f.Add("worker", 1, 4095, 6, math.MaxInt32, 19, int64(1), []byte{0, 0}, true)
	f.Fuzz(func(
		t *testing.T,
		name string,
		stack, guard, policy, priority, nice int,
		slack int64,
		cpus []byte,
		pinned bool,
	) {
		a := &Attr{
			Name: name, StackSize: stack, GuardSize: guard, Policy: Policy(policy), Priority: priority, Nice: nice,
			TimerSlack: time.Duration(slack), Pinned: pinned,
		}
		for _, cpu := range cpus {
			a.Affinity = append(a.Affinity, int(int8(cpu))*257)
		}
		checked := a.Check()
		mustBeKnown(t, checked)
		if stack > 1<<20 || guard > 1<<20 || a.Policy != PolicyInherit || nice < 0 {
			return // it would be given much of the machine
		}
		th, err := Start(func() {}, a)
		mustBeKnown(t, err)
		if err != nil {
			return
		}
		if checked != nil {
			t.Errorf("Start succeeds; Check: %v", checked)
		}
		if name != "" && th.Name() != name {
			t.Errorf("got the name %q, want %q", th.Name(), name)
		}
		if err := th.Join(); err != nil {
			t.Error(err)
		}
	})
}

// mustBeKnown checks that err is nil or an error that callers can tell apart.
func mustBeKnown(t *testing.T, err error) {
	t.Helper()
	var errno syscall.Errno
	known := errors.Is(err, ErrStackSize) || errors.Is(err, errors.ErrUnsupported) || errors.As(err, &errno)
	if err != nil && !known {
		t.Errorf("unknown error: %v", err)
	}
}

// A SignalSet is a set of the numbers 1 to 64, for any bits; With panics with
// EINVAL for any other.
func FuzzSignalSet(f *testing.F) {
	f.Add(uint64(0), uint64(1), 1)
	f.Add(^uint64(0), uint64(1)<<63, 64)
	f.Add(uint64(1)<<62, ^uint64(0), 65)
	f.Add(uint64(5), uint64(0), math.MinInt)
	f.Fuzz(func(t *testing.T, x, y uint64, n int) {
		s, o, sig := SignalSet(x), SignalSet(y), syscall.Signal(n)
		if got := Signals(s.List()...); got != s {
			t.Errorf("Signals(%v.List()) is %v", s, got)
		}
		if len(s.List()) != s.Len() || s.IsEmpty() != (s.Len() == 0) || s.IsEmpty() != (s.String() == "") {
			t.Errorf("%v has %d of %d signals", s, len(s.List()), s.Len())
		}
		if got := s.Minus(o).Union(s.Intersect(o)); got != s {
			t.Errorf("what %v has without and with %v is %v", s, o, got)
		}
		err := testutil.PanicOf(func() { _ = s.With(sig) })
		if valid := 1 <= n && n <= maxSignal; valid != (err == nil) || !valid && !errors.Is(err, syscall.EINVAL) {
			t.Fatalf("With(%d): %v", n, err)
		}
		if err == nil {
			with, one := s.With(sig), Signals(sig)
			if !with.Has(sig) || !slices.Contains(with.List(), os.Signal(sig)) || with.Minus(one) != s.Minus(one) {
				t.Errorf("%v with %v is %v", s, sig, with)
			}
		} else if s.Has(sig) {
			t.Errorf("%v has %v", s, sig)
		}
	})
}
