//go:build !(cgo && linux && lua)

package contender

import (
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// Tags are the arguments of the go command that built this program.
const Tags = ""

var interpreters = []Contender{
	{Baseline, true, func(scenario.Spec, sample.Round) (sample.Sample, error) {
		return sample.Sample{}, &sample.AbsentError{Why: "built without Lua: see docs/benchmarks.md"}
	}},
}
