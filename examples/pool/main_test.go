package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPoolGetsConnectionsBackOnEveryPath(t *testing.T) {
	var w bytes.Buffer
	require.NoError(t, run(&w))
	assert.Equal(t, 6, strings.Count(w.String(), ": <nil>\n"), w.String())
	assert.Contains(t, w.String(), "worker-6: query refused\n")
	assert.Contains(t, w.String(), "worker-7: panic in thread \"worker-7\": out of luck\n")
	assert.Contains(t, w.String(), "worker-8: thread: body called runtime.Goexit\n")
	assert.Regexp(t, `9 threads, 3 connections: at most [1-3] were in use at once, now 0 are\n`, w.String())
	assert.True(t, strings.HasSuffix(w.String(), "with all 3 taken: context deadline exceeded\n"), w.String())
}

func TestPoolGetThatFailsTakesNothing(t *testing.T) {
	p := newPool(1)
	why := errors.New("no time")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	assert.ErrorIs(t, p.do(ctx, func(*conn) error { return errors.New("must not run") }), why)
	assert.NoError(t, p.do(context.Background(), (*conn).query))
	assert.Equal(t, 1, p.permits.Value())
	assert.Len(t, p.idle, 1)
}
