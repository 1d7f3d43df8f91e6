package timeline_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

// What the recorder costs the thread of an event, without the wait: cpu-ns/op
// is the thread's time on a processor, without that of the stream's goroutine.
// An event of a queue includes reading its length.
func BenchmarkEvent(b *testing.B) {
	var l osthread.Lock
	q := queue.New[int](1)
	memory := func(b *testing.B) *timeline.Recorder { return timeline.New(timeline.Options{}) }
	stream := func(b *testing.B) *timeline.Recorder {
		r, err := timeline.Start(io.Discard, timeline.Options{Events: 1 << 20})
		require.NoError(b, err)
		return r
	}
	for name, object := range map[string]any{"lock": &l, "queue": q} {
		for to, start := range map[string]func(b *testing.B) *timeline.Recorder{"memory": memory, "stream": stream} {
			b.Run("object="+name+"/to="+to, func(b *testing.B) {
				r := start(b)
				b.ReportAllocs()
				t, err := osthread.Go(func() error {
					pairs(b, r, object)
					return nil
				})
				require.NoError(b, err)
				require.NoError(b, t.Join())
				b.StopTimer()
				require.NoError(b, r.Stop())
				b.ReportMetric(float64(r.Dropped())/float64(b.N), "dropped/op")
			})
		}
	}
}

// pairs records b.N events: a Block, a Resume, a Release, and so on.
func pairs(b *testing.B, r *timeline.Recorder, object any) {
	self := osthread.Current()
	events := []osthread.TraceEvent{
		{Action: osthread.TraceBlock, Thread: self, Object: object},
		{
			Action: osthread.TraceResume, Thread: self, Object: object, Waited: time.Microsecond,
			Waker: self, Latency: time.Microsecond,
		},
		{Action: osthread.TraceRelease, Thread: self, Object: object},
	}
	before, err := self.CPUTime()
	b.ResetTimer()
	for i := range b.N {
		r.Event(events[i%len(events)])
	}
	b.StopTimer()
	if after, e := self.CPUTime(); err == nil && e == nil {
		b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
	}
}
