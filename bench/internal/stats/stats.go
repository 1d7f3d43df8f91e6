// Package stats computes medians, ratios and verdicts from rounds. It assumes
// no distribution, since timings have long tails.
package stats

import (
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"example.com/thread/bench/internal/result"
)

// Confidence is the confidence level of all intervals. With some hundred rows
// in a run, 95 % would report a difference for every twentieth equal pair.
const Confidence = 0.99

// LeastRounds is the smallest number of rounds with an interval of that
// confidence: with 7 the true median is outside all of them in one case of 64.
const LeastRounds = 8

// Median returns the median of values and its interval by order statistics. It
// needs at least LeastRounds values.
func Median(values []float64) result.Estimate {
	s := benchmath.AssumeNothing.Summary(
		benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds),
		Confidence,
	)
	return result.Estimate{Center: s.Center, Low: s.Lo, High: s.Hi}
}

// Ratio returns the median of the ratios of each round's value to the
// baseline's of the same round. The two are measured shortly after each other,
// so a disturbance that lasts longer than a round affects both and cancels out.
func Ratio(values, baseline []float64) result.Estimate {
	ratios := make([]float64, len(values))
	for i, v := range values {
		ratios[i] = v / baseline[i]
	}
	return Median(ratios)
}

// Across returns the ratio of values to those of another run, whose rounds are
// not paired: the Hodges-Lehmann estimate, the median of all pairwise ratios,
// with the interval of the Mann-Whitney test (Hollander and Wolfe,
// Nonparametric Statistical Methods, section 4.3).
func Across(values, baseline []float64) result.Estimate {
	ratios := make([]float64, 0, len(values)*len(baseline))
	for _, v := range values {
		for _, b := range baseline {
			ratios = append(ratios, v/b)
		}
	}
	slices.Sort(ratios)
	u := moremath.UDist{N1: len(values), N2: len(baseline)}
	k := 0 // ratios to drop at each end
	for u.CDF(float64(k)) <= (1-Confidence)/2 {
		k++
	}
	n := len(ratios)
	return result.Estimate{
		Center: (ratios[(n-1)/2] + ratios[n/2]) / 2,
		Low:    ratios[max(k-1, 0)],
		High:   ratios[n-max(k, 1)],
	}
}

// Judge returns the verdict of a ratio's interval.
func Judge(ratio result.Estimate) result.Verdict {
	switch {
	case ratio.Low > 1:
		return result.Slower
	case ratio.High < 1:
		return result.Faster
	default:
		return result.NoDifference
	}
}

// GeoMean returns the geometric mean, 0 if there are no values.
func GeoMean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
