package contender

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// TestMain runs the other process of a row of two.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == PeerFlag {
		if err := RunPeer(); err != nil {
			os.Exit(1)
		}
		return
	}
	m.Run()
}

// Every row has a baseline, and each of its contenders does the work, ends, and
// leaves no thread.
func TestContendersDoTheirRows(t *testing.T) {
	for _, s := range scenario.All() {
		few := 1000 // of what a row has many of: more take the same paths
		if testing.Short() {
			few = 100
		}
		if s.Kind == scenario.Many && s.Threads > few || max(s.Waiters, s.Objects, s.Tasks) > few {
			continue
		}
		t.Run(s.Name(), func(t *testing.T) {
			cs := For(s)
			require.NotEmpty(t, cs)
			assert.Equal(t, Baseline, cs[0].Name)
			assert.True(t, cs[0].Ours)
			procs := runtime.GOMAXPROCS(0)
			for _, c := range cs {
				for _, timed := range []bool{false, true} {
					found, err := Run(
						c,
						s,
						sample.Round{Warm: time.Millisecond, Time: 2 * time.Millisecond, Timed: timed},
					)
					if sample.IsAbsent(err) {
						t.Logf("%s: %v", c.Name, err)
						break
					}
					require.NoError(t, err, c.Name)
					waits := timed && s.Waits() || s.Kind == scenario.Lateness
					// on a busy machine a round may be too short
					for tries := 0; (found.Ops == 0 || waits && found.Waits.N() == 0) && tries < 14; tries++ {
						found, err = Run(
							c,
							s,
							sample.Round{Warm: time.Millisecond, Time: 8 * time.Millisecond << tries, Timed: timed},
						)
						require.NoError(t, err, c.Name)
					}
					assert.Positive(t, found.Ops, c.Name)
					assert.Positive(t, found.Elapsed, c.Name)
					assert.LessOrEqual(t, found.Least, found.Most, c.Name)
					switch {
					case waits:
						require.NotNil(t, found.Waits, c.Name)
						assert.Positive(t, found.Waits.N(), c.Name)
					case !timed:
						assert.Nil(t, found.Waits, c.Name)
					}
					if s.Kind == scenario.Many && runtime.GOOS == "linux" && s.Threads > 1 && c.Name == Baseline &&
						!timed {
						assert.Positive(t, found.Bytes, c.Name)
					}
				}
			}
			assert.Equal(t, procs, runtime.GOMAXPROCS(0), "the row's GOMAXPROCS stayed")
		})
	}
	deadline := time.Now().Add(3 * time.Minute) // attached C threads exit after their join returns
	for thread.NumThread() > 1 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	assert.LessOrEqual(t, thread.NumThread(), 1)
}

// A crew that cannot start all of its threads ends those that it started.
func TestCrewEndsWhenAThreadCannotStart(t *testing.T) {
	made := 0
	c := &crew{spec: scenario.Spec{Kind: scenario.Barrier, Parties: 3}, round: sample.Round{Time: time.Hour}}
	_, err := c.run(3, 3, func(body func()) (func() error, error) {
		if made++; made == 3 {
			return nil, assert.AnError
		}
		return goroutine(body)
	}, func(int, *tally) { t.Error("a thread of a crew that is not complete worked") })
	assert.ErrorIs(t, err, assert.AnError)
}

// Go's scheduler leaves the goroutine that ends a round in a run queue forever,
// in about 1 % of these rounds.
func TestCrewEndsARoundThatStarvesItsConductor(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s := scenario.Spec{Kind: scenario.Semaphore, Caller: scenario.Thread, Threads: 8, Permits: 2, Work: 50, Procs: 2}
	for _, c := range For(s) {
		if c.Name != "channel" {
			continue
		}
		for range 300 {
			_, err := Run(c, s, sample.Round{Warm: time.Millisecond, Time: 5 * time.Millisecond})
			require.NoError(t, err)
		}
		return
	}
	t.Fatal("the row has no channel contender")
}

func TestRunSetsGOMAXPROCSOfTheRow(t *testing.T) {
	procs := 0
	c := Contender{Name: "c", Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
		procs = runtime.GOMAXPROCS(0)
		return sample.Sample{}, nil
	}}
	_, err := Run(c, scenario.Spec{Procs: 3}, sample.Round{})
	require.NoError(t, err)
	assert.Equal(t, 3, procs)
}

func TestSnapshotSinceIsWhatWasDoneBetween(t *testing.T) {
	at := time.Now()
	first := snapshot{at, usage{time.Second, 5, true}, []int64{10, 20, 30}}
	second := snapshot{at.Add(time.Minute), usage{3 * time.Second, 9, true}, []int64{17, 22, 35}}
	assert.Equal(
		t,
		sample.Sample{Ops: 14, Elapsed: time.Minute, CPU: 2 * time.Second, Switches: 4, Least: 2, Most: 7},
		second.since(first),
	)
	second.usage.known, second.ops = false, second.ops[:1]
	assert.Equal(
		t,
		sample.Sample{Ops: 7, Elapsed: time.Minute, CPU: sample.Unknown, Switches: sample.Unknown},
		second.since(first),
	)
}

func TestTallyCountsWaitsBetweenTheSnapshots(t *testing.T) {
	c := &crew{round: sample.Round{Timed: true}}
	w := &tally{timed: true, c: c}
	w.count(5) // during warmup
	assert.Zero(t, w.waits.N())
	c.counting.Store(true)
	w.count(5)
	w.count(-1) // there was no wait
	assert.EqualValues(t, 1, w.waits.N())
	c.counting.Store(false)
	w.count(5)
	assert.EqualValues(t, 1, w.waits.N())
}
