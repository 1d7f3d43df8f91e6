package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/thread/osthread/inspect"
)

// summarize returns what all views of f have. The caller has f.mu.
func (f *frame) summarize() *summary {
	s := f.snapshot
	v := &summary{
		Taken: s.Taken, Process: s.Process, Watched: s.Watched, Total: len(s.Parties),
		Deadlocks: []deadlock{}, Graph: newGraph(f),
	}
	for i := range f.rows {
		switch r := &f.rows[i]; {
		case r.state == ended:
		case s.Parties[r.at].Kind == inspect.KindThread:
			v.Threads++
		default:
			v.Others++
		}
		if s.Parties[i].Wait != nil {
			v.Waiting++
		}
	}
	var shown []inspect.Deadlock
	shown, v.MoreDead = first(s.Deadlocks, mostDeadlocks)
	for _, d := range shown {
		v.Deadlocks = append(v.Deadlocks, f.deadlock(d))
	}
	v.Objects, v.MoreObj = first(f.contention(), mostObjects)
	v.Pools, v.MorePools = first(pools(s.Pools), mostGauges)
	v.Queues, v.MoreQ = first(queues(s.Queues), mostGauges)
	v.Waits = waitsOf(f.metrics)
	return v
}

func (f *frame) deadlock(d inspect.Deadlock) deadlock {
	cycle, left := first(d.Cycle, mostSteps)
	r := deadlock{More: left, Behind: f.names(d.Behind), Unless: d.Unless, Size: len(d.Cycle)}
	for _, i := range cycle {
		p := &f.snapshot.Parties[i]
		s := step{Name: cut(p.Name), Ended: p.Ended, Waits: f.rows[i].object, Since: f.rows[i].since.Seconds()}
		if p.Wait != nil {
			s.By = f.by(p.Wait)
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// contention returns the objects that are waited for, those with the most
// waiters first, and then those that have been waited for the longest. Idle
// threads of pools wait for no object.
func (f *frame) contention() []contended {
	all := []contended{}
	for at, o := range f.snapshot.Objects {
		idle := o.Type == "task" || o.Type == "call"
		if idle || len(o.Waiters) == 0 && o.Ended.Count == 0 {
			continue
		}
		longest := time.Duration(0)
		for _, i := range o.Waiters {
			longest = max(longest, f.rows[i].since)
		}
		all = append(all, contended{
			f.objects[at], len(o.Waiters), longest.Seconds(), f.names(o.Holders), o.Ended.Count, o.Ended.Time.Seconds(),
		})
	}
	slices.SortStableFunc(all, func(a, b contended) int {
		return cmp.Or(
			cmp.Compare(b.Waiters, a.Waiters), cmp.Compare(b.Time, a.Time), cmp.Compare(b.Longest, a.Longest),
		)
	})
	return all
}

func pools(all []inspect.Pool) []gauge {
	gauges := []gauge{}
	for _, p := range all {
		note := fmt.Sprintf("%d of %d threads busy", p.Threads-p.Idle, p.Threads)
		if p.Blocked > 0 {
			note += fmt.Sprintf(", %d submitters blocked", p.Blocked)
		}
		gauges = append(gauges, gauge{cut(p.Name), p.Backlog, p.Max, note})
	}
	slices.SortStableFunc(gauges, byValue)
	return gauges
}

func queues(all []inspect.Queue) []gauge {
	gauges := []gauge{}
	for _, q := range all {
		name := q.Name
		if name == "" {
			name, _, _ = strings.Cut(q.Text, ",")
			name += ")"
		}
		var notes []string
		if q.Getters > 0 {
			notes = append(notes, fmt.Sprintf("%d waiting to get", q.Getters))
		}
		if q.Putters > 0 {
			notes = append(notes, fmt.Sprintf("%d waiting to put", q.Putters))
		}
		gauges = append(gauges, gauge{cut(name), q.Len, q.Max, strings.Join(notes, ", ")})
	}
	slices.SortStableFunc(gauges, byValue)
	return gauges
}

func byValue(a, b gauge) int {
	return cmp.Or(-cmp.Compare(a.Value, b.Value), strings.Compare(a.Name, b.Name))
}

// waitsOf returns the waits that have ended, by kind, those of locks first.
func waitsOf(samples []inspect.Sample) []waited {
	byKind := map[string]*waited{}
	var kinds []string
	for _, s := range samples {
		path, unit, _ := strings.Cut(s.Metric, ":")
		kind, found := strings.CutPrefix(path, "/waits/")
		switch {
		case path == "/locks/contended":
			kind = "locks"
		case !found || kind == "total":
			continue
		}
		if byKind[kind] == nil {
			byKind[kind] = &waited{Kind: kind}
			kinds = append(kinds, kind)
		}
		switch unit {
		case "waits":
			byKind[kind].Count = s.Value
		case "seconds":
			byKind[kind].Time = s.Value
		}
	}
	all := []waited{}
	for _, kind := range kinds {
		if w := byKind[kind]; w.Count > 0 {
			all = append(all, *w)
		}
	}
	slices.SortStableFunc(all, func(a, b waited) int { return -cmp.Compare(a.Time, b.Time) })
	return all
}
