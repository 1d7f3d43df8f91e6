//go:build unix

package inspect_test

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread/inspect"
)

func TestOnSignalDumpsToStderr(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	stderr := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	stop := inspect.OnSignal(syscall.SIGUSR1)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	line, err := bufio.NewReader(r).ReadString('\n')
	assert.NoError(t, err)
	assert.True(t, strings.HasPrefix(line, "Process "), line)
	go func() { stop(); w.Close() }()
	_, _ = bufio.NewReader(r).ReadString(0) // the rest, until stop has returned
	stop()
}
