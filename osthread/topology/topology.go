// Package topology knows the machine's processors: which are online, which the
// process may use, and how they share cores, packages and memory. A [Set] of
// them is what threads are bound to:
//
//	m, err := topology.Read()
//	...
//	for i, cpus := range m.OnePerCore(4) {
//		osthread.Start(work(i), &osthread.Attr{Affinity: cpus.List()})
//	}
//
// It is supported on Linux, which says it in /sys and /proc. Elsewhere Read and
// Allowed return an error that errors.Is errors.ErrUnsupported.
package topology

import (
	"cmp"
	"slices"
)

// A CPU is a processor as the system numbers it: a hardware thread of a core.
type CPU struct {
	ID      int
	Core    int // the cores of a package have different numbers
	Package int
	Node    int // of memory (NUMA); 0 if the system does not say
}

// A Machine is the processors at one time: processors come and go, and the set
// that a process may use shrinks and grows. Read it again to follow.
type Machine struct {
	Online   Set // the system runs on them
	Allowed  Set // the process may be bound to them: its cpuset's that are online
	Isolated Set // the scheduler places no thread there by itself (isolcpus)
	CPUs     []CPU
}

// core says which core a CPU is of.
type core struct{ pkg, id int }

func (c CPU) core() core { return core{c.Package, c.Core} }

// allowed returns the processors that the process may use, by node, package,
// core and number. The isolated ones are left out if there are others.
func (m *Machine) allowed() []CPU {
	usable := m.Allowed.Minus(m.Isolated)
	if usable.IsEmpty() {
		usable = m.Allowed
	}
	cpus := slices.DeleteFunc(slices.Clone(m.CPUs), func(c CPU) bool { return !usable.Has(c.ID) })
	slices.SortFunc(cpus, func(a, b CPU) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Package, b.Package),
			cmp.Compare(a.Core, b.Core), cmp.Compare(a.ID, b.ID))
	})
	return cpus
}

// Siblings returns the processors of the same core, cpu among them.
func (m *Machine) Siblings(cpu int) Set {
	return m.where(cpu, func(a, b CPU) bool { return a.core() == b.core() })
}

// PackageOf returns the processors of the same package, cpu among them.
func (m *Machine) PackageOf(cpu int) Set {
	return m.where(cpu, func(a, b CPU) bool { return a.Package == b.Package })
}

// NodeOf returns the processors of the same memory node, cpu among them.
func (m *Machine) NodeOf(cpu int) Set {
	return m.where(cpu, func(a, b CPU) bool { return a.Node == b.Node })
}

// where returns the processors that are alike cpu, none if it is not online.
func (m *Machine) where(cpu int, alike func(a, b CPU) bool) Set {
	i := slices.IndexFunc(m.CPUs, func(c CPU) bool { return c.ID == cpu })
	if i < 0 {
		return Set{}
	}
	var ids []int
	for _, c := range m.CPUs {
		if alike(m.CPUs[i], c) {
			ids = append(ids, c.ID)
		}
	}
	return Of(ids...)
}

// Cores returns the allowed processors of each core that has some, by node,
// package and core.
func (m *Machine) Cores() (cores []Set) {
	last := core{-1, -1}
	for _, c := range m.allowed() {
		if c.core() != last || len(cores) == 0 {
			cores = append(cores, Set{})
			last = c.core()
		}
		cores[len(cores)-1] = cores[len(cores)-1].With(c.ID)
	}
	return cores
}

// Pack returns a processor for each of n threads that share much, as close
// together as can be: all of one core before the next core, all of one package
// and node before the next. With more threads than allowed processors it begins
// again.
func (m *Machine) Pack(n int) []Set { return deal(n, m.allowed()) }

// Spread returns a processor for each of n threads that share little, as far
// apart as can be: in turn from each node, from each package of it, from each
// core of that, and only then a second one of any core. With more threads than
// allowed processors it begins again.
func (m *Machine) Spread(n int) []Set {
	cpus := m.allowed()
	// The place of a processor among those like it, from the inside out.
	thread := places(cpus, func(c CPU) any { return c.core() })
	coreOf := map[core]int{}
	inPackage := map[int]int{}
	for _, c := range cpus {
		if _, ok := coreOf[c.core()]; !ok {
			coreOf[c.core()] = inPackage[c.Package]
			inPackage[c.Package]++
		}
	}
	packageOf := map[[2]int]int{}
	inNode := map[int]int{}
	for _, c := range cpus {
		at := [2]int{c.Node, c.Package}
		if _, ok := packageOf[at]; !ok {
			packageOf[at] = inNode[c.Node]
			inNode[c.Node]++
		}
	}
	slices.SortStableFunc(cpus, func(a, b CPU) int {
		return cmp.Or(cmp.Compare(thread[a.ID], thread[b.ID]),
			cmp.Compare(coreOf[a.core()], coreOf[b.core()]),
			cmp.Compare(packageOf[[2]int{a.Node, a.Package}], packageOf[[2]int{b.Node, b.Package}]),
			cmp.Compare(a.Node, b.Node))
	})
	return deal(n, cpus)
}

// places numbers the processors that are alike, from 0.
func places(cpus []CPU, like func(CPU) any) map[int]int {
	at, count := map[int]int{}, map[any]int{}
	for _, c := range cpus {
		at[c.ID] = count[like(c)]
		count[like(c)]++
	}
	return at
}

// OnePerCore returns a core, with all its allowed processors, for each of n
// threads, spread as by Spread. With more threads than cores it begins again.
func (m *Machine) OnePerCore(n int) []Set {
	allowed := Set{}
	for _, c := range m.allowed() {
		allowed = allowed.With(c.ID)
	}
	var cores []Set
	for _, s := range m.Spread(len(m.Cores())) {
		cores = append(cores, m.Siblings(s.List()[0]).Intersect(allowed))
	}
	return repeat(n, cores)
}

func deal(n int, cpus []CPU) []Set {
	sets := make([]Set, len(cpus))
	for i, c := range cpus {
		sets[i] = Of(c.ID)
	}
	return repeat(n, sets)
}

// repeat returns n of sets, beginning again after the last, none if there are
// none.
func repeat(n int, sets []Set) (out []Set) {
	for i := range n {
		if len(sets) == 0 {
			return nil
		}
		out = append(out, sets[i%len(sets)])
	}
	return out
}
