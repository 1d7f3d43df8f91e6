//go:build cgo && linux

package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAudioHearsEveryBlock(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, 200*time.Millisecond))
	assert.Contains(t, out.String(), "150 blocks of 64 samples, 0 dropped")
	assert.Contains(t, out.String(), "longest stall")
}
