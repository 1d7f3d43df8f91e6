package contender

import (
	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

// identities returns the contenders of an identity row. Go has no notion of a
// current thread; only the system's thread id is available, by a system call.
func identities(s scenario.Spec) []Contender {
	switch s.Op {
	case "current":
		return []Contender{
			{Baseline, true, of(func(c *crew) (sample.Sample, error) {
				return ask(c, native, func() {
					for range c.spec.Batch() {
						record = thread.Current()
					}
				})
			})},
			{"osthread.Thread", true, of(func(c *crew) (sample.Sample, error) {
				return ask(c, native, func() {
					for range c.spec.Batch() {
						high = osthread.Current()
					}
				})
			})},
		}
	case "ident":
		return []Contender{{Baseline, true, of(func(c *crew) (sample.Sample, error) {
			return ask(c, native, func() {
				for range c.spec.Batch() {
					ident = thread.Self()
				}
			})
		})}}
	case "nativeid":
		return append([]Contender{{Baseline, true, of(func(c *crew) (sample.Sample, error) {
			return ask(c, native, func() {
				for range c.spec.Batch() {
					id = thread.NativeID()
				}
			})
		})}}, systemCalls...)
	default:
		return []Contender{
			{Baseline, true, of(func(c *crew) (sample.Sample, error) {
				var key thread.Key[int]
				return ask(c, native, func() {
					if _, has := key.Get(); !has {
						_ = key.Set(1) // fails only in a goroutine that is not on a native thread
					}
					for range c.spec.Batch() {
						id, _ = key.Get()
					}
				})
			})},
			{"osthread.Local", true, of(func(c *crew) (sample.Sample, error) {
				var local osthread.Local[int]
				return ask(c, native, func() {
					if !local.Has() {
						local.Set(1)
					}
					for range c.spec.Batch() {
						id = local.Get()
					}
				})
			})},
		}
	}
}

// Sinks for the answers, so that the compiler does not remove the calls. Only
// one thread at a time writes them.
var (
	record *thread.Thread   //lint:ignore U1000 see above
	high   *osthread.Thread //lint:ignore U1000 see above
	ident  thread.Ident     //lint:ignore U1000 see above
	id     int              //lint:ignore U1000 see above
)

// ask makes one thread call batch, which asks Spec.Batch times, until the round
// is over.
func ask(c *crew, spawn spawner, batch func()) (sample.Sample, error) {
	return c.run(1, 1, spawn, func(_ int, t *tally) {
		for !c.over() {
			batch()
			t.add(c.spec.Batch())
		}
	})
}
