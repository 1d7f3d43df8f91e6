package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
)

// A slip is a row in which this library has become slower, relative to a
// contender of the same run: machines differ, and a busy one slows both.
type slip struct {
	row, peer string
	ratio     float64 // time relative to the peer's, now divided by then
}

// slips returns the rows whose ratio exceeds 1 by more than limit.
func slips(now, before *result.Run, limit float64) (out []slip) {
	for _, row := range now.Rows {
		for _, c := range row.Cells {
			then := before.Cell(row.Name, c.Contender)
			if c.Ours || c.Ratio == nil || then == nil || then.Ratio == nil {
				continue
			}
			// The ratio of a cell is the peer's time divided by ours.
			if r := then.Ratio.Center / c.Ratio.Center; r > 1+limit {
				out = append(out, slip{row.Name, c.Contender, r})
			}
			break
		}
	}
	return out
}

// slipTries is how often a row is measured before it counts as a slip.
const slipTries = 6

// confirm measures the rows that slipped in run again, and fails if one slips
// in each of several tries: noise slows a row in some, a slower lock in all.
func confirm(ctx context.Context, o options, run *result.Run, out, progress io.Writer) error {
	found := slips(run, o.baseline, o.slip)
	for try := 2; try <= slipTries && len(found) > 0; try++ {
		fmt.Fprintf(out, "\nslower than in the run of -baseline: %v; try %d of %d\n", found, try, slipTries)
		o.specs = slices.DeleteFunc(slices.Clone(o.specs), func(s scenario.Spec) bool {
			return !slices.ContainsFunc(found, func(f slip) bool { return f.row == s.Name() })
		})
		again, err := measureAll(ctx, o, io.Discard, progress)
		if err != nil {
			return err
		}
		found = slips(again, o.baseline, o.slip)
	}
	if len(found) > 0 {
		return fmt.Errorf("slower than in the run of -baseline by more than %.0f %%: %v", 100*o.slip, found)
	}
	return nil
}

func (s slip) String() string { return fmt.Sprintf("%s by %.2f against %s", s.row, s.ratio, s.peer) }
