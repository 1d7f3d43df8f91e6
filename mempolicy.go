package thread

import "slices"

// A MemoryMode says on which memory nodes the kernel puts the pages that a
// thread is the first to touch (Linux: set_mempolicy(2)).
type MemoryMode int

// The modes. All but the first two take Nodes.
const (
	MemoryDefault       MemoryMode = iota // the node of the processor that the thread runs on
	MemoryLocal                           // the same, whatever the process's policy is
	MemoryPreferred                       // the one node, others if it is full
	MemoryPreferredMany                   // the nodes, others if they are full; Linux 5.15
	MemoryBind                            // the nodes alone
	MemoryInterleave                      // the nodes in turn
)

func (m MemoryMode) String() string {
	return nameOf(int(m), "MemoryMode", "default", "local", "preferred", "preferred many", "bind", "interleave")
}

// A MemoryPolicy is a mode, and the numbers of the nodes that it takes.
type MemoryPolicy struct {
	Mode  MemoryMode
	Nodes []int
}

const mostNodes = 1024 // of the kernel: 1 << NODES_SHIFT

func checkMemoryPolicy(p MemoryPolicy) error {
	takes := p.Mode > MemoryLocal
	switch {
	case !osMemoryPolicy:
		return unsupported("memory policy of a thread")
	case p.Mode < MemoryDefault || p.Mode > MemoryInterleave:
		return badAttr("%v", p.Mode)
	case takes != (len(p.Nodes) > 0), p.Mode == MemoryPreferred && len(p.Nodes) != 1:
		return badAttr("memory policy %v with %d nodes", p.Mode, len(p.Nodes))
	}
	for _, n := range p.Nodes {
		if n < 0 || n >= mostNodes {
			return badAttr("memory policy: node %d is not in 0 to %d", n, mostNodes-1)
		}
	}
	return nil
}

// SetMemoryPolicy sets the calling thread's memory policy. Threads that it
// creates inherit that. It is for memory of C code, and memory that the program
// maps: a page of Go's heap belongs to whichever thread touched it first, and
// is used again by others.
//
// SetMemoryPolicy returns ErrNotAttached in a goroutine without a thread of its
// own; syscall.EINVAL for a policy that is none, and if the process may use
// none of the nodes (see package topology); the system's error, which is
// syscall.ENOSYS for a kernel without memory nodes; and errors.ErrUnsupported
// on systems other than Linux.
func SetMemoryPolicy(p MemoryPolicy) error {
	if err := checkMemoryPolicy(p); err != nil {
		return err
	}
	if Current() == nil {
		return ErrNotAttached
	}
	return osSetMemoryPolicy(p)
}

// CurrentMemoryPolicy returns the calling thread's memory policy, its nodes
// ascending. Its errors are those of SetMemoryPolicy, and errors.ErrUnsupported
// for a mode without a name here.
func CurrentMemoryPolicy() (MemoryPolicy, error) {
	if !osMemoryPolicy {
		return MemoryPolicy{}, unsupported("memory policy of a thread")
	}
	if Current() == nil {
		return MemoryPolicy{}, ErrNotAttached
	}
	return osMemoryPolicyOf()
}

// clone returns a copy of p.
func (p *MemoryPolicy) clone() *MemoryPolicy {
	if p == nil {
		return nil
	}
	return &MemoryPolicy{p.Mode, slices.Clone(p.Nodes)}
}
