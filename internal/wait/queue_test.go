package wait

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/park"
)

func notifyOnly(n int) (nodes []*Node, free func()) {
	l := park.Forever()
	sets := make([]*Set, n)
	for i := range sets {
		sets[i] = NewNotifyOnly(&l)
		nodes = append(nodes, sets[i].Node(0))
	}
	return nodes, func() {
		for _, s := range sets {
			s.Free()
		}
	}
}

// Each waiter that is notified is put back and notifies the next one. With a
// search for its place that would take hours.
func TestObjectQueueNotifiesEachOfMany(t *testing.T) {
	nodes, free := notifyOnly(200_000)
	defer free()
	var q ObjectQueue
	for _, n := range nodes {
		q.PushBack(n)
	}
	q.Notify()
	for i, n := range nodes {
		assert.False(t, n.in, "node %d is notified", i)
		q.PutBack(n)
		q.NotifyNext(n)
	}
	assert.Same(t, nodes[0], q.NotifyHead())
	for _, n := range nodes {
		q.Remove(n)
	}
	assert.Zero(t, q.Len())
}

func TestObjectQueueKeepsPlaces(t *testing.T) {
	nodes, free := notifyOnly(20)
	defer free()
	var q ObjectQueue
	in, out := []*Node{}, slices.Clone(nodes)
	known := map[*Node]bool{} // was in q
	for range 20_000 {
		switch i := rand.IntN(max(len(in), len(out), 1)); {
		case rand.IntN(2) == 0 && i < len(out):
			n := out[i]
			out = slices.Delete(out, i, i+1)
			if known[n] && rand.IntN(3) > 0 {
				q.PutBack(n)
				at := slices.IndexFunc(in, n.Before)
				if at < 0 {
					at = len(in)
				}
				in = slices.Insert(in, at, n)
			} else {
				q.PushBack(n)
				in = append(in, n)
				known[n] = true
			}
		case i >= len(in):
		case rand.IntN(2) == 0:
			assert.True(t, q.Remove(in[i]))
			out = append(out, in[i])
			in = slices.Delete(in, i, i+1)
		default:
			after := nodes[rand.IntN(len(nodes))]
			q.NotifyNext(after)
			for j, n := range in {
				if after.Before(n) {
					assert.False(t, n.in)
					out = append(out, n)
					in = slices.Delete(in, j, j+1)
					break
				}
			}
		}
		got := []*Node{}
		for n := q.NotifyHead(); n != nil; n = n.Next() {
			got = append(got, n)
		}
		if !assert.Equal(t, in, got) {
			return
		}
	}
}

// Win wakes a waiter whose context is done, which then uses its node again.
func TestListTakeAllReturnsThoseThatWin(t *testing.T) {
	l := park.Forever()
	for canceledOnes := range 8 {
		var q Queue
		var nodes, want []*Node
		for i := range 3 {
			n := New(nil, &l)
			if canceledOnes&(1<<i) != 0 {
				n.source = canceledContext(t)
			} else {
				want = append(want, n)
			}
			nodes = append(nodes, n)
			q.PushBack(n)
		}
		var got []*Node
		for n := q.TakeAll(); n != nil; n = n.Next() {
			got = append(got, n)
		}
		assert.Equal(t, want, got)
		assert.Zero(t, q.Len())
		for _, n := range nodes {
			assert.False(t, n.in)
			if n.source != nil {
				assert.Equal(t, GotCanceled, n.Got)
				assert.Equal(t, park.Unparked, n.Park(l))
			}
			n.Free()
		}
	}
}

func canceledContext(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
