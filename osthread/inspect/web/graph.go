package web

import (
	"cmp"
	"slices"

	"example.com/thread/osthread/inspect"
)

// A graph is the waits-for graph as the page draws it: an edge leads from a
// waiter to a party that it needs. It is bounded: deadlocks come first, of many
// waiters for one object a few are shown and the others are one node, and so
// are the middle of a long cycle and most of many holders.
type graph struct {
	Nodes   []node     `json:"nodes"`
	Edges   []edge     `json:"edges"`
	Cycles  [][]string `json:"cycles,omitempty"` // ids of nodes, each of which waits for the next
	Omitted int        `json:"omitted,omitempty"`
}

// A node is a party, or several.
type node struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state,omitempty"` // "": several parties
}

// An edge is a wait.
type edge struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Object string `json:"object"`
	Ends   bool   `json:"ends,omitempty"` // it has a limit
	Dead   bool   `json:"dead,omitempty"` // of a cycle
}

const (
	mostNodes   = 40
	mostCycle   = 12 // nodes of a cycle
	mostWaiters = 4  // for one object, outside of cycles
	mostServers = 3  // of one waiter
)

// A grapher makes a graph.
type grapher struct {
	f     *frame
	graph graph
	known map[string]bool // ids of nodes
	lone  map[int]int     // waiters shown, by object
	rest  map[int]*folded // waiters not shown, by object
	order []int           // keys of rest
}

// A folded is a number of waiters for one object that are one node.
type folded struct {
	number int
	wait   *inspect.Wait
}

func newGraph(f *frame) graph {
	g := &grapher{f: f, known: map[string]bool{}, lone: map[int]int{}, rest: map[int]*folded{}}
	g.graph = graph{Nodes: []node{}, Edges: []edge{}}
	for _, d := range f.snapshot.Deadlocks {
		if len(g.graph.Nodes)+min(len(d.Cycle), mostCycle) > mostNodes {
			g.graph.Omitted += len(d.Cycle)
			continue
		}
		g.cycle(d)
	}
	for _, i := range g.waiters() {
		g.waiter(i)
	}
	g.fold()
	return g.graph
}

// waiters returns the parties outside of cycles that wait for known ones, those
// behind a deadlock first, and then those that have waited the longest.
func (g *grapher) waiters() (all []int) {
	for i := range g.f.rows {
		r := &g.f.rows[i]
		if w := g.f.snapshot.Parties[i].Wait; w != nil && len(w.Servers) > 0 && r.state != deadlocked {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int {
		return cmp.Or(byUrgency(&g.f.rows[a], &g.f.rows[b]), cmp.Compare(a, b))
	})
	return all
}

// cycle adds the parties of a deadlock. They may all wait for any of several,
// so the edges are those of their servers, unless a part is left out.
func (g *grapher) cycle(d inspect.Deadlock) {
	if len(d.Cycle) <= mostCycle {
		ids := make([]string, len(d.Cycle))
		for k, i := range d.Cycle {
			ids[k] = g.party(i)
		}
		g.graph.Cycles = append(g.graph.Cycles, ids)
		for _, i := range d.Cycle {
			if w := g.f.snapshot.Parties[i].Wait; w != nil {
				g.edges(i, w, func(server int) bool { return slices.Contains(d.Cycle, server) })
			}
		}
		return
	}
	head, tail := d.Cycle[:mostCycle/2], d.Cycle[len(d.Cycle)-mostCycle/2+1:]
	var ids []string
	for _, i := range head {
		ids = append(ids, g.party(i))
	}
	ids = append(ids, g.several("cycle "+ids[0], len(d.Cycle)-len(head)-len(tail)))
	for _, i := range tail {
		ids = append(ids, g.party(i))
	}
	g.graph.Cycles = append(g.graph.Cycles, ids)
	for k, from := range ids {
		object := ""
		if k != len(head) {
			at := head
			j := k
			if k > len(head) {
				at, j = tail, k-len(head)-1
			}
			object = g.f.rows[at[j]].object
		}
		g.graph.Edges = append(g.graph.Edges, edge{From: from, To: ids[(k+1)%len(ids)], Object: object, Dead: true})
	}
}

func (g *grapher) waiter(i int) {
	w := g.f.snapshot.Parties[i].Wait
	switch {
	case g.lone[w.Object] < mostWaiters && len(g.graph.Nodes) < mostNodes:
		g.lone[w.Object]++
		g.party(i)
		g.edges(i, w, func(int) bool { return false })
	case g.rest[w.Object] == nil:
		g.rest[w.Object] = &folded{1, w}
		g.order = append(g.order, w.Object)
	default:
		g.rest[w.Object].number++
	}
}

// fold adds a node for the waiters of each object that have none, if one of
// those that they wait for has.
func (g *grapher) fold() {
	for _, object := range g.order {
		r := g.rest[object]
		server := g.f.rows[r.wait.Servers[0]].id
		if !g.known[server] || len(g.graph.Nodes) >= 2*mostNodes {
			g.graph.Omitted += r.number
			continue
		}
		id := g.several("waiters "+server+g.f.rows[g.f.snapshot.Objects[object].Waiters[0]].id, r.number)
		g.graph.Edges = append(g.graph.Edges, edge{From: id, To: server, Object: g.f.objects[object]})
	}
}

// edges adds the edges of the waiter i, and the nodes that they lead to.
func (g *grapher) edges(i int, w *inspect.Wait, dead func(server int) bool) {
	servers, left := first(w.Servers, mostServers)
	e := edge{From: g.f.rows[i].id, Object: g.f.rows[i].object, Ends: w.Ends}
	for _, server := range servers {
		e.To, e.Dead = g.party(server), dead(server)
		g.graph.Edges = append(g.graph.Edges, e)
	}
	if left > 0 {
		e.To, e.Dead = g.several("servers "+e.From, left), false
		g.graph.Edges = append(g.graph.Edges, e)
	}
}

// party adds the node of a party, if it is new, and returns its id.
func (g *grapher) party(i int) string {
	r := &g.f.rows[i]
	if !g.known[r.id] {
		g.known[r.id] = true
		g.graph.Nodes = append(g.graph.Nodes, node{r.id, cut(r.name), r.state})
	}
	return r.id
}

// several adds a node for n parties.
func (g *grapher) several(id string, n int) string {
	g.graph.Nodes = append(g.graph.Nodes, node{ID: id, Name: more(n)})
	return id
}
