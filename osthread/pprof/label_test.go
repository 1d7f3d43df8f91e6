//go:build !portablepark && !go1.28

package pprof_test

import (
	"bytes"
	rpprof "runtime/pprof"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

// labels returns the goroutine profile, which has the labels of all goroutines.
func labels(t *testing.T) string {
	var b bytes.Buffer
	require.NoError(t, rpprof.Lookup("goroutine").WriteTo(&b, 1))
	return b.String()
}

func TestThreadsOfPoolsAndWorkersHaveProfilerLabels(t *testing.T) {
	e, err := executor.New(executor.Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
	require.NoError(t, err)
	defer e.Close()
	f, err := executor.Submit(e, func() (string, error) { return labels(t), nil })
	require.NoError(t, err)
	of, err := f.Result()
	require.NoError(t, err)
	assert.Contains(t, of, `"thread":"pool_0"`)

	w, err := executor.NewWorker(&osthread.Attr{Name: "worker"})
	require.NoError(t, err)
	defer w.Close()
	of, err = executor.Call(w, func() (string, error) { return labels(t), nil })
	require.NoError(t, err)
	assert.Contains(t, of, `"thread":"worker"`)
}

func TestThreadHasItsDefaultNameAsProfilerLabel(t *testing.T) {
	var of string
	th, err := osthread.Go(func() error { of = labels(t); return nil })
	require.NoError(t, err)
	require.NoError(t, th.Join())
	assert.Contains(t, of, `"thread":"`+th.Name()+`"`)
}
