package inspect

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"example.com/thread/internal/keep"
	"example.com/thread/internal/sight"
	"example.com/thread/internal/waitfor"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
)

// Pools are found by their threads, of which one has any while it has work, and
// queues by their waiters and, in watch mode, by their names. So neither pays
// for being known, and none is kept alive.

// gauges adds to the snapshot what is counted and not waited for.
func (t *taker) gauges() {
	s := t.snapshot
	s.Started = keep.Starts()
	s.Ended = map[string]Waits{}
	for name, total := range waits.Totals() {
		s.Ended[name] = Waits{total.Waits, time.Duration(total.Nanos)}
	}
	t.pools()
	t.queues()
}

func (t *taker) pools() {
	known := map[any]bool{}
	for _, s := range t.view.subjects {
		if s.record == nil {
			continue
		}
		owner := waitfor.OwnerOf(keep.Slot(s.record))
		if owner == nil || known[owner] {
			continue
		}
		known[owner] = true
		if p, ok := sight.Describe(owner); ok {
			t.snapshot.Pools = append(t.snapshot.Pools, Pool(p))
		}
	}
}

// A sized object is a queue of values of any type.
type sized interface {
	fmt.Stringer
	Len() int
	Empty() bool
}

func (t *taker) queues() {
	known := map[uintptr]bool{} // by address: that of a Simple is its Queue's
	add := func(object any) {
		q, ok := object.(sized)
		if !ok || reflect.ValueOf(object).Kind() != reflect.Pointer {
			return
		}
		if at := reflect.ValueOf(object).Pointer(); !known[at] {
			known[at] = true
			t.snapshot.Queues = append(t.snapshot.Queues, newQueue(q))
		}
	}
	for _, s := range t.view.subjects {
		if s.waits {
			add(s.wait.Object)
		}
	}
	if watch.On {
		for _, object := range watch.Referred() {
			add(object)
		}
	}
	slices.SortFunc(t.snapshot.Queues, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Text, b.Text))
	})
}

func newQueue(q sized) Queue {
	r := Queue{Text: q.String(), Name: watch.NameOf(q), Len: q.Len()}
	if bounded, ok := q.(interface{ Cap() int }); ok {
		r.Max = bounded.Cap()
	}
	switch w := q.(type) {
	case interface{ Waiting() (getters, putters int) }:
		r.Getters, r.Putters = w.Waiting()
	case interface{ Waiting() (getters int) }: // a Simple
		r.Getters = w.Waiting()
	}
	return r
}
