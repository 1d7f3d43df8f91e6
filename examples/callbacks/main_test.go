//go:build cgo && !windows

package main

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

func TestTickerCountsCallsByThread(t *testing.T) {
	total, ended = 0, 0
	var w bytes.Buffer
	require.NoError(t, run(&w))
	assert.Equal(t, "4000 calls on 4 threads\n", w.String())
}

func TestTickerReportsPanicsAndContinues(t *testing.T) {
	var reported, calls atomic.Int64
	before := osthread.PanicHook()
	osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) {
		assert.Equal(t, "first", e.Value)
		reported.Add(1)
	})
	defer osthread.SetPanicHook(before)
	ticker, err := NewTicker(2, 3, func(n int) {
		calls.Add(1)
		if n == 0 {
			panic("first")
		}
	})
	require.NoError(t, err)
	ticker.Close()
	assert.EqualValues(t, 2, reported.Load())
	assert.EqualValues(t, 6, calls.Load())
}
