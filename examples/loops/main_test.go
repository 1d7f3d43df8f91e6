package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoopsRunInEachWay(t *testing.T) {
	var w bytes.Buffer
	require.NoError(t, run(&w))
	ways := strings.Split(w.String(), "By ")
	require.Len(t, ways, 4)
	assert.Empty(t, ways[0])
	for _, way := range ways[1:] {
		for _, name := range []string{"long", "short"} {
			began, ended := strings.Index(way, "  "+name+": start\n"), strings.Index(way, "  "+name+": done")
			assert.GreaterOrEqual(t, began, 0, way)
			assert.Greater(t, ended, began, way)
		}
	}
	assert.Contains(t, w.String(), "below 1000000 there are 78498 primes\n")
	assert.Contains(t, w.String(), "below 250000 there are 22044 primes\n")
	assert.True(t, strings.HasSuffix(w.String(), "All done.\n"))
}
