//go:build !portablepark && !go1.28

package wait

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/contention"
	"example.com/thread/internal/park"
)

// contending returns nodes that have waited in l for the ticks since the times
// that are given back from now.
func contending(l *List, ago ...int64) (nodes []*Node, now int64) {
	now = contention.Now()
	limit := park.Forever()
	for _, a := range ago {
		n := New(nil, &limit)
		n.charged = now - a
		l.PushBack(n)
		nodes = append(nodes, n)
	}
	return nodes, now
}

const far = int64(1) << 40 // ticks; what the test takes is nothing beside

func taken(l *List, n *Node) *Node {
	l.Unlink(n)
	return n
}

func TestChargeIsForTheTakenOneAndTheAverageOfTheOthers(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	var l List
	nodes, _ := contending(&l, 10*far, 8*far, 1, 4*far)
	assert.InEpsilon(t, float64((10+3*(8+4)/2)*far), float64(l.Charge(taken(&l, nodes[0]))), 0.01)
	assert.Less(t, l.Charge(taken(&l, nodes[1])), far, "all were charged up to then")
}

func TestChargeIsZeroWithoutAProfile(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	var l List
	nodes, _ := contending(&l, far, far)
	runtime.SetMutexProfileFraction(0)
	assert.Zero(t, l.Charge(taken(&l, nodes[0])))
	nodes[0].Contend()
	assert.Zero(t, nodes[0].charged)
	runtime.SetMutexProfileFraction(1)
	l.PushBack(nodes[0]) // it came when there was none
	assert.GreaterOrEqual(t, l.Charge(taken(&l, nodes[1])), far)
	assert.Less(t, l.Charge(taken(&l, nodes[0])), far)
	assert.Zero(t, l.Charge(nil))
}

// A waiter that gives up leaves behind when the queue was charged.
func TestChargeIsNotRepeatedAfterAWaiterLeaves(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	var l List
	nodes, _ := contending(&l, 5*far, 5*far, 5*far, 5*far, 5*far)
	l.Charge(taken(&l, nodes[0]))
	assert.True(t, l.Remove(nodes[1]), "the head")
	assert.True(t, l.Remove(nodes[4]), "the tail")
	assert.Less(t, l.Charge(taken(&l, nodes[2])), far)
	assert.Less(t, l.Charge(taken(&l, nodes[3])), far)
}
