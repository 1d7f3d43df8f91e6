//go:build unix || windows

package leak

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// InChild runs body in a process of its own, which ends with status 0 when body
// returns and t has not failed. It returns what the process wrote.
func InChild(t *testing.T, body func()) string {
	t.Helper()
	out, err := Child(t, body)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// Child is InChild that lets the process end as it will.
func Child(t *testing.T, body func()) (string, error) {
	t.Helper()
	if os.Getenv(ChildEnv) == t.Name() {
		body()
		if t.Failed() {
			t.FailNow() // m.Run shows why
		}
		os.Exit(0)
	}
	// With cgo the runtime does not notice a deadlock. The child's own time
	// ends first, and shows its stacks.
	ctx, cancel := context.WithTimeout(t.Context(), timeout+10*time.Second)
	defer cancel()
	args := []string{
		"-test.run=^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$",
		"-test.timeout=" + timeout.String(),
	}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := Command(ctx, args...)
	cmd.Cancel = func() error { return quit(cmd.Process) }
	cmd.Env = append(os.Environ(), ChildEnv+"="+t.Name())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
