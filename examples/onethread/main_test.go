//go:build cgo

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorkerCallsOfAllGoroutinesReachTheLibrary(t *testing.T) {
	var w bytes.Buffer
	require.NoError(t, run(&w))
	assert.Equal(t, "total: 45\n", w.String())
}
