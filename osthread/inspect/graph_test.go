package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func runs() node                             { return node{} }
func blocked(need need, servers ...int) node { return node{waits: true, need: need, servers: servers} }

func limited(need need, servers ...int) node {
	return node{waits: true, ends: true, need: need, servers: servers}
}

func TestKnotsAreFound(t *testing.T) {
	for _, row := range []struct {
		name  string
		nodes []node
		want  []knot
	}{
		{"two locks", []node{blocked(all, 1), blocked(all, 0)}, []knot{{cycle: []int{0, 1}}}},
		{"a lock that its holder waits for", []node{blocked(all, 0)}, []knot{{cycle: []int{0}}}},
		{
			"three locks, against the order",
			[]node{blocked(all, 2), blocked(all, 0), blocked(all, 1)},
			[]knot{{cycle: []int{0, 2, 1}}},
		},
		{
			"others behind",
			[]node{runs(), blocked(all, 2), blocked(all, 3), blocked(all, 2), blocked(all, 1)},
			[]knot{{cycle: []int{2, 3}, behind: []int{1, 4}}},
		},
		{
			"two of them",
			[]node{blocked(all, 3), blocked(all, 2), blocked(all, 1), blocked(all, 0)},
			[]knot{{cycle: []int{0, 3}}, {cycle: []int{1, 2}}},
		},
		{
			"one behind another",
			[]node{blocked(all, 1), blocked(all, 0, 2), blocked(all, 3), blocked(all, 2)},
			[]knot{{cycle: []int{0, 1}}, {cycle: []int{2, 3}}},
		},
		{"two upgraders", []node{blocked(all, 1), blocked(all, 0)}, []knot{{cycle: []int{0, 1}}}},
		{
			"a writer, and one of its readers waits for it",
			[]node{blocked(all, 1, 2), runs(), blocked(all, 0)},
			[]knot{{cycle: []int{0, 2}}},
		},
		{
			"a pool that waits for itself",
			[]node{blocked(any1, 0, 1, 2), blocked(any1, 0, 1, 2), blocked(any1, 0, 1, 2)},
			[]knot{{cycle: []int{0, 1, 2}}},
		},
		{
			"a lock of a thread that has ended",
			[]node{blocked(all, 1), {gone: true}},
			[]knot{{cycle: []int{1}, behind: []int{0}}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			assert.Equal(t, row.want, knots(row.nodes))
		})
	}
}

// A cycle through a pool is one only if no other thread of the pool goes on.
func TestKnotThroughAPoolNeedsAllOfItsThreads(t *testing.T) {
	caller := blocked(any1, 1, 2)
	assert.Empty(t, knots([]node{caller, blocked(all, 0), runs()}), "the second thread can take the task")
	found := knots([]node{caller, blocked(all, 0), blocked(all, 0)})
	assert.Len(t, found, 1)
	assert.Len(t, found[0].cycle, 3)
}

func TestKnotsLeaveOutWhatCanGoOn(t *testing.T) {
	for _, row := range []struct {
		name  string
		nodes []node
	}{
		{"nothing", nil},
		{"all run", []node{runs(), runs()}},
		{"a chain", []node{blocked(all, 1), blocked(all, 2), runs()}},
		{"a wait with a limit closes the cycle", []node{blocked(all, 1), limited(all, 0)}},
		{"nobody is known to hold it", []node{blocked(all), blocked(any1)}},
		{"others may end it", []node{blocked(unknown, 1), blocked(all, 0)}},
		{"a pool with a free thread", []node{blocked(any1, 0, 1, 2), blocked(any1, 0, 1, 2), runs()}},
		{"a thread that has ended, and nobody waits for it", []node{{gone: true}, runs()}},
		{"a reader behind a writer that gives up", []node{limited(all, 1), blocked(all, 0)}},
		{"a pool thread behind a lock that another pool frees", []node{
			blocked(all, 1), blocked(any1, 0, 2), blocked(all, 3), runs(),
		}},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Empty(t, knots(row.nodes)) })
	}
}

func TestKnotOfManyNodes(t *testing.T) {
	const n = 100_000
	nodes := make([]node, n)
	for i := range nodes {
		nodes[i] = blocked(all, (i+1)%n)
	}
	found := knots(nodes)
	assert.Len(t, found, 1)
	assert.Len(t, found[0].cycle, n)
	nodes[n/2] = runs()
	assert.Empty(t, knots(nodes))
	for i := range nodes {
		nodes[i] = blocked(all, 0)
	}
	found = knots(nodes)
	assert.Equal(t, []int{0}, found[0].cycle)
	assert.Len(t, found[0].behind, n-1)
}

// Against the definition: a set of nodes is stuck if no node of it can go on
// while only nodes outside of it do. Every small graph is tried.
func TestStuckIsTheLargestStuckSet(t *testing.T) {
	const n = 3
	kinds := []node{runs()}
	for servers := 1; servers < 1<<n; servers++ {
		var s []int
		for i := range n {
			if servers>>i&1 != 0 {
				s = append(s, i)
			}
		}
		kinds = append(kinds, blocked(all, s...), blocked(any1, s...))
	}
	isStuck := func(nodes []node, set int) bool {
		for i, nd := range nodes {
			if set>>i&1 == 0 {
				continue
			}
			free := 0
			for _, s := range nd.servers {
				free += 1 - set>>s&1
			}
			if !nd.waits || canGoOn(nd, free) {
				return false
			}
		}
		return true
	}
	for _, a := range kinds {
		for _, b := range kinds {
			for _, c := range kinds {
				nodes := []node{a, b, c}
				want := 0
				for set := range 1 << n {
					if isStuck(nodes, set) {
						want |= set // the union of stuck sets is one
					}
				}
				got := 0
				for i, dead := range stuck(nodes) {
					if dead {
						got |= 1 << i
					}
				}
				if got != want {
					t.Fatalf("got %b, want %b of %+v", got, want, nodes)
				}
			}
		}
	}
}
