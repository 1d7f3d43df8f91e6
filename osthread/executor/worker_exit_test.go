//go:build unix || windows

package executor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread"
)

// The end of the process lets workers do what they have to, and does not wait
// for daemons.
func TestWorkerAtExit(t *testing.T) {
	out, err := leak.Child(t, func() {
		w, err := NewWorker(nil)
		if err != nil {
			panic(err)
		}
		daemon, err := NewWorker(&osthread.Attr{Daemon: true})
		if err != nil {
			panic(err)
		}
		_ = daemon.Go(func() { select {} })
		_ = w.Go(func() { println("first") })
		_ = w.Go(func() { println("second") })
		running, err := osthread.Shutdown(context.Background())
		println(len(running), err == nil)
		_, err = NewWorker(nil)
		println(errors.Is(err, osthread.ErrShutdown))
	})
	require.NoError(t, err, "%s", out)
	assert.Contains(t, out, "first\nsecond\n0 true\ntrue")
}
