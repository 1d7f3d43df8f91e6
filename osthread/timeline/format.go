package timeline

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
)

// The format is the Trace Event Format
// (docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU): a
// list of objects, whose end readers do without. Times are in microseconds. pid
// is the process's, tid the number of a row; 0 is none of a thread.
//
//	ph  cat      name             shows
//	M            thread_name      the name and the native id of a row's thread
//	M            process_name, thread_sort_index
//	M            process_labels   N events dropped, if any were
//	X   thread   the thread's     from its start to its end
//	X   wait     wait for OBJECT
//	X   wake     wake OBJECT
//	i   thread   panic
//	s f wake     wake             an arrow from a wakeup to the end of a wait
//	C            OBJECT           its length, or a counter
//	i   dropped  N events dropped

// A formatter writes events. An error of w ends that for good.
type formatter struct {
	w     *bufio.Writer
	err   error
	begun bool
	line  []byte
	flows int64
}

var pid = os.Getpid()

// begin begins the object of an event with phase ph.
func (f *formatter) begin(ph string) {
	if !f.begun {
		f.begun = true
		f.preamble()
	}
	f.line = append(f.line[:0], ",\n{\"ph\":\""...)
	f.line = append(f.line, ph...)
	f.line = append(f.line, `","pid":`...)
	f.line = strconv.AppendInt(f.line, int64(pid), 10)
}

// preamble begins the list, with the name of the process.
func (f *formatter) preamble() {
	f.line = append(f.line[:0], "[\n{\"ph\":\"M\",\"pid\":"...)
	f.line = strconv.AppendInt(f.line, int64(pid), 10)
	f.text("name", "process_name")
	f.args().text("name", filepath.Base(os.Args[0]))
	f.line = append(f.line, "}}"...)
	f.flush()
}

// finish ends the object, of which args, if there are any, are not ended.
func (f *formatter) finish(args bool) {
	f.line = append(f.line, '}')
	if args {
		f.line = append(f.line, '}')
	}
	f.flush()
}

func (f *formatter) flush() {
	if f.err == nil {
		_, f.err = f.w.Write(f.line)
	}
}

// args begins the event's arguments.
func (f *formatter) args() *formatter {
	f.line = append(f.line, `,"args":{`...)
	return f
}

// key adds a field, after the one before it.
func (f *formatter) key(name string) {
	if f.line[len(f.line)-1] != '{' {
		f.line = append(f.line, ',')
	}
	f.line = append(f.line, '"')
	f.line = append(f.line, name...)
	f.line = append(f.line, `":`...)
}

// text adds a text, of which what is not UTF-8 becomes U+FFFD.
func (f *formatter) text(name, v string) *formatter {
	f.key(name)
	if isPlain(v) {
		f.line = append(f.line, '"')
		f.line = append(f.line, v...)
		f.line = append(f.line, '"')
		return f
	}
	quoted, _ := json.Marshal(v) // never fails for a string
	f.line = append(f.line, quoted...)
	return f
}

