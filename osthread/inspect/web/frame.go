package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/osthread/inspect"
)

// A frame is one snapshot with what the page derives from it and from the one
// before. It does not change, but for what render keeps.
type frame struct {
	snapshot *inspect.Snapshot
	metrics  []inspect.Sample
	rows     []row
	objects  []string                 // by index, as the page shows them
	cpu      map[string]time.Duration // by row.id, for the next frame
	records  map[uint64]*thread.Thread
	stacks   *stackCache

	rendering atomic.Int64 // ns that render has taken

	mu       sync.Mutex
	rendered map[query][]byte
	shared   *summary // nil until the first rendering
	all      []byte   // of whole
}

// A row is a party as the table sorts it.
type row struct {
	at     int // in Snapshot.Parties, in the order of starts
	id     string
	name   string
	kind   string
	state  string
	cpu    float64 // of one processor, in percent; -1: not known
	object string  // what it waits for
	since  time.Duration
}

// The states of a party.
const (
	deadlocked = "deadlocked" // in the cycle of a deadlock
	stuck      = "stuck"      // behind one
	waiting    = "waiting"
	running    = "running"
	ended      = "ended"
)

// urgency orders the states.
var urgency = map[string]int{deadlocked: 0, stuck: 1, ended: 2, waiting: 3, running: 4}

// newFrame makes the frame of s. last is the frame before, nil if there is
// none.
func newFrame(s *inspect.Snapshot, last *frame) *frame {
	f := &frame{snapshot: s, rendered: map[query][]byte{}, cpu: map[string]time.Duration{}}
	f.metrics = f.snapshot.Metrics()
	f.stacks = &stackCache{uses: map[uint64]stackUse{}}
	if last != nil {
		f.stacks = last.stacks
	}
	for _, o := range s.Objects {
		f.objects = append(f.objects, short(o))
	}
	states := statesOf(f.snapshot)
	f.rows = make([]row, len(f.snapshot.Parties))
	for i := range f.rows {
		f.rows[i] = f.newRow(i, last)
		if states[i] != "" {
			f.rows[i].state = states[i]
		}
	}
	return f
}

// statesOf returns the states of those that a deadlock keeps.
func statesOf(s *inspect.Snapshot) map[int]string {
	states := map[int]string{}
	for _, d := range s.Deadlocks {
		for _, i := range d.Cycle {
			states[i] = deadlocked
		}
		for _, i := range d.Behind {
			states[i] = stuck
		}
	}
	return states
}

func (f *frame) newRow(i int, last *frame) row {
	p := &f.snapshot.Parties[i]
	r := row{at: i, id: idOf(p, i), name: p.Name, kind: p.Origin, state: running, cpu: -1}
	if p.Kind == inspect.KindGoroutine {
		r.kind = string(p.Kind)
	}
	switch {
	case p.Ended:
		r.state = ended
	case p.Wait != nil:
		r.state, r.since = waiting, p.Wait.For
		r.object = f.objects[p.Wait.Object]
	}
	if p.CPUTime > 0 {
		f.cpu[r.id] = p.CPUTime
		r.cpu = f.percent(r.id, p.CPUTime, last)
	}
	return r
}

// percent returns how much of a processor a party has used since the frame
// before, -1 if that is not known.
func (f *frame) percent(id string, used time.Duration, last *frame) float64 {
	if last == nil {
		return -1
	}
	before, known := last.cpu[id]
	passed := f.snapshot.Taken.Sub(last.snapshot.Taken)
	if !known || passed <= 0 {
		return -1
	}
	return max(0, 100*float64(used-before)/float64(passed))
}

// idOf returns what the party i has in all frames. Letters distinguish the
// kinds of numbers.
func idOf(p *inspect.Party, i int) string {
	switch {
	case p.Serial != 0:
		return "t" + strconv.FormatUint(p.Serial, 10)
	case p.Kind == inspect.KindGoroutine:
		return "g" + strconv.FormatUint(p.Goroutine, 10)
	case p.NativeID != 0:
		return "n" + strconv.Itoa(p.NativeID)
	default:
		return "p" + strconv.Itoa(i)
	}
}

// short returns an object's type and name, or where it was first used, or the
// beginning of its text: what follows changes all the time.
func short(o inspect.Object) string {
	if o.Name != "" {
		return fmt.Sprintf("%s %q", bare(o.Type), cut(o.Name))
	}
	if o.FirstUse != nil {
		file := o.FirstUse.File[strings.LastIndexAny(o.FirstUse.File, `/\`)+1:]
		return fmt.Sprintf("%s of %s:%d", bare(o.Type), cut(file), o.FirstUse.Line)
	}
	text, _, long := strings.Cut(o.Text, ", ")
	if long && strings.HasSuffix(o.Text, ")") {
		text += ")"
	}
	return cut(text)
}

// bare returns a type without its package.
func bare(typ string) string {
	head, arguments, generic := strings.Cut(typ, "[")
	if head == "" { // a slice
		return typ
	}
	head = head[strings.LastIndexByte(head, '.')+1:]
	if generic {
		head += "[" + arguments
	}
	return cut(head)
}

// longestName is how many bytes of a name the page shows.
const longestName = 120

// cut returns the beginning of a long text, at a whole character.
func cut(text string) string {
	if len(text) <= longestName {
		return text
	}
	return strings.ToValidUTF8(text[:longestName], "") + "…"
}

func byUrgency(a, b *row) int {
	return cmp.Or(cmp.Compare(urgency[a.state], urgency[b.state]), -cmp.Compare(a.since, b.since))
}
func byStart(a, b *row) int  { return cmp.Compare(a.at, b.at) }
func byName(a, b *row) int   { return strings.Compare(a.name, b.name) }
func byKind(a, b *row) int   { return strings.Compare(a.kind, b.kind) }
func byCPU(a, b *row) int    { return -cmp.Compare(a.cpu, b.cpu) }
func bySince(a, b *row) int  { return -cmp.Compare(a.since, b.since) }
func byObject(a, b *row) int { return -strings.Compare(a.object, b.object) }

// whole returns the snapshot as JSON.
func (f *frame) whole() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all != nil {
		return f.all, nil
	}
	text, err := json.Marshal(f.snapshot)
	f.all = text
	return text, err
}

// mostRendered is how many renderings a frame keeps. Every stream can have one.
const mostRendered = 128

// render returns the view of q as JSON.
func (f *frame) render(q query) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := f.rendered[q]; text != nil {
		return text, nil
	}
	began := time.Now()
	text, err := json.Marshal(f.view(q))
	f.rendering.Add(int64(time.Since(began)))
	if err == nil && len(f.rendered) < mostRendered {
		f.rendered[q] = text
	}
	return text, err
}
