// Command explore runs the code of the primitives itself, not a model of it,
// under a scheduler that decides at every atomic operation which caller goes
// on. verify/README.md has how to use it.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

var (
	mutate = flag.Bool("mutants", false, "look for the mutants whose names -run selects")
	keep   = flag.String("o", "", "keep the program that runs the scenarios as this file")
	runs   = flag.String("run", "", "regexp of the names of scenarios")
)

// The flags of scenes, passed on.
func init() {
	flag.Int("preemptions", 2, "make all executions with at most so many preemptions")
	flag.Int("random", 0, "random executions of each scenario")
	flag.Int("pct", 0, "PCT executions of each scenario")
	flag.Uint64("seed", 1, "of the first random and PCT execution")
	flag.Duration("limit", time.Minute, "each search of a scenario ends by then")
	flag.String("replay", "", "repeat this execution of the scenario that -run selects")
	flag.Bool("quiet", false, "print violations only")
	flag.Bool("first", false, "end with the first violation")
}

func main() {
	flag.Parse()
	status, err := explore()
	if err != nil {
		fmt.Fprintln(os.Stderr, "explore:", err)
	}
	os.Exit(status)
}

func explore() (status int, err error) {
	if runtime.GOOS != "linux" {
		return 2, fmt.Errorf("the seams are those of Linux, not of %s", runtime.GOOS)
	}
	root, err := moduleRoot()
	if err != nil {
		return 2, err
	}
	folder, err := os.MkdirTemp("", "explore")
	if err != nil {
		return 2, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	b := builder{root, folder}
	if *mutate {
		return b.mutants(*runs)
	}
	program := *keep
	if program == "" {
		program = filepath.Join(folder, "scenes")
	}
	if err := b.build(program, nil); err != nil {
		return 2, err
	}
	return execute(program, passedOn()), nil
}

// passedOn returns the flags that were set and that are those of scenes.
func passedOn() (args []string) {
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "mutants" && f.Name != "o" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	return args
}

// execute runs program and returns its status.
func execute(program string, args []string) (status int) {
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return max(cmd.ProcessState.ExitCode(), 1)
	}
	return 0
}

// moduleRoot returns the folder of the module, which the working folder is in.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "example.com/thread").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// A builder makes programs out of the module at root, with files in folder.
type builder struct{ root, folder string }

// build builds the program that runs the scenarios, on code with the edits.
func (b builder) build(program string, edits []edit) error {
	folder, err := os.MkdirTemp(b.folder, "overlay")
	if err != nil {
		return err
	}
	list, err := newOverlay(b.root, folder, edits)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-overlay", list, "-o", program, "./verify/explore/scenes")
	cmd.Dir = b.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
