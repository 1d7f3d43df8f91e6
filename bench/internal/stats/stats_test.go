package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"example.com/thread/bench/internal/result"
)

// rounds returns values around center as on a noisy machine: most are close,
// some far above, and all share the drift.
func rounds(r *rand.Rand, center float64, drift []float64) []float64 {
	values := make([]float64, len(drift))
	for i := range values {
		values[i] = center * drift[i] * math.Exp(0.03*r.NormFloat64())
		if r.IntN(10) == 0 {
			values[i] *= 1 + r.ExpFloat64()
		}
	}
	return values
}

func drifts(r *rand.Rand, n int) []float64 {
	drift, at := make([]float64, n), 1.0
	for i := range drift {
		at *= math.Exp(0.1 * r.NormFloat64())
		drift[i] = at
	}
	return drift
}

// At most one equal pair in a hundred may be called different; a difference
// larger than the noise must be found.
func TestRatioSeparatesEqualFromDifferent(t *testing.T) {
	const trials = 2000
	for _, n := range []int{LeastRounds, 12} {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		wrong, missed := 0, 0
		for range trials {
			drift := drifts(r, n)
			base := rounds(r, 100, drift)
			if Judge(Ratio(rounds(r, 100, drift), base)) != result.NoDifference {
				wrong++
			}
			if n == 12 && Judge(Ratio(rounds(r, 130, drift), base)) != result.Slower {
				missed++
			}
		}
		if wrong > trials*15/1000 {
			t.Errorf("%d rounds: %d of %d equal pairs were called different", n, wrong, trials)
		}
		if missed > trials/5 {
			t.Errorf("%d rounds: of %d pairs that differ by 30 %%, %d were called equal", n, trials, missed)
		}
	}
}

func TestAcrossSeparatesEqualFromDifferent(t *testing.T) {
	const trials, n = 1000, 12
	r := rand.New(rand.NewPCG(2, 2))
	wrong, missed := 0, 0
	steady := make([]float64, n)
	for i := range steady {
		steady[i] = 1
	}
	for range trials {
		base := rounds(r, 100, steady)
		if Judge(Across(rounds(r, 100, steady), base)) != result.NoDifference {
			wrong++
		}
		if Judge(Across(rounds(r, 70, steady), base)) != result.Faster {
			missed++
		}
	}
	if wrong > trials*15/1000 || missed > trials/20 {
		t.Errorf("%d of %d equal pairs were called different, %d different ones equal", wrong, trials, missed)
	}
}

func TestMedian(t *testing.T) {
	got := Median([]float64{8, 1, 2, 3, 4, 5, 6, 7})
	if want := (result.Estimate{Center: 4.5, Low: 1, High: 8}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	in := []float64{3, 1, 2, 5, 4, 9, 8, 7, 6}
	Median(in)
	if in[0] != 3 {
		t.Errorf("the input was modified: %v", in)
	}
}

func TestJudge(t *testing.T) {
	for _, row := range []struct {
		ratio result.Estimate
		want  result.Verdict
	}{
		{result.Estimate{Center: 1.2, Low: 1.1, High: 1.3}, result.Slower},
		{result.Estimate{Center: 0.8, Low: 0.7, High: 0.9}, result.Faster},
		{result.Estimate{Center: 1.2, Low: 1, High: 1.3}, result.NoDifference},
		{result.Estimate{Center: 0.9, Low: 0.8, High: 1.1}, result.NoDifference},
	} {
		if got := Judge(row.ratio); got != row.want {
			t.Errorf("%+v: got %q, want %q", row.ratio, got, row.want)
		}
	}
}

func TestGeoMean(t *testing.T) {
	if got := GeoMean([]float64{1, 4}); math.Abs(got-2) > 1e-12 {
		t.Errorf("got %v, want 2", got)
	}
	if got := GeoMean(nil); got != 0 {
		t.Errorf("got %v of no values", got)
	}
}
