package inspect

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
)

// WriteTo writes s for a person: the deadlocks first, then a paragraph for each
// party with what it waits for, what it holds, and its stack, the caller's
// frames first and those of this module folded into a line.
func (s *Snapshot) WriteTo(w io.Writer) (n int64, err error) {
	counted := &counter{w: w}
	p := printer{s, bufio.NewWriter(counted)}
	p.head()
	for i := range s.Deadlocks {
		p.deadlock(i)
	}
	for i := range s.Parties {
		p.party(i)
	}
	err = p.w.Flush()
	return counted.n, err
}

// String returns what WriteTo writes.
func (s *Snapshot) String() string {
	var b strings.Builder
	_, _ = s.WriteTo(&b) // a Builder has no errors
	return b.String()
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

type printer struct {
	s *Snapshot
	w *bufio.Writer
}

func (p *printer) line(indent int, format string, args ...any) {
	fmt.Fprintf(p.w, "%*s%s\n", indent, "", fmt.Sprintf(format, args...)) // Flush returns the error
}

func (p *printer) head() {
	threads, goroutines, waiting := 0, 0, 0
	for _, q := range p.s.Parties {
		if q.Kind == KindThread {
			threads++
		} else {
			goroutines++
		}
		if q.Wait != nil {
			waiting++
		}
	}
	line := fmt.Sprintf("Process %d at %s: %s", p.s.Process, p.s.Taken.Format(time.RFC3339), count(threads, "thread"))
	if goroutines > 0 {
		line += ", " + count(goroutines, "goroutine")
	}
	p.line(0, "%s, %d waiting here; %s", line, waiting, count(len(p.s.Deadlocks), "deadlock"))
	if !p.s.Watched {
		p.line(0, "Run with OSTHREAD_WATCH=1 to see goroutines, and the holders of locks without an owner.")
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (p *printer) deadlock(i int) {
	d := p.s.Deadlocks[i]
	p.line(0, "")
	first := p.s.Parties[d.Cycle[0]]
	switch {
	case first.Ended:
		p.line(0, "DEADLOCK %d: %v has ended and holds what others wait for", i+1, first)
	case len(d.Cycle) == 1:
		p.line(0, "DEADLOCK %d: %v waits for itself", i+1, first)
	default:
		p.line(0, "DEADLOCK %d: %d parties wait for each other", i+1, len(d.Cycle))
	}
	for _, j := range d.Cycle {
		if w := p.s.Parties[j].Wait; w != nil {
			p.line(2, "%v %s", p.s.Parties[j], p.wait(w))
		}
	}
	if d.Unless != "" {
		p.line(2, "unless %s", d.Unless)
	}
	if len(d.Behind) > 0 {
		p.line(2, "behind them, so stuck as well: %s", p.names(d.Behind))
	}
}

// wait describes w, as the predicate of a sentence.
func (p *printer) wait(w *Wait) string {
	text := fmt.Sprintf("waits for %s for %v", rounded(w.For), p.s.Objects[w.Object])
	holders := p.s.Objects[w.Object].Holders
	switch {
	case len(w.Servers) > 0 && isSubset(w.Servers, holders):
		text += ", held by " + p.names(w.Servers)
	case len(w.Servers) > 0 && w.Needs == NeedsAny:
		text += ", which only " + p.alternatives(w.Servers) + " can end"
	case len(w.Servers) > 0:
		text += ", for which " + p.names(w.Servers) + " must go on"
	case len(holders) > 0:
		text += ", held by " + p.names(holders)
	}
	if w.Ends {
		text += "; the wait has a limit"
	}
	return text
}

// most is how many names a list has.
const most = 10

// names lists parties.
func (p *printer) names(parties []int) string { return p.list(parties, "and") }

func (p *printer) alternatives(parties []int) string { return p.list(parties, "or") }

func (p *printer) list(parties []int, last string) string {
	var names []string
	for _, i := range parties[:min(len(parties), most)] {
		q := p.s.Parties[i]
		name := q.String()
		if q.Ended {
			name += " (ended)"
		}
		names = append(names, name)
	}
	if len(parties) > most {
		names = append(names, fmt.Sprintf("%d more", len(parties)-most))
	}
	n := len(names) - 1
	if n == 0 {
		return names[0]
	}
	return strings.Join(names[:n], ", ") + " " + last + " " + names[n]
}

func isSubset(some, of []int) bool {
	return !slices.ContainsFunc(some, func(i int) bool { return !slices.Contains(of, i) })
}

func (p *printer) party(i int) {
	q := p.s.Parties[i]
	p.line(0, "")
	p.line(0, "%s", title(q))
	switch {
	case q.Wait != nil:
		p.line(2, "%s", p.wait(q.Wait))
	case q.Ended:
		p.line(2, "has ended")
	}
	for _, h := range q.Holds {
		how := ""
		if h.How != "" {
			how = " (" + h.How + ")"
		}
		p.line(2, "holds %v%s", p.s.Objects[h.Object], how)
		p.frames("taken in", callers(h.Taken))
	}
	for n, stack := range q.Stacks {
		switch {
		case n == most:
			p.line(2, "and %d more stacks", len(q.Stacks)-n)
			return
		case len(q.Stacks) > 1:
			what := fmt.Sprintf("stack of this thread, or of another of its name (%d of %d)", n+1, len(q.Stacks))
			p.frames(what, stack)
		default:
			p.frames("stack", stack)
		}
	}
}

func title(q Party) string {
	t := q.String()
	if q.Kind == KindThread {
		t += " thread"
		if q.NativeID != 0 {
			t += fmt.Sprintf(" %d", q.NativeID)
		}
		if q.Goroutine != 0 {
			t += fmt.Sprintf(", goroutine %d", q.Goroutine)
		}
	}
	if q.Daemon {
		t += ", daemon"
	}
	if q.CPUTime > 0 {
		t += fmt.Sprintf(", %s on a processor", rounded(q.CPUTime))
	}
	if q.StackSize > 0 {
		t += fmt.Sprintf(", %d of %d KiB of stack for C", (q.StackUse+1023)/1024, q.StackSize/1024)
	}
	return t
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(time.Microsecond)
	}
}

func (p *printer) frames(what string, frames []Frame) {
	if len(frames) == 0 {
		return
	}
	p.line(4, "%s", what)
	for _, line := range fold(frames) {
		p.line(6, "%s", line)
	}
}

// callers returns the frames from the caller's on.
func callers(frames []Frame) []Frame {
	first := slices.IndexFunc(frames, isTheirs)
	return frames[max(first, 0):]
}

// fold returns the frames of the caller's code, and a line for those of this
// module, and of Go's runtime, inside of them. The frames that lead to the
// caller's code have no line.
func fold(frames []Frame) (lines []string) {
	first := slices.IndexFunc(frames, isTheirs)
	if first < 0 {
		first = len(frames)
	}
	for i := first; i < len(frames); i++ {
		f := frames[i]
		switch {
		case !isOurs(f):
			lines = append(lines, f.String())
		case isOurs(frames[i-1]) || !slices.ContainsFunc(frames[i:], isTheirs):
			// has its line, or leads to the caller's code
		default:
			lines = append(lines, "  by "+short(f))
		}
	}
	inner := frames[:first]
	last := len(inner)
	for last > 0 && isRuntime(inner[last-1]) {
		last--
	}
	if last > 0 {
		frames := count(len(inner), "frame")
		lines = append(lines, fmt.Sprintf("in %s (%s of the library)", short(inner[last-1]), frames))
	}
	return lines
}

// module is the path of this module.
var module = strings.TrimSuffix(reflect.TypeFor[Snapshot]().PkgPath(), "/osthread/inspect")

// isOurs reports whether f belongs to this module, but to no example or test of
// it, or to Go's runtime.
func isOurs(f Frame) bool {
	rest, ok := strings.CutPrefix(f.Func, module)
	if !ok || rest == "" {
		return isRuntime(f)
	}
	shown := strings.HasPrefix(rest, "/examples/") || strings.Contains(rest, "_test.")
	return rest[0] == '.' || rest[0] == '/' && !shown
}

func isTheirs(f Frame) bool { return !isOurs(f) }

func isRuntime(f Frame) bool {
	return strings.HasPrefix(f.Func, "runtime.") || strings.HasPrefix(f.Func, "internal/runtime/") ||
		strings.HasPrefix(f.Func, "runtime/") || strings.HasPrefix(f.Func, "iter.") ||
		strings.HasPrefix(f.Func, "_cgoexp_") || strings.HasPrefix(f.Func, "syscall.")
}

// short returns the function without the path of its package.
func short(f Frame) string { return f.Func[strings.LastIndexByte(f.Func, '/')+1:] }
