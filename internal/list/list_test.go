package list

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

type element struct {
	Links[element]
	v int
}

func values(l *List[element]) (vs []int) {
	for e := l.Head(); e != nil; e = e.Next() {
		vs = append(vs, e.v)
	}
	return vs
}

func backwards(l *List[element]) (vs []int) {
	for e := l.tail; e != nil; e = e.prev {
		vs = append(vs, e.v)
	}
	slices.Reverse(vs)
	return vs
}

func TestListIsWhatASliceIsAfterAnyOperations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var l List[element]
	var in []*element
	for v := range 10000 {
		at := random.IntN(len(in) + 1)
		switch op := random.IntN(6); {
		case op == 0:
			l.PushBack(&element{v: v})
			in = append(in, l.tail)
		case op == 1:
			l.PushFront(&element{v: v})
			in = slices.Insert(in, 0, l.Head())
		case op == 2:
			e := &element{v: v}
			var mark *element
			if at < len(in) {
				mark = in[at]
			}
			l.InsertBefore(e, mark)
			in = slices.Insert(in, at, e)
		case op == 3 && len(in) > 0:
			assert.Same(t, in[0], l.Pop())
			in = in[1:]
		case op > 3 && at < len(in):
			l.Remove(in[at])
			assert.Nil(t, in[at].Next())
			in = slices.Delete(in, at, at+1)
		}
		var want []int
		for _, e := range in {
			want = append(want, e.v)
		}
		assert.Equal(t, want, values(&l))
		assert.Equal(t, want, backwards(&l))
		assert.Equal(t, len(want), l.Len())
		if t.Failed() {
			return
		}
	}
}

func TestListThatIsEmptyPopsNil(t *testing.T) {
	assert.Nil(t, new(List[element]).Pop())
	assert.Nil(t, new(List[element]).Head())
}
