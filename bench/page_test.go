package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/bench/internal/report"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

var update = flag.Bool("update", false, "write the figures of docs/benchmarks.md anew from the committed run")

// The run that the figures of docs/benchmarks.md are from, and where they are.
const (
	committed  = "results/linux-amd64.json"
	benchmarks = "../docs/benchmarks.md"
	readme     = "../README.md"
	begin      = "<!-- figures: begin -->\n"
	end        = "<!-- figures: end -->\n"
)

// shown are the rows of the page's table; a column "Go" is the named contender.
var shown = []struct{ label, row, goes string }{
	{"free lock, lock and unlock", "lock/caller=thread/threads=1/work=0/procs=2", "sync"},
	{"lock, 4 threads, sections of 0.5 µs", "lock/caller=thread/threads=4/work=500/procs=2", "sync"},
	{
		"lock, 16 threads, sections of 50 ns, think 1 µs",
		"lock/caller=thread/threads=16/work=50/think=1000/procs=2",
		"sync",
	},
	{"readers-writer lock, 4 threads, 90 % reads", "rwlock/caller=thread/threads=4/reads=90/work=50/procs=2", "sync"},
	{"ping-pong by lock and condition, two threads", "condition/caller=thread/pairs=1/procs=2", "sync"},
	{"ping-pong by events, two threads", "event/caller=thread/pairs=1/procs=2", "channel"},
	{"the same on one processor", "event/caller=thread/pairs=1/procs=1", "channel"},
	{"semaphore of 2, 8 threads", "semaphore/caller=thread/threads=8/permits=2/work=50/procs=2", "x/sync"},
	{"barrier, 8 threads", "barrier/caller=thread/parties=8/procs=2", "sync.Cond"},
	{"queue of 1024, 4 to 4 threads", "queue/caller=thread/capacity=1024/producers=4/consumers=4/procs=2", "channel"},
	{"queue of 1, 1 to 1 thread", "queue/caller=thread/capacity=1/producers=1/consumers=1/procs=2", "channel"},
	{
		"queue of 1024, 4 to 4 goroutines",
		"queue/caller=goroutine/capacity=1024/producers=4/consumers=4/procs=2",
		"channel",
	},
	{"call on one thread, from a thread", "call/caller=thread/procs=2", "locked goroutine"},
	{"call on one thread, from a goroutine", "call/caller=goroutine/procs=2", "locked goroutine"},
	{"task to a pool and its result", "submit/caller=thread/procs=2", "locked goroutine"},
	{"thread, start and join, in Go by a goroutine", "startjoin/stack=0", "locked goroutine"},
	{"lateness of a wait of 200 µs", "lateness/sleep=200000/policy=other/bound=false", "time.Sleep"},
	{"start of each of 10,000 threads, in Go by a goroutine", "many/threads=10000", "locked goroutine"},
}

// peers are the columns behind Go's.
var peers = []string{"C pthreads", "Rust", "Java", "CPython"}

// figures writes what the page says of a run.
func figures(t *testing.T, run *result.Run) string {
	var b strings.Builder
	m := run.Machine
	fmt.Fprintf(
		&b,
		"%s, %d cores, %s/%s, kernel %s, %s, %s; %s, by\n\n    %s\n\n",
		m.CPU,
		m.Cores,
		m.OS,
		m.Arch,
		m.Kernel,
		m.Go,
		m.Libc,
		run.Began.Format("2 January 2006"),
		run.Command,
	)
	fmt.Fprintf(
		&b,
		"| | osthread | Go | %s |\n|---|---|---|%s\n",
		strings.Join(peers, " | "),
		strings.Repeat("---|", len(peers)),
	)
	for _, s := range shown {
		require.NotNil(t, run.Cell(s.row, "osthread"), s.row)
		fmt.Fprintf(&b, "| %s | **%s** |", s.label, words.NS(run.Cell(s.row, "osthread").Time.Center))
		for _, name := range append([]string{s.goes}, peers...) {
			c := run.Cell(s.row, name)
			switch {
			case c == nil:
				b.WriteString(" |")
			case name == s.goes:
				fmt.Fprintf(&b, " %s (%s) |", words.NS(c.Time.Center), name)
			default:
				fmt.Fprintf(&b, " %s |", words.NS(c.Time.Center))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Every figure in the page is one of the committed run.
func TestPageFiguresAreThoseOfTheCommittedRun(t *testing.T) {
	run, err := result.ReadFile(committed)
	require.NoError(t, err)
	text, err := os.ReadFile(benchmarks)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "the page has no %q", begin)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "the page has no %q", end)
	want := figures(t, run)
	if *update {
		require.NoError(t, os.WriteFile(benchmarks, []byte(before+begin+want+end+after), 0o644))
		return
	}
	assert.Equal(t, want, got, "go -C bench test -run Page -update writes them anew")
}

// No other figure of a time stands beside them, nor in README.
func TestPageAndREADMEHaveNoOtherFigures(t *testing.T) {
	text, err := os.ReadFile(benchmarks)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	_, after, _ := strings.Cut(rest, end)
	text, err = os.ReadFile(readme)
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "## Benchmarks\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	assert.NotRegexp(t, `[0-9] ?(ns|µs|ms|times|x)\b`, before+after+section)
}

// The page names every row of the committed run that this library loses, by
// patterns in its section of losses, and has no pattern without such a row.
func TestPageNamesEveryLostRow(t *testing.T) {
	run, err := result.ReadFile(committed)
	require.NoError(t, err)
	text, err := os.ReadFile(benchmarks)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "## Where it loses\n")
	require.True(t, ok)
	section, _, _ := strings.Cut(rest, "\n#")
	used := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+/[^`]*)`").FindAllStringSubmatch(section, -1) {
		used[m[1]] = false
	}
	for _, l := range report.Losses(run) {
		named := false
		for p := range used {
			// A star stands for any text: slashes are letters to it.
			if ok, err := path.Match(strings.ReplaceAll(p, "/", "|"), strings.ReplaceAll(l.Row, "/", "|")); ok &&
				err == nil {
				used[p], named = true, true
			}
		}
		assert.True(t, named, "%s is lost to %s (%.2f) and not named", l.Row, l.Peer, l.Ratio.Center)
	}
	for p, is := range used {
		assert.True(t, is, "nothing that %s names is lost", p)
	}
}
