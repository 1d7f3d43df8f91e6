package pprof

import (
	"reflect"
	"runtime"
	"strings"

	"example.com/thread/internal/waitprof"
)

// module is the path of this module.
var module = strings.TrimSuffix(reflect.TypeFor[waitprof.Key]().PkgPath(), "/internal/waitprof")

// userStack returns the frames of a stack that users know: the method that has
// waited and its callers. If the module has waited for itself these are all but
// those of the profile.
func userStack(pcs []uintptr) []runtime.Frame {
	var all []runtime.Frame
	leaf := 0 // the outermost of the module's frames at the start
	inside, counting := true, true
	frames := runtime.CallersFrames(pcs)
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "" {
			break
		}
		pkg := packageOf(f.Function)
		if counting = counting && isCounting(pkg); counting {
			continue
		}
		switch own := isOwn(pkg); {
		case inside && own:
			leaf = len(all)
		case pkg != "runtime":
			inside = false
		}
		all = append(all, f)
	}
	if inside {
		return all
	}
	return all[leaf:]
}

// isCounting reports whether pkg makes the profile.
func isCounting(pkg string) bool {
	return pkg == "runtime" || pkg == module+"/internal/trace" || pkg == module+"/internal/waitprof"
}

// packageOf returns the path of a function's package.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}

// isOwn reports whether pkg is a package of this module, and not of its tests
// and examples.
func isOwn(pkg string) bool {
	rest, ok := strings.CutPrefix(pkg, module)
	switch {
	case !ok || strings.HasSuffix(rest, "_test"):
		return false
	case rest == "" || rest == "/osthread":
		return true
	default:
		return strings.HasPrefix(rest, "/osthread/") || strings.HasPrefix(rest, "/internal/")
	}
}
