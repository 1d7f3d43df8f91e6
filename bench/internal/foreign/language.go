package foreign

// The languages: their sources, their tools, and how to build a program.

import (
	"context"
	_ "embed" // the sources
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/csrc"
)

// The sources are embedded, so that this program does not need its source tree.
var (
	//go:embed c/bench.c
	cSource []byte
	//go:embed rust/bench.rs
	rustSource []byte
	//go:embed java/Bench.java
	javaSource []byte
	//go:embed python/bench.py
	pythonSource []byte
)

// A language is one way to build a program.
type language struct {
	name   string
	file   string // file name of the source
	source []byte
	// build builds the program in dir, which has its source, and returns the
	// command that starts it.
	build func(ctx context.Context, dir, source string) (argv []string, err error)
}

var languages = []language{
	{"C", "bench.c", cSource, buildC},
	{osthreadH, "bench.c", cSource, buildOsthreadH},
	{"Rust", "bench.rs", rustSource, buildRust},
	{"Java", "Bench.java", javaSource, buildJava},
	{"Python", "bench.py", pythonSource, buildPython},
}

// osthreadH is C with the objects of this library in place of POSIX's.
const osthreadH = "osthread.h"

// Has reports whether the program in a language has a row of its own for s.
func Has(language string, s scenario.Spec) bool {
	if s.Kind != scenario.Shared {
		return language != osthreadH
	}
	return (language == osthreadH || language == "C") && s.Object != "event" && s.Object != "ring"
}

// Languages returns the names that [Start] accepts.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

// buildC uses the compiler that cgo would: $CC, else gcc, else cc.
func buildC(ctx context.Context, dir, source string) ([]string, error) {
	return buildCWith(ctx, dir, source)
}

// buildOsthreadH builds the same program with the headers of package csrc.
func buildOsthreadH(ctx context.Context, dir, source string) ([]string, error) {
	if err := os.CopyFS(dir, csrc.Headers); err != nil {
		return nil, err
	}
	return buildCWith(ctx, dir, source, "-DOSTHREAD", "-I", dir)
}

func buildCWith(ctx context.Context, dir, source string, more ...string) ([]string, error) {
	if cAbsent != "" {
		return nil, &sample.AbsentError{Why: cAbsent}
	}
	cc := strings.Fields(os.Getenv("CC")) // may have arguments: zig cc
	if len(cc) == 0 {
		path, err := find("gcc", "cc")
		if err != nil {
			return nil, err
		}
		cc = []string{path}
	} else if _, err := find(cc[0]); err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "bench")
	flags := append(cc[1:], "-std=gnu11", "-O2", "-pthread", "-o", program, source)
	flags = append(flags, more...)
	return []string{program}, compile(exec.CommandContext(ctx, cc[0], flags...))
}

func buildRust(ctx context.Context, dir, source string) ([]string, error) {
	rustc, err := find("rustc")
	if err != nil {
		return nil, err
	}
	ask := exec.CommandContext(ctx, rustc, "--version")
	version, err := ask.Output()
	if err != nil {
		var text []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			text = exit.Stderr
		}
		return nil, failure(ask, err, text)
	}
	program := filepath.Join(dir, "bench")
	// The flags are those of cargo build --release. The version of the standard
	// library is that of the compiler, which a program cannot query.
	cmd := exec.CommandContext(ctx, rustc, "--edition=2021", "-Copt-level=3", "-o", program, source)
	cmd.Env = append(os.Environ(), "BENCH_RUSTC="+strings.TrimSpace(string(version)))
	return []string{program}, compile(cmd)
}

func buildJava(ctx context.Context, dir, source string) ([]string, error) {
	javac, err := find("javac")
	if err != nil {
		return nil, err
	}
	java, err := find("java")
	if err != nil {
		return nil, err
	}
	// By default the JVM prints warnings to standard output, which is reserved
	// for answers.
	run := []string{java, "-Xlog:disable", "-Xlog:all=warning:stderr", "-cp", dir, "Bench"}
	return run, compile(exec.CommandContext(ctx, javac, "-d", dir, source))
}

func buildPython(_ context.Context, _, source string) ([]string, error) {
	python, err := find("python3", "python")
	return []string{python, source}, err
}

// find returns the path of the first of tools that is installed.
func find(tools ...string) (string, error) {
	for _, t := range tools {
		if path, err := exec.LookPath(t); err == nil {
			return path, nil
		}
	}
	return "", &sample.AbsentError{Why: "no " + strings.Join(tools, ", no ") + " in PATH"}
}

// compile runs a compiler.
func compile(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return failure(cmd, err, out)
	}
	return nil
}

// failure combines err with the beginning of what cmd printed; only the
// beginning of a long error is shown.
func failure(cmd *exec.Cmd, err error, text []byte) error {
	return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, text)
}
