//go:build !js

package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/buildinfo"
)

func TestChurnLeavesNothing(t *testing.T) {
	if buildinfo.Sanitized {
		t.Skip("a sanitizer keeps what is freed")
	}
	n := 2000
	if testing.Short() {
		n = 200
	}
	var out strings.Builder
	require.NoError(t, churn(&out, n, ""), &out)
	t.Log("\n" + out.String())
}

func TestChurnFindsWhatGrows(t *testing.T) {
	var stop []chan struct{}
	defer func() {
		for _, c := range stop {
			close(c)
		}
	}()
	k := kind{"goroutines that stay", func(n int) error {
		for range n {
			c := make(chan struct{})
			stop = append(stop, c)
			go func() { <-c }()
		}
		return nil
	}}
	defer func(d time.Duration) { settling = d }(settling)
	settling = time.Millisecond
	err := k.run(&strings.Builder{}, 20)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "goroutines grow")
}

func TestChurnRefusesUnknownKinds(t *testing.T) {
	assert.Error(t, churn(&strings.Builder{}, 10, "no such kind"))
	assert.Error(t, churn(&strings.Builder{}, 10, "("))
	failed := errors.New("failed")
	k := kind{"", func(int) error { return failed }}
	assert.ErrorIs(t, k.run(&strings.Builder{}, 10), failed)
}
