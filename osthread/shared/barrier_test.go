//go:build !plan9

package shared

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBarrierLetsThroughWhenAllHaveArrived(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		const parties, rounds = 4, 200
		b := new(Barrier)
		require.NoError(t, b.Init(parties, processShared))
		var arrived, serials atomic.Int32
		var wg sync.WaitGroup
		for range parties {
			wg.Go(func() {
				for round := range int32(rounds) {
					arrived.Add(1)
					serial, err := b.Wait()
					assert.NoError(t, err)
					assert.GreaterOrEqual(t, arrived.Load(), (round+1)*parties)
					if serial {
						serials.Add(1)
					}
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, rounds, serials.Load(), "one a round")
		waiting, err := b.Waiting()
		assert.NoError(t, err)
		assert.Zero(t, waiting)
	})
}

func TestBarrierOfOneDoesNotWait(t *testing.T) {
	watch(t)
	b := new(Barrier)
	require.NoError(t, b.Init(1, false))
	for _, wait := range []func() (bool, error){
		b.Wait,
		func() (bool, error) { return b.WaitTimeout(-1) },
		func() (bool, error) { return b.WaitUntil(Deadline{}) },
		func() (bool, error) { return b.WaitContext(context.Background()) },
	} {
		serial, err := wait()
		assert.NoError(t, err)
		assert.True(t, serial)
	}
}

// A party whose time is over is as if it had not arrived.
func TestBarrierTimeoutTakesThePartyBack(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		b := new(Barrier)
		require.NoError(t, b.Init(2, processShared))
		endsInTime(
			t,
			func(d time.Duration) error { _, err := b.WaitTimeout(d); return err },
			func(d Deadline) error { _, err := b.WaitUntil(d); return err },
			func(ctx context.Context) error { _, err := b.WaitContext(ctx); return err },
		)
		waiting, err := b.Waiting()
		assert.NoError(t, err)
		assert.Zero(t, waiting)
		done := make(chan bool)
		go func() {
			serial, err := b.Wait()
			assert.NoError(t, err)
			done <- serial
		}()
		eventually(t, "it has arrived", func() bool { n, _ := b.Waiting(); return n == 1 })
		assert.Contains(t, b.String(), ", 1 of 2)")
		serial, err := b.WaitTimeout(0) // the last one
		assert.NoError(t, err)
		assert.True(t, serial)
		assert.False(t, <-done)
	})
}

// Parties that give up at any moment pass in the same rounds as the others.
func TestBarrierTimeoutIsNotBothPassedAndTakenBack(t *testing.T) {
	watch(t)
	b := new(Barrier)
	require.NoError(t, b.Init(2, false))
	const rounds = 300
	var passed [2]int
	var wg sync.WaitGroup
	for i := range passed {
		wg.Go(func() {
			for n := 0; passed[i] < rounds; n++ {
				d := time.Duration(n%50) * time.Microsecond
				if i == 0 {
					d = time.Duration(math.MaxInt64)
				}
				_, err := b.WaitTimeout(d)
				if err == nil {
					passed[i]++
					continue
				}
				assert.ErrorIs(t, err, ErrTimeout)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, uint64(rounds)<<32, b.word.Load())
}

func TestBarrierInitChecksItsArguments(t *testing.T) {
	b := new(Barrier)
	for _, n := range []int{math.MinInt, -1, 0} {
		assert.ErrorIs(t, b.Init(n, false), ErrCount, n)
	}
	if !canShare() {
		assert.ErrorIs(t, b.Init(1, true), ErrUnsupported)
	}
}

func TestBarrierSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	for name, corrupt := range map[string]func(*Barrier){
		"another type":      func(b *Barrier) { b.attr.word.Store(semMark) },
		"too many parties":  func(b *Barrier) { b.parties.Store(math.MaxUint32) },
		"too many arrived":  func(b *Barrier) { b.word.Store(3) },
		"all have arrived":  func(b *Barrier) { b.word.Store(2) },
		"no parties at all": func(b *Barrier) { b.parties.Store(0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := new(Barrier)
			require.NoError(t, b.Init(2, false))
			corrupt(b)
			_, err := b.Wait()
			assert.ErrorIs(t, err, ErrCorrupt)
			_, err = b.WaitTimeout(time.Second)
			assert.ErrorIs(t, err, ErrCorrupt)
			_, err = b.Waiting()
			assert.ErrorIs(t, err, ErrCorrupt)
			assert.Contains(t, b.String(), "corrupt")
		})
	}
}

func TestBarrierGenerationWraps(t *testing.T) {
	watch(t)
	b := new(Barrier)
	require.NoError(t, b.Init(2, false))
	b.word.Store(math.MaxUint32 << 32)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			_, err := b.Wait()
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Zero(t, b.word.Load())
}
