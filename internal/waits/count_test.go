package waits

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ident"
)

type object struct{}

func TestTotalsAreByType(t *testing.T) {
	var r Record
	before := Totals() // of other tests, and of an earlier run of this one
	for _, o := range []any{new(object), new(object), "something", nil} {
		r.Begin(ident.None, o, nil, false, Ending{})
		r.End()
	}
	totals := Totals()
	for name, n := range map[string]int64{"waits.object": 2, "something": 1} {
		assert.Equal(t, n, totals[name].Waits-before[name].Waits, name)
		assert.GreaterOrEqual(t, totals[name].Nanos, before[name].Nanos, name)
	}
	assert.Len(t, totals, 2)
}

// A sleep allocates nothing, so neither does its count.
func TestEndAllocatesNothing(t *testing.T) {
	var r Record
	o := new(object)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		r.Begin(ident.None, o, nil, false, Ending{})
		r.End()
	}))
}

func BenchmarkRecord(b *testing.B) {
	var r Record
	o := new(object)
	b.ReportAllocs()
	for b.Loop() {
		r.Begin(ident.None, o, nil, false, Ending{})
		r.End()
	}
}
