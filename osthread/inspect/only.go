package inspect

import "slices"

// only returns s with the parties of its deadlocks alone, those that they wait
// for, and the objects of these.
func (s *Snapshot) only() *Snapshot {
	keep := make([]bool, len(s.Parties))
	for _, d := range s.Deadlocks {
		for _, i := range slices.Concat(d.Cycle, d.Behind) {
			keep[i] = true
			if w := s.Parties[i].Wait; w != nil {
				for _, server := range w.Servers {
					keep[server] = true
				}
			}
		}
	}
	to := make([]int, len(s.Parties)) // new indexes; -1: left out
	n := 0
	for i := range to {
		if to[i] = -1; keep[i] {
			to[i] = n
			n++
		}
	}
	r := &Snapshot{Taken: s.Taken, Process: s.Process, Watched: s.Watched}
	for _, d := range s.Deadlocks {
		r.Deadlocks = append(r.Deadlocks, Deadlock{renumber(d.Cycle, to), renumber(d.Behind, to), d.Unless})
	}
	objects := map[int]int{}
	object := func(i int) int {
		j, known := objects[i]
		if !known {
			j = len(r.Objects)
			objects[i] = j
			o := s.Objects[i]
			o.Holders, o.Waiters = renumber(o.Holders, to), renumber(o.Waiters, to)
			r.Objects = append(r.Objects, o)
		}
		return j
	}
	for i, p := range s.Parties {
		if !keep[i] {
			continue
		}
		if p.Wait != nil {
			w := *p.Wait
			w.Object, w.Servers = object(w.Object), renumber(w.Servers, to)
			p.Wait = &w
		}
		p.Holds = slices.Clone(p.Holds)
		for j := range p.Holds {
			p.Holds[j].Object = object(p.Holds[j].Object)
		}
		r.Parties = append(r.Parties, p)
	}
	return r
}

// renumber returns the new indexes of those that are kept.
func renumber(old, to []int) (renumbered []int) {
	for _, i := range old {
		if to[i] >= 0 {
			renumbered = append(renumbered, to[i])
		}
	}
	return renumbered
}
