//go:build linux

package thread

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const childEnv = "OSTHREAD_TEST_CHILD"

// inChild runs body in a process of its own, which ends with status 0 when body returns. It returns what the process wrote.
func inChild(t *testing.T, body func()) string {
	t.Helper()
	out, err := child(t, body)
	require.NoError(t, err, "%s", out)
	return out
}

// child is inChild that lets the process end as it will.
func child(t *testing.T, body func()) (string, error) {
	t.Helper()
	if os.Getenv(childEnv) == t.Name() {
		body()
		os.Exit(0)
	}
	// With cgo the runtime does not notice a deadlock; a child that hangs is told to show its stacks.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=90s")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
