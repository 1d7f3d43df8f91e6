package field

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/foreign"
	"example.com/thread/bench/internal/scenario"
)

var lock = []scenario.Spec{{Kind: scenario.Lock, Threads: 1, Procs: 2}}

// open opens a field with the tools of one folder only.
func open(t *testing.T, tools string) *Field {
	t.Helper()
	t.Setenv("PATH", tools)
	t.Setenv("CC", "")
	f, err := Open(t.Context(), lock, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func checkAbsent(t *testing.T, f *Field, why string) {
	t.Helper()
	languages := 0
	for _, l := range foreign.Languages() {
		if foreign.Has(l, lock[0]) {
			languages++
		}
	}
	if got := f.Absent(); len(got) != languages {
		t.Errorf("got %+v, want all %d languages", got, languages)
	}
	for _, a := range f.Absent() {
		if a.Contender == names["C"] && runtime.GOOS != "linux" {
			continue // absent for another reason
		}
		if !strings.Contains(a.Why, why) || strings.Contains(a.Why, "\n") {
			t.Errorf("%s: got %q, want a line with %q", a.Contender, a.Why, why)
		}
	}
	if got, want := len(f.For(lock[0])), len(contender.For(lock[0]))+languages; got != want {
		t.Errorf("the row has %d contenders, want %d including the absent ones", got, want)
	}
}

func TestOpenReportsMissingToolsAsAbsent(t *testing.T) {
	checkAbsent(t, open(t, t.TempDir()), "in PATH")
}

// Such tools exist on macOS without a JDK, where javac is a stub, and behind a
// version manager without a version.
func TestOpenReportsBrokenToolsAsAbsent(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the tools are shell scripts")
	}
	dir := t.TempDir()
	for _, tool := range []string{"gcc", "rustc", "javac", "java", "python3"} {
		stub := "#!/bin/sh\necho there is no version >&2\necho to run >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(dir, tool), []byte(stub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	checkAbsent(t, open(t, dir), "there is no version to run")
}
