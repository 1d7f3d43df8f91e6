package timeline_test

import (
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/timeline"
)

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("Write") }

// Nobody could recover a panic on the goroutine of the recorder.
func TestStreamPanicOfTheWriterIsItsError(t *testing.T) {
	for name, w := range map[string]io.Writer{"panics": panicking{}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			r, err := timeline.Start(w, timeline.Options{Interval: 1})
			require.NoError(t, err)
			waits(t, r, "writes", new(osthread.Lock), 1000)
			var e *osthread.PanicError
			for range 2 {
				assert.ErrorAs(t, r.Stop(), &e)
			}
		})
	}
}

func TestRecorderReportsACounterThatPanicsOnce(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			reported, called := make(chan any, 10), make(chan bool)
			osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) { reported <- e.Value })
			defer osthread.SetPanicHook(nil)
			n := 0
			form(t, timeline.Options{Interval: 1, Counters: map[string]func() int{
				"bad": func() int { panic("counter") },
				"nil": nil,
				"well": func() int {
					if n++; n == 4 {
						close(called)
					}
					return n
				},
			}}, func(*timeline.Recorder) { <-called })
			assert.Len(t, reported, 2)
			assert.Equal(t, "counter", <-reported)
		})
	}
}

func TestRecorderOfAnyNumberOfEventsTakesBoundedMemory(t *testing.T) {
	for _, n := range []int{math.MinInt, -1, 1, 1 << 40 & math.MaxInt, math.MaxInt} {
		r := timeline.New(timeline.Options{Events: n})
		require.NoError(t, r.Start())
		require.NoError(t, r.Stop())
	}
}
