// Package measure runs the rounds of a row's contenders and computes the result
// of the row.
//
// The rounds are interleaved: each contender does one round, in a random order,
// before any does the next. A disturbance that lasts longer than a round thus
// affects all contenders alike, and no contender always runs after the one that
// leaves cold caches. One round before the first is warmup and not counted.
// Waits are timed in separate rounds, because that takes two clock reads per
// operation.
package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/stats"
)

// Options say how much to measure for a row.
type Options struct {
	Rounds int           // counted rounds of each contender, at least stats.LeastRounds
	Time   time.Duration // of a round
	Timed  int           // rounds that time waits
}

// Warm returns how long threads run before the first snapshot: long enough to
// be distributed over the processors and for Go's scheduler to reach a steady
// state.
func (o Options) Warm() time.Duration { return o.Time / 5 }

// Of returns the numbers of warmup, counted and timed rounds of each contender
// in a row. Rounds in processes of their own have no warmup, and since they
// take long and vary little, there are as few as the statistics allow.
func (o Options) Of(s scenario.Spec) (warm, count, timed int) {
	warm, count, timed = 1, o.Rounds, o.Timed
	if !s.Waits() || s.Kind == scenario.Lateness {
		timed = 0
	}
	if s.Apart() {
		warm, count = 0, stats.LeastRounds
	}
	return warm, count, timed
}

// maxFactor limits how many times as long a round may become if no operation
// completes in it.
const maxFactor = 64

// A state has the measurements of one contender so far.
type state struct {
	contender.Contender
	absent      string
	longer      time.Duration // length of a round, if Options.Time is too short
	waits       sample.Hist
	times       []float64 // one per counted round, like the slices below
	cpu         []float64
	switches    []float64
	bytes       []float64
	least, most []float64
}

// Row measures one row. It calls tick after each round, and returns ctx's cause
// when ctx is done.
func Row(ctx context.Context, s scenario.Spec, cs []contender.Contender, o Options, tick func()) (result.Row, error) {
	row := result.Row{Name: s.Name(), Kind: string(s.Kind)}
	for _, p := range s.Params() {
		row.Params = append(row.Params, result.Param(p))
	}
	states := make([]*state, len(cs))
	for i, c := range cs {
		states[i] = &state{Contender: c, longer: o.Time}
	}
	warm, count, timed := o.Of(s)
	for round := range warm + count + timed {
		for _, i := range rand.Perm(len(states)) {
			if ctx.Err() != nil {
				return row, context.Cause(ctx)
			}
			if st := states[i]; st.absent == "" {
				if err := st.round(s, o, round < warm, round >= warm+count); err != nil {
					return row, fmt.Errorf("%s, %s: %w", s.Name(), st.Name, err)
				}
			}
			tick()
		}
	}
	for _, st := range states {
		row.Cells = append(row.Cells, st.cell(states[0]))
	}
	return row, nil
}

// round makes the contender do one round.
func (st *state) round(s scenario.Spec, o Options, warms, timed bool) error {
	var found sample.Sample
	for {
		var err error
		found, err = contender.Run(st.Contender, s, sample.Round{Warm: o.Warm(), Time: st.longer, Timed: timed})
		if sample.IsAbsent(err) {
			st.absent = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
		if found.Ops > 0 && (s.Kind != scenario.Lateness || found.Waits.N() > 0) {
			break
		}
		if st.longer *= 2; st.longer > maxFactor*o.Time {
			return fmt.Errorf("no operation completed in %v", st.longer/2)
		}
	}
	if found.Waits != nil && !warms {
		st.waits.Merge(found.Waits)
	}
	if warms || timed {
		return nil
	}
	ops := float64(found.Ops)
	if s.Kind == scenario.Lateness {
		st.times = append(st.times, max(1, float64(found.Waits.Quantile(0.5))))
	} else {
		st.times = append(st.times, float64(found.Elapsed.Nanoseconds())/ops)
	}
	if found.CPU != sample.Unknown {
		st.cpu = append(st.cpu, float64(found.CPU.Nanoseconds())/ops)
	}
	if found.Switches != sample.Unknown {
		st.switches = append(st.switches, float64(found.Switches)/ops)
	}
	if s.Memory() && found.Bytes != 0 {
		st.bytes = append(st.bytes, found.Bytes)
	}
	if n := s.Counted(); n > 1 {
		st.least = append(st.least, float64(found.Least)*float64(n)/ops)
		st.most = append(st.most, float64(found.Most)*float64(n)/ops)
	}
	return nil
}

// cell summarizes the rounds. It has no ratio if base, the baseline, has
// nothing to compare with.
func (st *state) cell(base *state) result.Cell {
	c := result.Cell{Contender: st.Name, Ours: st.Ours, Absent: st.absent}
	if st.absent != "" {
		return c
	}
	c.Time, c.Samples = stats.Median(st.times), st.times
	if st != base && base.absent == "" {
		ratio := stats.Ratio(st.times, base.times)
		c.Ratio, c.Verdict = &ratio, stats.Judge(ratio)
	}
	c.CPU, c.Switches, c.Bytes = median(st.cpu), median(st.switches), median(st.bytes)
	if len(st.least) != 0 {
		c.Shares = &result.Shares{Least: middle(st.least), Most: middle(st.most)}
	}
	if st.waits.N() != 0 {
		c.Waits = &result.Waits{
			N: st.waits.N(), Max: st.waits.Max(), CDF: st.waits.CDF(),
			P50: st.waits.Quantile(0.5), P99: st.waits.Quantile(0.99), P999: st.waits.Quantile(0.999),
		}
	}
	return c
}

// median returns nil if too few rounds have the value.
func median(values []float64) *result.Estimate {
	if len(values) < stats.LeastRounds {
		return nil
	}
	e := stats.Median(values)
	return &e
}

func middle(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
