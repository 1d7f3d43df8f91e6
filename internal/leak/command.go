package leak

import (
	"context"
	"os"
	"os/exec"
	"strings"
)

// Command returns the command that runs this test binary with args.
func Command(ctx context.Context, args ...string) *exec.Cmd {
	all := append(strings.Fields(os.Getenv(ExecEnv)), os.Args[0])
	all = append(all, args...)
	return exec.CommandContext(ctx, all[0], all[1:]...)
}
