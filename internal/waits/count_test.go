package waits

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ident"
)

type object struct{}

func TestTotalsAreByType(t *testing.T) {
	var r Record
	for _, o := range []any{new(object), new(object), "something", nil} {
		r.Begin(ident.None, o, nil, false, Ending{})
		r.End()
	}
	totals := Totals()
	assert.EqualValues(t, 2, totals["waits.object"].Waits)
	assert.EqualValues(t, 1, totals["something"].Waits)
	assert.Len(t, totals, 2)
	assert.GreaterOrEqual(t, totals["waits.object"].Nanos, int64(0))
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
