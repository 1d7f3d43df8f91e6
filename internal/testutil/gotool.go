package testutil

import (
	"os"
	"os/exec"
	"testing"
)

// GoTool returns what go tool prints. It skips t where there is no go command,
// or it cannot build its tools.
func GoTool(t testing.TB, tool string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
		return cmd.CombinedOutput()
	}
	if out, err := run("tool", "-n", tool); err != nil {
		t.Skipf("%v\n%s", err, out)
	}
	out, err := run(append([]string{"tool", tool}, args...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