// isPlain reports whether v stands for itself in JSON, also within HTML.
func isPlain(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func (f *formatter) int(name string, v int64) *formatter {
	f.key(name)
	f.line = strconv.AppendInt(f.line, v, 10)
	return f
}

// time adds ns, at least 0, in microseconds.
func (f *formatter) time(name string, ns int64) *formatter {
	ns = max(ns, 0)
	f.key(name)
	f.line = strconv.AppendInt(f.line, ns/1000, 10)
	f.line = append(f.line, '.')
	for d := int64(100); d > 0; d /= 10 {
		f.line = append(f.line, byte('0'+ns/d%10))
	}
	return f
}

// row writes the metadata of w.
func (f *formatter) row(w *row) {
	name, native := w.title()
	f.begin("M")
	f.int("tid", int64(w.id)).text("name", "thread_name")
	f.args().text("name", shown(name, native))
	f.finish(true)
	f.begin("M")
	f.int("tid", int64(w.id)).text("name", "thread_sort_index")
	f.args().int("sort_index", int64(w.id))
	f.finish(true)
}

// shown returns the name of a thread with its native id, 0 where the system has
// none.
func shown(name string, native int) string {
	name = cut(name)
	if native == 0 {
		return name
	}
	return name + " [" + strconv.Itoa(native) + "]"
}

// slice writes the event of rec.
func (f *formatter) slice(rec *record) {
	switch rec.kind {
	case ofLife:
		f.life(rec)
	case ofWait:
		f.wait(rec)
	case ofWake:
		f.span(rec, "wake", "wake "+rec.label.text)
		f.finish(false)
	case ofPanic:
		f.begin("i")
		f.int("tid", int64(rec.row.id)).time("ts", rec.ts)
		f.text("s", "t").text("cat", "thread").text("name", "panic")
		f.finish(false)
	case ofCounter:
		f.begin("C")
		f.int("tid", 0).time("ts", rec.ts).text("name", rec.label.text)
		f.args().int("length", rec.value)
		f.finish(true)
	}
}

// span begins an event with a duration.
func (f *formatter) span(rec *record, cat, name string) {
	f.begin("X")
	f.int("tid", int64(rec.row.id)).time("ts", rec.ts).time("dur", rec.dur)
	f.text("cat", cat).text("name", name)
}

func (f *formatter) life(rec *record) {
	name, native := rec.row.title()
	f.span(rec, "thread", cut(name))
	f.args().int("thread id", int64(native)).int("serial", int64(rec.row.serial))
	if rec.row.early {
		f.text("began", "before the recording")
	}
	if rec.open {
		f.text("ended", "after the recording")
	}
	f.finish(true)
}

// wait writes a wait. Its arguments have no figures: speedscope sums slices up
// if they have the same name and arguments.
func (f *formatter) wait(rec *record) {
	f.span(rec, "wait", "wait for "+rec.label.text)
	f.args().text("object", rec.label.text)
	if rec.holder != nil {
		f.text("held by", title(rec.holder))
	}
	switch {
	case rec.open:
		f.text("ended", "after the recording")
	case rec.value == 0: // by its deadline, or without a sleep
	case rec.waker != nil:
		f.text("woken by", title(rec.waker))
	default:
		f.text("woken by", "a goroutine")
	}
	f.finish(true)
}

func title(w *row) string { return shown(w.title()) }

// hasFlow reports whether rec has an arrow.
func (rec *record) hasFlow() bool { return rec.kind == ofWait && rec.waker != nil && rec.value > 0 }

// woken returns where rec's arrow begins and ends. It begins at the wakeup, but
// within its thread, which wakes those that join it after its function. It ends
// within the wait, whose last moment belongs to what follows.
func (rec *record) woken() (sent, got int64) {
	end := rec.ts + rec.dur
	sent, got = end-rec.value, max(end-1, rec.ts)
	if ended := rec.waker.ended.Load(); ended != 0 {
		sent = min(sent, ended-1)
	}
	return max(sent, 0), got
}

// flow writes the arrow of rec, if it has one.
func (f *formatter) flow(rec *record) {
	if rec.hasFlow() {
		f.flows++
		f.flowStart(rec, f.flows)
		f.flowEnd(rec, f.flows)
	}
}

func (f *formatter) flowStart(rec *record, id int64) {
	sent, _ := rec.woken()
	f.begin("s")
	f.int("tid", int64(rec.waker.id)).time("ts", sent)
	f.int("id", id).text("cat", "wake").text("name", "wake")
	f.finish(false)
}

func (f *formatter) flowEnd(rec *record, id int64) {
	_, got := rec.woken()
	f.begin("f")
	f.int("tid", int64(rec.row.id)).time("ts", got)
	f.text("bp", "e").int("id", id).text("cat", "wake").text("name", "wake")
	f.args().time("wakeup us", rec.value)
	f.finish(true)
}

// dropped marks that n events were lost before now.
func (f *formatter) dropped(n uint64, now int64) {
	f.begin("i")
	f.int("tid", 0).time("ts", now).text("s", "g").text("cat", "dropped")
	f.text("name", droppedText(n))
	f.finish(false)
}

func droppedText(n uint64) string { return strconv.FormatUint(n, 10) + " events dropped" }

// end ends the list, with the number of all events that were lost.
func (f *formatter) end(lost uint64) {
	if lost > 0 {
		f.begin("M")
		f.text("name", "process_labels")
		f.args().text("labels", droppedText(lost))
		f.finish(true)
	}
	if !f.begun {
		f.begun = true
		f.preamble()
	}
	f.line = append(f.line[:0], "\n]\n"...)
	f.flush()
}
