package watch

import (
	"fmt"
)

// A node goes together with the lock's entry (objects.go), which each lock has
// before it is first wanted.

// nodeOf returns the node of a lock, which it makes if there is none. The
// caller holds orderMu.
func nodeOf(e eface, lock any) *node {
	key := uintptr(e.data)
	n := nodes[key]
	if n != nil {
		return n
	}
	if nodes == nil {
		nodes = map[uintptr]*node{}
	}
	made++
	n = &node{
		serial: made,
		lock:   Object{Address: key, Value: fmt.Sprintf("%T(%p)", lock, lock)},
		out:    map[*node]*edge{},
		in:     map[*node]bool{},
	}
	nodes[key] = n
	return n
}

// leave takes n out of the graph. The caller holds orderMu.
func (n *node) leave() {
	delete(nodes, n.lock.Address)
	for from := range n.in {
		delete(from.out, n)
	}
	for to := range n.out {
		delete(to.in, n)
	}
	epoch.Add(1)
}

// leaveOrder takes an object out of the graph, if it is there.
func leaveOrder(object uintptr) {
	orderMu.Lock()
	defer orderMu.Unlock()
	if n := nodes[object]; n != nil {
		n.leave()
	}
}

// name fills in the names of now.
func (i Inversion) name() {
	for at := range i.Steps {
		for _, o := range []*Object{&i.Steps[at].Held, &i.Steps[at].Wanted} {
			s, key := shardAt(o.Address)
			s.mu.RLock()
			if known := s.m[key]; known != nil {
				o.Name = known.name
			}
			s.mu.RUnlock()
		}
	}
}
