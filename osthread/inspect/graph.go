package inspect

import "slices"

// The waits-for graph is an AND-OR graph: a node is a thread or goroutine, and
// a wait leads to the nodes that can end it. A wait for a lock needs all of its
// holders to go on, a wait for a task any thread of its pool.
//
// stuck finds the nodes that cannot go on: the largest set in which no node
// waits for something that a node outside of the set can bring about. It begins
// with all nodes that wait, and takes out those that can go on, until nothing
// changes. What is not known counts as able to go on: nothing is guessed.

// A need says which servers a wait needs.
type need uint8

const (
	unknown need = iota // others than the servers can end the wait
	all                 // each server must go on
	any1                // one server is enough
)

// A node is a thread or goroutine as the graph sees it.
type node struct {
	waits   bool
	ends    bool // the wait has a limit, so it ends by itself
	gone    bool // it has ended, and does nothing any more
	need    need
	servers []int // by index
}

// A knot is a set of nodes that wait for each other.
type knot struct {
	// cycle is ordered so that each node waits for the next one and the last
	// for the first, where the knot is a plain cycle. In others, like a pool
	// that waits for itself, the order follows first servers as far as it can.
	// A single node waits for itself, or is gone and has what others wait for.
	cycle []int
	// behind are the nodes outside of every knot that cannot go on before this
	// one is undone.
	behind []int
}

// stuck returns for each node whether it cannot go on.
func stuck(nodes []node) []bool {
	dead := make([]bool, len(nodes))
	alive := make([]int, len(nodes)) // the number of servers that can go on
	clients := make([][]int, len(nodes))
	var free []int
	for i, n := range nodes {
		dead[i] = n.gone || n.waits && !n.ends && n.need != unknown && len(n.servers) > 0
		if !dead[i] {
			free = append(free, i)
			continue
		}
		for _, s := range n.servers {
			clients[s] = append(clients[s], i)
		}
	}
	for len(free) > 0 {
		last := free[len(free)-1]
		free = free[:len(free)-1]
		for _, c := range clients[last] {
			if alive[c]++; dead[c] && canGoOn(nodes[c], alive[c]) {
				dead[c] = false
				free = append(free, c)
			}
		}
	}
	return dead
}

// canGoOn reports whether the wait of n ends if that many of its servers go on.
func canGoOn(n node, alive int) bool {
	return !n.gone && (n.need == any1 && alive > 0 || n.need == all && alive == len(n.servers))
}

// knots returns the knots among nodes, those with the lowest nodes first.
func knots(nodes []node) []knot {
	dead := stuck(nodes)
	s := search{nodes: nodes, dead: dead, order: make([]int, len(nodes)), low: make([]int, len(nodes))}
	for i := range nodes {
		if dead[i] && s.order[i] == 0 {
			s.visit(i)
		}
	}
	slices.SortFunc(s.found, func(a, b knot) int { return slices.Min(a.cycle) - slices.Min(b.cycle) })
	addBehind(nodes, dead, s.found)
	return slices.DeleteFunc(s.found, func(k knot) bool { return nodes[k.cycle[0]].gone && len(k.behind) == 0 })
}

// A search finds the strongly connected components of the nodes that cannot go
// on (Tarjan).
type search struct {
	nodes []node
	dead  []bool
	order []int // 0: not visited yet
	low   []int // the lowest order that is reached from it; -1: its component is complete
	stack []int
	last  int
	found []knot
}

func (s *search) visit(i int) {
	s.last++
	s.order[i], s.low[i] = s.last, s.last
	s.stack = append(s.stack, i)
	for _, next := range s.nodes[i].servers {
		switch {
		case !s.dead[next] || s.low[next] < 0:
			continue
		case s.order[next] == 0:
			s.visit(next)
		}
		if s.low[next] >= 0 {
			s.low[i] = min(s.low[i], s.low[next])
		}
	}
	if s.low[i] == s.order[i] {
		s.complete(i)
	}
}

// complete takes the component that begins at i from the stack.
func (s *search) complete(i int) {
	var members []int
	for s.low[i] >= 0 {
		last := len(s.stack) - 1
		m := s.stack[last]
		s.stack = s.stack[:last]
		s.low[m] = -1
		members = append(members, m)
	}
	if len(members) > 1 || s.nodes[i].gone || slices.Contains(s.nodes[i].servers, i) {
		s.found = append(s.found, knot{cycle: walk(s.nodes, members)})
	}
}

// walk orders the members of a component: from the lowest along servers.
func walk(nodes []node, members []int) (path []int) {
	slices.Sort(members)
	left := make(map[int]bool, len(members))
	for _, m := range members {
		left[m] = true
	}
	for _, start := range members {
		for at, ok := start, left[start]; ok; {
			path = append(path, at)
			delete(left, at)
			next := slices.IndexFunc(nodes[at].servers, func(s int) bool { return left[s] })
			if ok = next >= 0; ok {
				at = nodes[at].servers[next]
			}
		}
	}
	return path
}

// addBehind adds each node that cannot go on and is in no knot to the first
// knot that it waits for.
func addBehind(nodes []node, dead []bool, found []knot) {
	clients := make([][]int, len(nodes))
	seen := make([]bool, len(nodes))
	for i, n := range nodes {
		if dead[i] {
			for _, s := range n.servers {
				clients[s] = append(clients[s], i)
			}
		}
	}
	for _, k := range found {
		for _, i := range k.cycle {
			seen[i] = true
		}
	}
	for i := range found {
		next := slices.Clone(found[i].cycle)
		for len(next) > 0 {
			last := next[len(next)-1]
			next = next[:len(next)-1]
			for _, c := range clients[last] {
				if !seen[c] {
					seen[c] = true
					next = append(next, c)
					found[i].behind = append(found[i].behind, c)
				}
			}
		}
		slices.Sort(found[i].behind)
	}
}
