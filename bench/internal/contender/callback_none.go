//go:build !cgo || !unix

package contender

import (
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

var callbacks = []Contender{{Baseline, true, func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return sample.Sample{}, &sample.AbsentError{Why: "it needs cgo and pthreads"}
}}}
