package osthread

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
)

func TestBarrierRounds(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		const parties, rounds = 4, 100
		var inRound [rounds]atomic.Int32
		actions := 0
		b := NewBarrier(parties, func() { actions++ })
		var seen [rounds]sync.Map
		for range parties {
			g.Run(func() {
				for r := range rounds {
					inRound[r].Add(1)
					i, err := b.Wait()
					assert.NoError(t, err)
					assert.EqualValues(t, parties, inRound[r].Load())
					_, twice := seen[r].LoadOrStore(i, true)
					assert.False(t, twice, "index %d twice", i)
				}
			})
		}
		g.Wait()
		assert.Equal(t, rounds, actions)
		assert.Equal(t, parties, b.Parties())
		assert.Zero(t, b.Waiting())
	})
}

func TestBarrierBreaks(t *testing.T) {
	tests := []struct {
		name  string
		how   func(b *Barrier) error
		heals bool
	}{
		{"Abort", func(b *Barrier) error { b.Abort(); b.Abort(); return ErrBroken }, false},
		{"Reset", func(b *Barrier) error { b.Reset(); return ErrBroken }, true},
		{"timeout", func(b *Barrier) error {
			_, err := b.WaitTimeout(time.Millisecond)
			assert.ErrorIs(t, err, ErrTimeout)
			return err
		}, false},
		{"no time", func(b *Barrier) error { _, err := b.TryWait(); return err }, false},
		{"done context", func(b *Barrier) error {
			_, err := b.WaitContext(canceledContext())
			assert.ErrorIs(t, err, errWhy)
			return err
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) {
				b := NewBarrier(3, nil)
				g.Run(func() {
					_, err := b.Wait()
					assert.ErrorIs(t, err, ErrBroken)
				})
				await(func() bool { return b.Waiting() == 1 })
				g.Run(func() { assert.ErrorIs(t, test.how(b), ErrBroken) })
				g.Wait()
				assert.Equal(t, !test.heals, b.Broken())
				if !test.heals {
					_, err := b.Wait()
					assert.ErrorIs(t, err, ErrBroken)
					b.Reset()
				}
				for range 3 {
					g.Run(func() {
						_, err := b.WaitTimeout(time.Hour)
						assert.NoError(t, err)
					})
				}
			})
		})
	}
	assert.ErrorIs(t, panicOf(func() { NewBarrier(0, nil) }), ErrCount)
}

func TestBarrierBreaksIfTheActionFails(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic(errWhy) }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			b := NewBarrier(2, fail)
			g := testutil.NewGroup(t, testutil.StartGoroutine)
			g.Run(func() {
				_, err := b.Wait()
				assert.ErrorIs(t, err, ErrBroken)
			})
			await(func() bool { return b.Waiting() == 1 })
			done := make(chan error)
			go func() {
				defer close(done)
				defer func() {
					if err, _ := recover().(error); err != nil {
						done <- err
					}
				}()
				_, _ = b.Wait()
			}()
			if name == "panic" {
				assert.ErrorIs(t, <-done, errWhy)
			}
			<-done
			g.Wait()
			assert.True(t, b.Broken())
		})
	}
}

// The last party succeeds even with a limit that has ended.
func TestBarrierLastPartyNeverTimesOut(t *testing.T) {
	b := NewBarrier(1, nil)
	i, err := b.TryWait()
	assert.NoError(t, err)
	assert.Zero(t, i)
}
