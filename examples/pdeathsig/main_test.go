//go:build linux

package main

import (
	"bytes"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func TestChildLivesWhileItsThreadDoes(t *testing.T) {
	ended, err := kept()
	require.NoError(t, err)
	assert.NoError(t, ended)

	cmd, stdin, cancel, err := child()
	require.NoError(t, err)
	defer cancel()
	var out bytes.Buffer
	cmd.Stdout = &out
	wait, err := startOnThread(cmd)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, executor.RunIsolated(func() error { return exec.Command("true").Run() }))
		_, err := stdin.Write([]byte("alive\n"))
		require.NoError(t, err)
	}
	require.NoError(t, stdin.Close())
	assert.NoError(t, wait())
	assert.Equal(t, "alive\nalive\nalive\n", out.String())
}

func TestRunOnOneThreadIsEnough(t *testing.T) {
	cmd, stdin, cancel, err := child()
	require.NoError(t, err)
	defer cancel()
	go stdin.Close()
	assert.NoError(t, executor.RunIsolated(cmd.Run))
}

func TestChildIsKilledWhenItsThreadEnds(t *testing.T) {
	ended, err := abandoned()
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, ended, &exit)
	status := exit.Sys().(syscall.WaitStatus)
	assert.True(t, status.Signaled(), status)
	assert.Equal(t, syscall.SIGTERM, status.Signal())
}

func TestChildThatDoesNotStartLeavesNoThread(t *testing.T) {
	before := osthread.NumThread()
	_, err := startOnThread(exec.Command("./there/is/no/such/file"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.LessOrEqual(t, osthread.NumThread(), before)
}

func TestRunShowsBoth(t *testing.T) {
	var w strings.Builder
	require.NoError(t, run(&w))
	assert.Equal(t, `The thread that starts the child waits for it; Wait says: <nil>
The thread that starts the child ends; Wait says: signal: terminated
`, w.String())
}
