package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/thread/osthread/inspect"
)

// A view is what the page shows of a frame. Its lists are bounded, whatever the
// process does, and say how much they leave out.
type view struct {
	summary
	Page    int      `json:"page"` // that is shown: the last one at most
	Pages   int      `json:"pages"`
	Matched int      `json:"matched"` // parties that the query finds
	Rows    []tabled `json:"rows"`
}

// A summary is what all views of a frame have.
type summary struct {
	Taken     time.Time   `json:"taken"`
	Process   int         `json:"process"`
	Watched   bool        `json:"watched"`
	Threads   int         `json:"threads"`
	Others    int         `json:"goroutines"`
	Waiting   int         `json:"waiting"`
	Total     int         `json:"total"` // parties
	Deadlocks []deadlock  `json:"deadlocks"`
	MoreDead  int         `json:"more_deadlocks,omitempty"`
	Graph     graph       `json:"graph"`
	Objects   []contended `json:"objects"`
	MoreObj   int         `json:"more_objects,omitempty"`
	Pools     []gauge     `json:"pools"`
	MorePools int         `json:"more_pools,omitempty"`
	Queues    []gauge     `json:"queues"`
	MoreQ     int         `json:"more_queues,omitempty"`
	Waits     []waited    `json:"waits"`
}

// A tabled is a row of the table.
type tabled struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	State     string   `json:"state"`
	Daemon    bool     `json:"daemon,omitempty"`
	Native    int      `json:"native,omitempty"`
	Goroutine uint64   `json:"goroutine,omitempty"`
	CPU       *float64 `json:"cpu,omitempty"` // percent of one processor
	CPUTime   float64  `json:"cpu_s,omitempty"`
	StackUse  int      `json:"stack_use,omitempty"`
	StackSize int      `json:"stack_size,omitempty"`
	Waits     string   `json:"waits,omitempty"`
	Ends      bool     `json:"ends,omitempty"`
	Since     float64  `json:"since_s,omitempty"`
	By        []string `json:"by,omitempty"`
	Holds     []string `json:"holds,omitempty"`
}

// A deadlock is one of inspect.Deadlock.
type deadlock struct {
	Steps  []step   `json:"steps"`
	More   int      `json:"more,omitempty"` // steps
	Behind []string `json:"behind,omitempty"`
	Unless string   `json:"unless,omitempty"`
	Size   int      `json:"size"` // parties in the cycle
}

// A step is a party of a deadlock, and what it waits for.
type step struct {
	Name  string   `json:"name"`
	Ended bool     `json:"ended,omitempty"`
	Waits string   `json:"waits,omitempty"`
	Since float64  `json:"since_s,omitempty"`
	By    []string `json:"by,omitempty"`
}

// A contended is an object that is waited for, or was.
type contended struct {
	Object  string   `json:"object"`
	Waiters int      `json:"waiters"`
	Longest float64  `json:"longest_s"`
	By      []string `json:"by,omitempty"`
	Count   int64    `json:"count,omitempty"` // of waits that have ended, in watch mode
	Time    float64  `json:"time_s,omitempty"`
}

// A gauge is a pool or a queue.
type gauge struct {
	Name  string `json:"name"`
	Value int    `json:"value"` // backlog, length
	Max   int    `json:"max,omitempty"`
	Note  string `json:"note,omitempty"`
}

// A waited is a kind of waits that have ended.
type waited struct {
	Kind  string  `json:"kind"`
	Count float64 `json:"count"`
	Time  float64 `json:"time_s"`
}

// How many elements lists have.
const (
	mostNames     = 4
	mostDeadlocks = 10
	mostSteps     = 16
	mostObjects   = 20
	mostGauges    = 30
)

// view returns the view of q. The caller has f.mu.
func (f *frame) view(q query) view {
	if f.shared == nil {
		f.shared = f.summarize()
	}
	found := f.find(q)
	v := view{summary: *f.shared, Matched: len(found), Pages: max(1, (len(found)+q.size-1)/q.size)}
	v.Page = min(q.page, v.Pages)
	first := (v.Page - 1) * q.size
	v.Rows = []tabled{}
	for _, r := range found[first:min(first+q.size, len(found))] {
		v.Rows = append(v.Rows, f.tabled(r))
	}
	return v
}

// find returns the rows of q, in its order.
func (f *frame) find(q query) []*row {
	var found []*row
	for i := range f.rows {
		if r := &f.rows[i]; (q.state == "" || r.state == q.state) && f.matches(r, q.text) {
			found = append(found, r)
		}
	}
	order := sorts[q.sort]
	slices.SortFunc(found, func(a, b *row) int {
		c := order(a, b)
		if q.desc {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.at, b.at))
	})
	return found
}

func (f *frame) matches(r *row, text string) bool {
	if text == "" || contains(r.name, text) || contains(r.object, text) {
		return true
	}
	p := &f.snapshot.Parties[r.at]
	for _, h := range p.Holds {
		if contains(f.objects[h.Object], text) {
			return true
		}
	}
	return text == strconv.Itoa(p.NativeID) || text == strconv.FormatUint(p.Goroutine, 10)
}

func contains(s, lower string) bool { return strings.Contains(strings.ToLower(s), lower) }

func (f *frame) tabled(r *row) tabled {
	p := &f.snapshot.Parties[r.at]
	use := f.stackUse(p.Serial)
	t := tabled{
		ID: r.id, Name: cut(r.name), Kind: r.kind, State: r.state, Daemon: p.Daemon,
		Native: p.NativeID, Goroutine: p.Goroutine, CPUTime: p.CPUTime.Seconds(),
		StackUse: use.Used, StackSize: use.Size, Waits: r.object, Since: r.since.Seconds(),
	}
	if r.cpu >= 0 {
		t.CPU = &r.cpu
	}
	if p.Wait != nil {
		t.Ends, t.By = p.Wait.Ends, f.by(p.Wait)
	}
	for i, h := range p.Holds {
		if i == mostNames {
			t.Holds = append(t.Holds, more(len(p.Holds)-i))
			break
		}
		held := f.objects[h.Object]
		if h.How != "" {
			held += " (" + h.How + ")"
		}
		t.Holds = append(t.Holds, held)
	}
	return t
}

func more(n int) string { return strconv.Itoa(n) + " more" }

// by returns the names of those that a waiter needs, or of the holders.
func (f *frame) by(w *inspect.Wait) []string {
	if len(w.Servers) > 0 {
		return f.names(w.Servers)
	}
	return f.names(f.snapshot.Objects[w.Object].Holders)
}

func (f *frame) names(parties []int) (names []string) {
	for i, p := range parties {
		if i == mostNames {
			return append(names, more(len(parties)-i))
		}
		names = append(names, cut(f.snapshot.Parties[p].Name))
	}
	return names
}

// first returns at most n elements, and how many are left out.
func first[T any](all []T, n int) ([]T, int) {
	if len(all) <= n {
		return all, 0
	}
	return all[:n], len(all) - n
}
