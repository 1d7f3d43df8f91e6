package queue

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// For any argument a method returns, or panics with an error and leaves nothing
// locked: each call is made twice.
func TestQueueSurvivesExtremeArguments(t *testing.T) {
	var noContext context.Context
	q := New[int](1)
	assert.NoError(t, q.Put(1))
	for _, row := range []struct {
		name string
		call func()
		want error
	}{
		{"New(least)", func() {
			q := New[int](math.MinInt)
			assert.NoError(t, q.Put(1))
			assert.Zero(t, q.Cap())
		}, nil},
		{"New(most)", func() {
			q := New[int](math.MaxInt)
			assert.NoError(t, q.Put(1))
			assert.False(t, q.Full())
		}, nil},
		{"NewLIFO(most)", func() { assert.NoError(t, NewLIFO[int](math.MaxInt).Put(1)) }, nil},
		{"NewPriority(nil)", func() { NewPriority[int](0, nil) }, ErrNoCmp},
		{"TaskDone without values", func() { new(Queue[int]).TaskDone() }, ErrTooManyDone},
		{"PutTimeout(least)", func() { assert.Equal(t, ErrFull, q.PutTimeout(1, math.MinInt64)) }, nil},
		{"GetTimeout(least)", func() {
			_, err := new(Queue[int]).GetTimeout(math.MinInt64)
			assert.Equal(t, ErrEmpty, err)
		}, nil},
		{"GetTimeout(most)", func() {
			q := New[int](0)
			go func() { _ = q.Put(1) }()
			_, err := q.GetTimeout(math.MaxInt64)
			assert.NoError(t, err)
		}, nil},
		{"PutContext(nil)", func() { _ = q.PutContext(noContext, 1) }, testutil.ErrAnyPanic},
		{"GetContext(nil)", func() { _, _ = q.GetContext(noContext) }, testutil.ErrAnyPanic},
		{"JoinContext(nil)", func() { _ = q.JoinContext(noContext) }, testutil.ErrAnyPanic},
		{"GetN(nil)", func() { _, err := q.GetN(nil); assert.NoError(t, err) }, nil},
		{"PutAll(nil)", func() { _, err := q.PutAll(nil); assert.NoError(t, err) }, nil},
		{"All with a nil yield", func() {
			q := New[int](0)
			_ = q.Put(1)
			q.All()(nil)
		}, testutil.ErrAnyPanic},
		{"Drain of empty queue", func() { assert.Empty(t, new(Queue[int]).Drain()) }, nil},
		{"ShutdownNow of empty queue", func() { assert.Empty(t, new(Queue[int]).ShutdownNow()) }, nil},
		{"zero Simple", func() { _, err := new(Simple[int]).TryGet(); assert.Equal(t, ErrEmpty, err) }, nil},
		{"zero GetOp", func() { osthread.TryWaitAny(new(GetOp[int])) }, testutil.ErrAnyPanic},
	} {
		testutil.CheckTwice(t, row.name, row.call, row.want)
	}
}
