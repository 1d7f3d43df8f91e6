//go:build !plan9

package shared_test

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread/shared"
)

// within fails the test if f does not return, with all stacks.
func within(t testing.TB, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		stacks := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// kinds runs f for rings of bytes and of records, private and shared.
func kinds(t *testing.T, f func(t *testing.T, attr shared.RingAttr)) {
	for name, attr := range map[string]shared.RingAttr{
		"bytes":          {},
		"records":        {Records: true},
		"bytes shared":   {ProcessShared: true},
		"records shared": {Records: true, ProcessShared: true},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := shared.NewRing(memory(1024), 64, attr); err != nil {
				require.ErrorIs(t, err, shared.ErrUnsupported)
				t.Skip(err)
			}
			f(t, attr)
		})
	}
}

// fill writes until there is no room.
func fill(t testing.TB, r shared.Ring, w *shared.RingWriter) {
	t.Helper()
	for {
		if _, err := w.TryWrite(make([]byte, r.Max())); err != nil {
			require.ErrorIs(t, err, shared.ErrBusy)
			return
		}
	}
}

// Two goroutines pass bytes through a small ring: both wait, again and again.
func TestRingWaitsLoseNothing(t *testing.T) {
	total := 300_000
	if testing.Short() {
		total = 30_000
	}
	kinds(t, func(t *testing.T, attr shared.RingAttr) {
		r, _ := newRing(t, 64, attr)
		w, rd := sides(t, r)
		go func() {
			buf := make([]byte, 24)
			for i := 0; i < total; {
				n := min(1+i%len(buf), total-i)
				for k := range n {
					buf[k] = byte(i + k)
				}
				n, err := w.Write(buf[:n])
				if !assert.NoError(t, err) {
					break
				}
				i += n
			}
			assert.NoError(t, w.Close())
		}()
		within(t, func() {
			buf := make([]byte, 64)
			got := 0
			for {
				n, err := rd.Read(buf)
				if err == io.EOF {
					break
				}
				if !assert.NoError(t, err) {
					break
				}
				for k := range n {
					if buf[k] != byte(got+k) {
						assert.Equal(t, byte(got+k), buf[k])
						return
					}
				}
				got += n
			}
			assert.Equal(t, total, got)
		})
	})
}

func TestRingWaitsEndWithTheirLimits(t *testing.T) {
	const d = 3 * time.Millisecond
	kinds(t, func(t *testing.T, attr shared.RingAttr) {
		r, _ := newRing(t, 64, attr)
		w, rd := sides(t, r)
		fill(t, r, w)
		other, err := shared.NewRing(memory(1024), 64, attr)
		require.NoError(t, err)
		_, empty := sides(t, other)
		buf := make([]byte, 64)
		for name, wait := range map[string]func(ctx context.Context) error{
			"reader timeout": func(context.Context) error { return empty.WaitTimeout(d) },
			"reader context": func(ctx context.Context) error { return empty.WaitContext(ctx) },
			"reader until":   func(context.Context) error { return empty.WaitUntil(shared.Realtime.After(d)) },
			"writer timeout": func(context.Context) error { return w.WaitRoomTimeout(r.Max(), d) },
			"writer context": func(ctx context.Context) error { return w.WaitRoomContext(ctx, r.Max()) },
			"writer until":   func(context.Context) error { return w.WaitRoomUntil(r.Max(), shared.Monotonic.After(d)) },
			"read timeout":   func(context.Context) error { _, err := empty.ReadTimeout(buf, d); return err },
			"read context":   func(ctx context.Context) error { _, err := empty.ReadContext(ctx, buf); return err },
			"read until":     func(context.Context) error { _, err := empty.ReadUntil(buf, shared.Monotonic.After(d)); return err },
			"write timeout":  func(context.Context) error { _, err := w.WriteTimeout(buf[:r.Max()], d); return err },
			"write context":  func(ctx context.Context) error { _, err := w.WriteContext(ctx, buf[:r.Max()]); return err },
			"write until": func(context.Context) error {
				_, err := w.WriteUntil(buf[:r.Max()], shared.Monotonic.After(d))
				return err
			},
		} {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), d)
			var err error
			within(t, func() { err = wait(ctx) })
			want := shared.ErrTimeout
			if strings.HasSuffix(name, "context") {
				want = context.DeadlineExceeded
			}
			assert.ErrorIs(t, err, want, name)
			assert.GreaterOrEqual(t, time.Since(began), d-time.Millisecond, name)
			cancel()
		}
		assert.ErrorIs(t, empty.WaitTimeout(0), shared.ErrTimeout)
		assert.ErrorIs(t, w.WaitRoomTimeout(1, -1), shared.ErrTimeout)
		assert.ErrorIs(t, w.WaitRoom(r.Max()+1), shared.ErrTooLong)
		assert.ErrorIs(t, w.WaitRoom(-1), shared.ErrTooLong)
		assert.Error(t, empty.WaitUntil(shared.Deadline{Clock: 99}))
		assert.Error(t, w.WaitRoomUntil(1, shared.Deadline{Clock: 99}))
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, empty.WaitContext(canceled), context.Canceled)
		assert.ErrorIs(t, w.WaitRoomContext(canceled, 1), context.Canceled)
		// Nothing was lost by the waits that ended.
		assert.NoError(t, rd.WaitTimeout(0))
		n, err := rd.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, r.Max(), n)
		assert.NoError(t, w.WaitRoom(r.Max()))
	})
}

func TestRingCloseWakesTheOtherSide(t *testing.T) {
	kinds(t, func(t *testing.T, attr shared.RingAttr) {
		for range 50 {
			r, _ := newRing(t, 64, attr)
			w, rd := sides(t, r)
			go func() { assert.NoError(t, w.Close()) }()
			within(t, func() { assert.Equal(t, io.EOF, rd.Wait()) })

			r, _ = newRing(t, 64, attr)
			w, rd = sides(t, r)
			fill(t, r, w)
			go func() { assert.NoError(t, rd.Close()) }()
			within(t, func() { assert.ErrorIs(t, w.WaitRoom(r.Max()), shared.ErrClosed) })
		}
	})
}

func TestRingWaitReturnsErrCorrupt(t *testing.T) {
	for _, attr := range []shared.RingAttr{{}, {Records: true}} {
		r, mem := newRing(t, 64, attr)
		w, rd := sides(t, r)
		put(mem, atTail, 1<<20)
		within(t, func() { assert.ErrorIs(t, rd.Wait(), shared.ErrCorrupt) })
		put(mem, atTail, 0)
		fill(t, r, w)
		put(mem, atHead, 1<<20)
		within(t, func() { assert.ErrorIs(t, w.WaitRoom(r.Max()), shared.ErrCorrupt) })
	}
}
