package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// A key is what is counted: an event of a group of loads, storms or callers.
type key struct{ group, name, what string }

// A tally counts.
type tally struct {
	mu sync.Mutex
	n  map[key]*atomic.Int64
}

// of returns the counter of k.
func (t *tally) of(k key) *atomic.Int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.n[k]
	if n == nil {
		if t.n == nil {
			t.n = map[key]*atomic.Int64{}
		}
		n = new(atomic.Int64)
		t.n[k] = n
	}
	return n
}

// report prints a row for each name, with all of its counts.
func (t *tally) report(out io.Writer, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(t.n), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name), cmp.Compare(a.what, b.what))
	})
	fmt.Fprintf(out, "\ndone in %v:\n", took.Round(time.Second))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	last := key{}
	for _, k := range keys {
		if k.group != last.group || k.name != last.name {
			if last != (key{}) {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "%s\t%s\t", k.group, k.name)
		} else {
			fmt.Fprint(w, ", ")
		}
		fmt.Fprintf(w, "%d %s", t.n[k].Load(), k.what)
		last = k
	}
	fmt.Fprintln(w)
}
