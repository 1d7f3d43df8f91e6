package ident

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Without a Setup, which only package thread calls, the slot is the table's.
func TestTableHasARowAThread(t *testing.T) {
	assert.False(t, Fast())
	const threads = 20
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range threads {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			assert.EqualValues(t, None, Slot())
			SetSlot(uintptr(i) + 1)
			ready.Done()
			<-start
			assert.EqualValues(t, i+1, Slot())
			SetSlot(uintptr(i) + 100)
			assert.EqualValues(t, i+100, Slot())
			SetSlot(None)
			assert.EqualValues(t, None, Slot())
			SetSlot(None)
		}()
	}
	ready.Wait()
	assert.EqualValues(t, threads, table.rows.Load())
	close(start)
	done.Wait()
	assert.Zero(t, table.rows.Load())
}

func TestSlotHoldsSerialAndRow(t *testing.T) {
	const last = 1<<RowBits - 1
	for _, serial := range []uint64{1, 1 << 15, 1 << 16, 1<<31 - 1} {
		slot := Make(serial, 0)
		assert.Zero(t, Row(slot))
		assert.Equal(t, serial, Serial(slot))
		for _, row := range []uintptr{1, 2, last - 1, last} {
			slot := Make(serial, row)
			assert.Equal(t, row, Row(slot))
			if SerialInSlot {
				assert.Equal(t, serial, Serial(slot))
			}
		}
	}
}

// A word of 32 bits holds 15 bits of a serial beside a row, and 31 without one.
func TestSlotsOfDistantSerialsDiffer(t *testing.T) {
	for _, apart := range []uint64{1 << 15, 1 << 16, 1 << 20, 1<<31 - 1} {
		assert.NotEqual(t, Make(1, 0), Make(1+apart, 0))
		assert.NotEqual(t, Make(1, 7), Make(1+apart, 8))
	}
}
