package osthread

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
)

var (
	names  atomic.Uint64 // numbers of default names
	starts atomic.Uint64 // order of the registry
)

func defaultName(what string) string {
	n := names.Add(1)
	if what == "" {
		return fmt.Sprintf("Thread-%d", n)
	}
	return fmt.Sprintf("Thread-%d (%s)", n, what)
}

// functionName returns the bare name of fn: run for main.(*server).run, and
// also for a function literal in it, since Linux shows 15 bytes of a thread's
// name.
func functionName(fn any) string {
	f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
	if f == nil {
		return ""
	}
	return bareName(f.Name())
}

// bareName returns the last element of the name of a function, as package
// runtime has it, or of a type, as fmt prints it: without package, receiver and
// type arguments. A function literal has the name of the function around it.
func bareName(name string) string {
	for {
		open, end := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
		if open < 0 || end < open {
			break
		}
		name = name[:open] + name[end+1:] // type arguments
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = name[strings.IndexByte(name, '.')+1:]
	for {
		rest, last := cutLast(name)
		last, _, _ = strings.Cut(last, "-") // -fm of a method value, -range1 of a loop's body
		if !isLiteral(last) {
			return last
		}
		name = rest
	}
}

// cutLast splits name at its last dot.
func cutLast(name string) (rest, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// isLiteral reports whether the compiler names function literals and go
// statements so: func1, gowrap1, and 2 inside another literal.
func isLiteral(element string) bool {
	switch strings.TrimRight(element, "0123456789") {
	case "":
		return element != ""
	case "func", "gowrap", "deferwrap":
		return element[len(element)-1] <= '9'
	default:
		return false
	}
}
