package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

func TestBufferDeliversAllItems(t *testing.T) {
	var w bytes.Buffer
	require.NoError(t, run(&w))
	assert.Regexp(t, `^consumer-0 got \d+ items
consumer-1 got \d+ items
3 producers made 30000 items, 2 consumers got 30000
the buffer held [1-8] at most, and has room for 8
$`, w.String())
}

func TestBufferKeepsOrderAndLimit(t *testing.T) {
	b := newBuffer[int](2)
	producer, err := osthread.Go(func() error {
		defer b.close()
		for v := range 100 {
			if err := b.put(v); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	for want := range 100 {
		v, ok := b.get()
		assert.True(t, ok)
		assert.Equal(t, want, v)
	}
	_, ok := b.get()
	assert.False(t, ok)
	assert.LessOrEqual(t, b.most, 2)
	assert.NoError(t, producer.Join())
}

func TestBufferCloseEndsBlockedPuts(t *testing.T) {
	b := newBuffer[string](1)
	require.NoError(t, b.put("first"))
	producer, err := osthread.Go(func() error { return b.put("second") })
	require.NoError(t, err)
	b.close()
	assert.ErrorIs(t, producer.Join(), errClosed)
	v, ok := b.get()
	assert.True(t, ok)
	assert.Equal(t, "first", v)
}
