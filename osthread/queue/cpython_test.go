//go:build cgo && linux && !race

package queue

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// CPython's threads, which Go did not create, use a queue: no value is lost and
// an ended thread leaves nothing behind.
func TestQueueServesThreadsOfCPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	skipOtherABI(t, python)
	library := filepath.Join(t.TempDir(), "load.so")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", library, "./testdata/cpython")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.CommandContext(t.Context(), python, "testdata/cpython/load.py", library).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "done\n", string(out))
}

// skipOtherABI skips the test if python cannot load a library that is built for
// the test's platform, because its processor or C library is another.
func skipOtherABI(t *testing.T, python string) {
	path, err := exec.CommandContext(t.Context(), python, "-c", "import sys; print(sys.executable)").Output()
	require.NoError(t, err)
	theirs, ours := abi(t, strings.TrimSpace(string(path))), abi(t, os.Args[0])
	if theirs != ours {
		t.Skipf("python3 is a program for %s, the test one for %s", theirs, ours)
	}
}

// abi returns a program's processor and the name of its loader, which
// identifies the C library.
func abi(t *testing.T, program string) string {
	f, err := elf.Open(program)
	require.NoError(t, err)
	defer f.Close()
	loader := "none"
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			_, err := p.ReadAt(b, 0)
			require.NoError(t, err)
			loader = filepath.Base(strings.TrimRight(string(b), "\x00"))
		}
	}
	return fmt.Sprintf("%v, loader %s", f.Machine, loader)
}
