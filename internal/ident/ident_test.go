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
