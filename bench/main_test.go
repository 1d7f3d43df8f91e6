package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/field"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
)

// The rows of many threads start this program for each round: in a test that is
// the test binary.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == contender.PeerFlag {
		if err := contender.RunPeer(); err != nil {
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == field.ServeFlag {
		if err := field.Serve(os.Args[2], os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	m.Run()
}

func TestBenchRejectsBadFlagsBeforeMeasuring(t *testing.T) {
	dir := t.TempDir()
	notJSON, old := filepath.Join(dir, "text"), filepath.Join(dir, "old.json")
	require.NoError(t, os.WriteFile(notJSON, []byte("text"), 0o600))
	require.NoError(t, os.WriteFile(old, []byte(`{"version": 99}`), 0o600))
	for _, row := range []struct {
		args []string
		want string // in the message
	}{
		{[]string{"-count", "7"}, "8 rounds"},
		{[]string{"-count", "x"}, "-count"},
		{[]string{"-time", "0s"}, "-time"},
		{[]string{"-run", "("}, "-run"},
		{[]string{"-run", "nothing is called so"}, "-list"},
		{[]string{"-only", "nobody", "-json", filepath.Join(dir, "x.json")}, `"nobody"`},
		{[]string{"-only", "sync", "-self"}, "-self"},
		{[]string{"-slip", "10"}, "-baseline"},
		{[]string{"-slip", "-1"}, "-slip"},
		{[]string{"-bad"}, "-bad"},
		{[]string{"extra"}, `"extra"`},
		{[]string{"-json", filepath.Join(dir, "none", "x.json")}, "none"},
		{[]string{"-json", dir}, "regular file"},
		{[]string{"-benchfmt", filepath.Join(dir, "none", "x")}, "none"},
		{[]string{"-html", filepath.Join(dir, "none", "x")}, "none"},
		{[]string{"-svg", notJSON}, "text"},
		{[]string{"-baseline", filepath.Join(dir, "none")}, "none"},
		{[]string{"-baseline", notJSON}, "text"},
		{[]string{"-baseline", old}, "version 99"},
	} {
		var out bytes.Buffer
		err := bench(row.args, &out, io.Discard)
		if assert.Error(t, err, "%q", row.args) {
			assert.Contains(t, err.Error(), row.want, "%q", row.args)
		}
		assert.Empty(t, out.String(), "%q", row.args)
	}
	if err := bench([]string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "files were left behind")
}

func TestBenchListsEveryRow(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, bench([]string{"-list"}, &out, io.Discard))
	assert.Equal(t, len(scenario.All()), strings.Count(out.String(), "\n"))
	out.Reset()
	require.NoError(t, bench([]string{"-list", "-quick"}, &out, io.Discard))
	assert.Equal(t, len(scenario.Quick()), strings.Count(out.String(), "\n"))
}

// A run of some rows writes every kind of output, and all of them agree.
func TestBenchWritesAllOutputs(t *testing.T) {
	dir := t.TempDir()
	name := func(file string) string { return filepath.Join(dir, file) }
	var out bytes.Buffer
	args := []string{
		"-run",
		"^lock/caller=goroutine/threads=(1|2)/work=0/|^many/threads=1$",
		"-only",
		"sync",
		"-count",
		"8",
		"-time",
		"1ms",
	}
	require.NoError(
		t,
		bench(
			append(
				args,
				"-json",
				name("a.json"),
				"-benchfmt",
				name("a.txt"),
				"-html",
				name("a.html"),
				"-svg",
				name("svg"),
			),
			&out,
			io.Discard,
		),
	)

	b, err := os.ReadFile(name("a.json"))
	require.NoError(t, err)
	var run result.Run
	require.NoError(t, json.Unmarshal(b, &run))
	require.Greater(t, len(run.Rows), 1)
	assert.Contains(t, run.Command, "-count 8")
	for _, row := range run.Rows {
		assert.Equal(t, 1, strings.Count(out.String(), row.Name+"\n"), row.Name)
		require.NotEmpty(t, row.Cells)
		assert.Equal(t, contender.Baseline, row.Cells[0].Contender)
		for i, c := range row.Cells {
			assert.Contains(t, []string{contender.Baseline, "sync"}, c.Contender, "-only")
			if c.Absent != "" {
				continue
			}
			assert.Len(t, c.Samples, 8)
			assert.Positive(t, c.Time.Low)
			assert.LessOrEqual(t, c.Time.Low, c.Time.Center)
			assert.LessOrEqual(t, c.Time.Center, c.Time.High)
			assert.Equal(t, i != 0, c.Ratio != nil)
		}
	}

	f, err := os.Open(name("a.txt"))
	require.NoError(t, err)
	defer f.Close()
	var rounds []float64 // of all cells, in ns
	for _, row := range run.Rows {
		for _, c := range row.Cells {
			rounds = append(rounds, c.Samples...)
		}
	}
	lines := 0
	for r := benchfmt.NewReader(f, "a.txt"); r.Scan(); {
		res, ok := r.Result().(*benchfmt.Result)
		require.True(t, ok, "%v", r.Result())
		assert.Equal(t, run.Machine.CPU, res.GetConfig("cpu"))
		v, ok := res.Value("sec/op")
		require.True(t, ok && lines < len(rounds), "line %d", lines)
		assert.InEpsilon(t, rounds[lines]/1e9, v, 1e-3)
		lines++
	}
	assert.Len(t, rounds, lines)

	page, err := os.ReadFile(name("a.html"))
	require.NoError(t, err)
	assert.Contains(t, string(page), run.Rows[0].Name)
	charts, err := filepath.Glob(name("svg/*.svg"))
	require.NoError(t, err)
	assert.NotEmpty(t, charts)

	out.Reset()
	require.NoError(t, bench(append(args, "-baseline", name("a.json"), "-json", name("a.json")), &out, io.Discard))
	assert.Contains(t, out.String(), "Against the run of")
	assert.Regexp(t, `of \d+ cells show no difference`, out.String())
}

// An interrupted run returns an error and writes no files, which could replace
// those of a complete run.
func TestMeasureAllIsInterrupted(t *testing.T) {
	o, err := parse([]string{"-run", "^recursive/caller=goroutine", "-count", "8", "-time", "1ms"}, io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run, err := measureAll(ctx, o, io.Discard, io.Discard)
	assert.ErrorIs(t, err, errInterrupted)
	assert.Nil(t, run)
}

// A failed run leaves an existing file untouched.
func TestOutputsAreDiscarded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.json")
	require.NoError(t, os.WriteFile(name, []byte("before"), 0o600))
	files, err := reserve(options{json: name})
	require.NoError(t, err)
	require.NoError(t, files.discard())
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "before", string(b))
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestSelfAgreement(t *testing.T) {
	row := func(v result.Verdict) result.Row { return result.Row{Cells: []result.Cell{{}, {Verdict: v}}} }
	run := &result.Run{}
	for range 19 {
		run.Rows = append(run.Rows, row(result.NoDifference))
	}
	run.Rows = append(run.Rows, row(result.Slower))
	assert.NoError(t, agreement(run, io.Discard))
	run.Rows[0] = row(result.Faster)
	assert.Error(t, agreement(run, io.Discard))
}

// -h and README promise this.
func TestQuickIsUnderAMinute(t *testing.T) {
	o, err := parse([]string{"-quick"}, io.Discard)
	require.NoError(t, err)
	var all time.Duration
	for _, s := range o.specs {
		_, d := o.cost(s, len(contender.For(s))+4) // and four languages
		all += d
	}
	assert.Less(t, all, time.Minute)
	assert.Greater(t, all, 10*time.Second)
	o, err = parse([]string{"-quick", "-count", "9", "-time", "5ms"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, 9, o.Rounds)
	assert.Equal(t, 5*time.Millisecond, o.Time)
}

func TestBenchSelfMeasuresTheBaselineTwice(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.json")
	// Such short rounds need not agree.
	_ = bench(
		[]string{"-self", "-run", "^lock/caller=goroutine/threads=1/", "-count", "8", "-time", "1ms", "-json", name},
		io.Discard,
		io.Discard,
	)
	run, err := result.ReadFile(name)
	require.NoError(t, err)
	require.NotEmpty(t, run.Rows)
	for _, row := range run.Rows {
		require.Len(t, row.Cells, 2)
		for _, c := range row.Cells {
			assert.True(t, c.Ours, c.Contender)
		}
	}
}

// A row slips if it is slower relative to the first other contender that both
// runs have, whatever the machine's speed.
func TestSlips(t *testing.T) {
	row := func(name string, ratio float64) result.Row {
		return result.Row{Name: name, Cells: []result.Cell{
			{Contender: "osthread", Ours: true},
			{Contender: "thread.Lock", Ours: true, Ratio: &result.Estimate{Center: 1}},
			{Contender: "sync", Ratio: &result.Estimate{Center: ratio}},
		}}
	}
	before := &result.Run{Rows: []result.Row{row("same", 1), row("slower", 1), row("faster", 1)}}
	now := &result.Run{Rows: []result.Row{row("same", 0.92), row("slower", 0.9), row("faster", 2), row("new", 0.1)}}
	got := slips(now, before, 0.1)
	require.Len(t, got, 1)
	assert.Equal(t, "slower by 1.11 against sync", got[0].String())
}

// A row is measured again before it counts, and fails only if it slips each
// time.
func TestConfirmMeasuresAgain(t *testing.T) {
	args := []string{"-run", "^lock/caller=goroutine/threads=1/", "-only", "sync", "-count", "8", "-time", "1ms"}
	for _, slow := range []struct {
		then float64 // the peer's time relative to ours in the earlier run
		want string
	}{{1e-9, ""}, {1e9, "slower than in the run of -baseline"}} {
		before := filepath.Join(t.TempDir(), "before.json")
		require.NoError(t, bench(append(args, "-json", before), io.Discard, io.Discard))
		run, err := result.ReadFile(before)
		require.NoError(t, err)
		run.Rows[0].Cells[1].Ratio.Center = slow.then
		f, err := os.Create(before)
		require.NoError(t, err)
		require.NoError(t, run.Write(f))
		require.NoError(t, f.Close())
		var out bytes.Buffer
		err = bench(append(args, "-baseline", before, "-slip", "10"), &out, io.Discard)
		if slow.want == "" {
			assert.NoError(t, err)
			assert.NotContains(t, out.String(), "try 2")
			continue
		}
		assert.ErrorContains(t, err, slow.want)
		assert.Contains(t, out.String(), "try 6 of 6")
	}
}

// A shell splits the command of a run into the original arguments.
func TestCommandLineIsQuotedForTheShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	args := []string{
		"-run",
		"queue|call",
		"",
		"it's",
		"a b",
		"#1",
		"~",
		"{a,b}",
		`back\slash`,
		"$HOME",
		"tab\t",
		"*",
		"-count",
		"8",
	}
	words := strings.TrimPrefix(commandLine(args), program+" ")
	out, err := exec.Command("sh", "-c", `printf '%s\n' `+words).Output()
	require.NoError(t, err)
	assert.Equal(t, strings.Join(args, "\n")+"\n", string(out))
	assert.Equal(t, program+" -count 8", commandLine([]string{"-count", "8"}), "needless quotes")
}
