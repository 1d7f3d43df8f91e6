package measure

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

var row = scenario.Spec{Kind: scenario.Lock, Caller: scenario.Thread, Threads: 2}

// fixed returns a contender that takes ns per operation, with waits of 5 ns,
// and appends its name to calls.
func fixed(name string, ns int64, calls *strings.Builder) contender.Contender {
	return contender.Contender{Name: name, Run: func(_ scenario.Spec, r sample.Round) (sample.Sample, error) {
		calls.WriteString(name)
		s := sample.Sample{
			Ops:      100,
			Elapsed:  time.Duration(100 * ns),
			CPU:      time.Duration(200 * ns),
			Switches: 50,
			Least:    40,
			Most:     60,
		}
		if r.Timed {
			s.Waits = new(sample.Hist)
			s.Waits.Add(5)
		}
		return s, nil
	}}
}

func TestRow(t *testing.T) {
	var calls strings.Builder
	absent := contender.Contender{Name: "absent", Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
		return sample.Sample{}, &sample.AbsentError{Why: "not here"}
	}}
	ticks := 0
	o := Options{Rounds: 30, Time: time.Millisecond, Timed: 2}
	got, err := Row(
		context.Background(),
		row,
		[]contender.Contender{fixed("a", 10, &calls), fixed("b", 25, &calls), absent},
		o,
		func() { ticks++ },
	)
	require.NoError(t, err)
	assert.Equal(t, 3*(1+30+2), ticks)
	assert.Equal(t, row.Name(), got.Name)
	require.Len(t, got.Cells, 3)

	a, b := got.Cells[0], got.Cells[1]
	assert.Equal(t, result.Estimate{Center: 10, Low: 10, High: 10}, a.Time)
	assert.Nil(t, a.Ratio)
	assert.Equal(t, &result.Estimate{Center: 2.5, Low: 2.5, High: 2.5}, b.Ratio)
	assert.Equal(t, result.Slower, b.Verdict)
	assert.Equal(t, &result.Estimate{Center: 50, Low: 50, High: 50}, b.CPU)
	assert.InDelta(t, 0.5, b.Switches.Center, 1e-9)
	assert.Equal(t, &result.Shares{Least: 0.8, Most: 1.2}, b.Shares)
	assert.Nil(t, b.Bytes)
	assert.EqualValues(t, 2, b.Waits.N)
	assert.EqualValues(t, 5, b.Waits.Max)
	assert.Len(t, b.Samples, 30)
	assert.Equal(t, result.Cell{Contender: "absent", Absent: "not here"}, got.Cells[2])

	// Each pair of calls has both contenders, in either order.
	order := calls.String()
	require.Len(t, order, 2*33)
	ab, ba := 0, 0
	for i := 0; i < len(order); i += 2 {
		switch order[i : i+2] {
		case "ab":
			ab++
		case "ba":
			ba++
		default:
			t.Fatalf("rounds %d: %q", i, order[i:i+2])
		}
	}
	assert.Positive(t, ab)
	assert.Positive(t, ba)
}

// A round in which no operation completes is repeated with a longer time.
func TestRowLengthensARoundThatIsTooShort(t *testing.T) {
	slow := contender.Contender{Name: "slow", Run: func(_ scenario.Spec, r sample.Round) (sample.Sample, error) {
		s := sample.Sample{Elapsed: r.Time, CPU: sample.Unknown, Switches: sample.Unknown}
		if r.Time >= 8*time.Millisecond {
			s.Ops = 1
		}
		return s, nil
	}}
	got, err := Row(
		context.Background(),
		row,
		[]contender.Contender{slow},
		Options{Rounds: 8, Time: time.Millisecond},
		func() {},
	)
	require.NoError(t, err)
	assert.InDelta(t, 8e6, got.Cells[0].Time.Center, 1)
	assert.Nil(t, got.Cells[0].CPU)
	assert.Nil(t, got.Cells[0].Switches)

	never := contender.Contender{
		Name: "never",
		Run:  func(scenario.Spec, sample.Round) (sample.Sample, error) { return sample.Sample{}, nil },
	}
	_, err = Row(
		context.Background(),
		row,
		[]contender.Contender{never},
		Options{Rounds: 8, Time: time.Millisecond},
		func() {},
	)
	assert.ErrorContains(t, err, "never: no operation completed")
}

func TestRowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	var calls strings.Builder
	n := 0
	_, err := Row(
		ctx,
		row,
		[]contender.Contender{fixed("a", 1, &calls)},
		Options{Rounds: 8, Time: time.Millisecond},
		func() {
			if n++; n == 3 {
				cancel(why)
			}
		},
	)
	assert.ErrorIs(t, err, why)
	assert.Equal(t, "aaa", calls.String())
}

func TestNoise(t *testing.T) {
	quiet := &Noise{}
	noisy := &Noise{}
	for i := range 20 {
		quiet.probes = append(quiet.probes, time.Millisecond)
		noisy.probes = append(noisy.probes, time.Millisecond+time.Duration(i)*50*time.Microsecond)
	}
	assert.Empty(t, quiet.Warnings([]float64{0}))
	assert.Len(t, noisy.Warnings([]float64{0}), 1)
	assert.Contains(t, quiet.Warnings([]float64{1e6})[0], "busy machine")
	real := NewNoise()
	real.Probe()
	assert.Positive(t, real.probes[0])
}

func TestCellOmitsUnknownFigures(t *testing.T) {
	n := 0
	odd := contender.Contender{Name: "odd", Run: func(_ scenario.Spec, r sample.Round) (sample.Sample, error) {
		n++
		s := sample.Sample{Ops: 1, Elapsed: r.Time, CPU: sample.Unknown, Switches: 1, Waits: new(sample.Hist)}
		if n%2 == 0 {
			s.CPU = 1
		}
		s.Waits.Add(int64(n))
		return s, nil
	}}
	none := contender.Contender{Name: "none", Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
		return sample.Sample{}, &sample.AbsentError{Why: "not here"}
	}}
	for _, s := range []scenario.Spec{row, {Kind: scenario.Lateness, Sleep: 1}} {
		n = 0
		got, err := Row(
			t.Context(),
			s,
			[]contender.Contender{none, odd},
			Options{Rounds: 8, Time: time.Millisecond, Timed: 2},
			func() {},
		)
		require.NoError(t, err)
		c := got.Cells[1]
		assert.Nil(t, c.CPU, "of too few rounds")
		assert.Nil(t, c.Ratio, "to what is absent")
		assert.NotNil(t, c.Switches)
		if s.Kind == scenario.Lateness {
			assert.Equal(t, 9, n, "a lateness row needs no timed rounds")
			assert.EqualValues(t, 8, c.Waits.N, "the first warms up")
		}
	}
	crowd := scenario.Spec{Kind: scenario.Many, Threads: 100}
	for _, bytes := range []float64{0, 4096} {
		c := contender.Contender{Name: "c", Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
			return sample.Sample{Ops: 100, Elapsed: 1, Bytes: bytes}, nil
		}}
		got, err := Row(t.Context(), crowd, []contender.Contender{c}, Options{Rounds: 8, Time: 1}, func() {})
		require.NoError(t, err)
		assert.Equal(t, bytes != 0, got.Cells[0].Bytes != nil)
	}
}
