//go:build !js

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A violation ends the process of the test.
func TestSoakFindsNothing(t *testing.T) {
	s := newSoak(&strings.Builder{})
	s.time, s.seed, s.verbose = 5*time.Second, uint64(time.Now().UnixNano()%1e6), true
	if testing.Short() {
		s.time = time.Second
	}
	require.NoError(t, s.run())
	t.Log(s.out)
	assert.Contains(t, s.out.(*strings.Builder).String(), "no violation")
}

func TestSoakRefusesUnknownLoads(t *testing.T) {
	s := newSoak(os.Stdout)
	s.only = "no such load"
	assert.Error(t, s.run())
	s.only = "("
	assert.Error(t, s.run())
}
