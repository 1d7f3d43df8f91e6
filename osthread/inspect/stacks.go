package inspect

import (
	"bytes"
	"runtime/pprof"
	"strconv"
	"strings"
)

// Go shows the stacks of goroutines in two ways, both as text. The goroutine
// profile stops the world for some microseconds, and names a goroutine by its
// labels alone, of which threads have one with their name. A dump has the ids
// of goroutines, and stops the world while it is written.

// stacksByName returns the stacks of the goroutines with a label
// thread=NAME, by that name.
func stacksByName() map[string][][]Frame {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return nil
	}
	return parseProfile(text.String())
}

// stacksByID returns the stacks of all goroutines by their ids.
func stacksByID() map[uint64][]Frame {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil {
		return nil
	}
	return parseDump(text.String())
}

// parseProfile reads a goroutine profile of debug=1: paragraphs that begin with
// "COUNT @ PC..." and "# labels: {...}" and have lines of "#", PC, function and
// place.
func parseProfile(text string) map[string][][]Frame {
	stacks := make(map[string][][]Frame)
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		name, found := "", false
		var frames []Frame
		for line := range strings.SplitSeq(paragraph, "\n") {
			if labels, ok := strings.CutPrefix(line, "# labels: {"); ok {
				name, found = label(labels, "thread")
			} else if f, ok := profileFrame(line); ok {
				frames = append(frames, f)
			}
		}
		if found {
			stacks[name] = append(stacks[name], frames)
		}
	}
	return stacks
}

// label returns the value of a key in `"key":"value", "key":"value"}`.
func label(text, key string) (value string, found bool) {
	for {
		k, rest, ok := quoted(text)
		if !ok {
			return "", false
		}
		v, rest, ok := quoted(strings.TrimPrefix(rest, ":"))
		if !ok || k == key {
			return v, ok
		}
		text = strings.TrimPrefix(rest, ", ")
	}
}

func quoted(text string) (value, rest string, ok bool) {
	q, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", text, false
	}
	value, err = strconv.Unquote(q)
	return value, text[len(q):], err == nil
}

// profileFrame reads "#\tPC\tFUNCTION+OFFSET\tFILE:LINE", in which tabs are
// repeated.
func profileFrame(line string) (f Frame, ok bool) {
	cells := strings.FieldsFunc(line, func(r rune) bool { return r == '\t' })
	if len(cells) < 3 || strings.TrimSpace(cells[0]) != "#" {
		return f, false
	}
	f.Func = strings.TrimSpace(cells[2])
	if plus := strings.LastIndex(f.Func, "+0x"); plus > 0 {
		f.Func = f.Func[:plus]
	}
	if len(cells) > 3 {
		f.File, f.Line = place(strings.TrimSpace(cells[3]))
	}
	return f, true
}

// place splits FILE:LINE.
func place(text string) (file string, line int) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return text, 0
	}
	line, err := strconv.Atoi(text[colon+1:])
	if err != nil {
		return text, 0
	}
	return text[:colon], line
}

// parseDump reads a dump of stacks: paragraphs that begin with "goroutine ID
// [" and have two lines for each frame.
func parseDump(text string) map[uint64][]Frame {
	stacks := make(map[uint64][]Frame)
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		head, rest, _ := strings.Cut(paragraph, "\n")
		number, ok := strings.CutPrefix(head, "goroutine ")
		if !ok {
			continue
		}
		number, _, _ = strings.Cut(number, " ")
		id, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			continue
		}
		stacks[id] = dumpFrames(rest)
	}
	return stacks
}

func dumpFrames(text string) (frames []Frame) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "created by "):
			return frames
		case strings.HasPrefix(line, "\t"):
			if len(frames) > 0 {
				at, _, _ := strings.Cut(line[1:], " +0x")
				last := &frames[len(frames)-1]
				last.File, last.Line = place(at)
			}
		case strings.HasSuffix(line, ")"): // the arguments have no parenthesis
			frames = append(frames, Frame{Func: line[:strings.LastIndexByte(line, '(')]})
		}
	}
	return frames
}
