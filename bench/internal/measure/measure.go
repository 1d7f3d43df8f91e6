// Package measure has the contenders of a row do their rounds and makes the
// row's result of them.
//
// The rounds are interleaved: each contender does one, in an order drawn anew
// each time, then each the next. What disturbs the machine for longer than a
// round so meets all alike, and nobody always runs after the one who leaves the
// caches cold. A round before the first warms up and is not counted. Waits are
// timed in rounds of their own, since that takes two looks at the clock for
// each operation.
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

// Options say how much to do for a row.
type Options struct {
	Rounds int           // that count, for each contender; stats.LeastRounds at least
	Time   time.Duration // of a round
	Timed  int           // rounds that time waits
}

// Warm is how long threads run before the first look: they find their
// processors, and Go's scheduler its rhythm.
func (o Options) Warm() time.Duration { return o.Time / 5 }

// Of returns how many rounds of each contender a row has: those that warm up,
// that count and that time waits. A crowd of threads has no round to warm up
// and, since one takes long and scatters little, as few as there must be.
func (o Options) Of(s scenario.Spec) (warm, count, timed int) {
	warm, count, timed = 1, o.Rounds, o.Timed
	if !s.Waits() || s.Kind == scenario.Lateness {
		timed = 0
	}
	if s.Kind == scenario.Many {
		warm, count = 0, stats.LeastRounds
	}
	return warm, count, timed
}

// patience is how many times as long a round may become if no operation came to
// its end in it.
const patience = 64

// A state is what is known of a contender so far.
type state struct {
	contender.Contender
	absent      string
	longer      time.Duration // a round's length, where Options.Time is too short
	waits       sample.Hist
	times       []float64 // of each round that counts, as are the others
	cpu         []float64
	switches    []float64
	bytes       []float64
	least, most []float64
}

// Row measures one. After each round it calls tick, and it ends with ctx's
// cause when ctx is done.
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

// round has the contender do one.
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
		if st.longer *= 2; st.longer > patience*o.Time {
			return fmt.Errorf("not one operation in %v", st.longer/2)
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
	// beside one thread, what the process touches for the first time is too
	// much
	if s.Kind == scenario.Many && s.Threads > 1 && found.Bytes != 0 {
		st.bytes = append(st.bytes, found.Bytes)
	}
	if n := s.Counted(); n > 1 {
		st.least = append(st.least, float64(found.Least)*float64(n)/ops)
		st.most = append(st.most, float64(found.Most)*float64(n)/ops)
	}
	return nil
}

// cell sums up. A contender of which base, the baseline's state, has nothing to
// compare with has no ratio.
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

// median returns nil for what was known in too few rounds.
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
