//go:build cgo && linux && !race

package queue

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// CPython's threads, which Go has not made, as callers: no value is lost, and nothing is left of a thread that has ended.
func TestThreadsOfCPythonAsCallers(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	library := filepath.Join(t.TempDir(), "load.so")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", library, "./testdata/cpython").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.CommandContext(t.Context(), python, "testdata/cpython/load.py", library).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "done\n", string(out))
}
