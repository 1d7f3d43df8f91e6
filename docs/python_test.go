//go:build !windows

package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packages are those that docs/python.md names, by the last element of their
// import paths.
var packages = map[string]string{
	"thread":   ".",
	"osthread": "osthread",
	"queue":    "osthread/queue",
	"executor": "osthread/executor",
}

// headings says which package the names under a heading are of. Other headings
// have names of osthread.
var headings = map[string]string{"queue": "queue", "concurrent.futures": "executor"}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	goName   = regexp.MustCompile(`^(?:([a-z]+)\.)?([A-Z]\w*(?:\.[A-Z]\w*)?)$`)
)

// Every Go name in the table's second column is exported by its package, and so
// is every one in the third but for Python's exceptions.
func TestPythonPageNamesWhatExists(t *testing.T) {
	exported := map[string]map[string]bool{}
	for name, folder := range packages {
		exported[name] = exports(t, folder)
	}
	foreign := map[string]bool{"time": true, "sync": true, "iter": true, "os": true}
	python := map[string]bool{
		"None": true, "False": true, "ValueError": true, "RuntimeError": true, "TimeoutError": true, "InvalidStateError": true,
	}
	checked := 0
	for _, r := range rows(read(t, "docs/python.md")) {
		require.Len(t, r.cells, 3, "%v", r)
		home := headings[r.heading]
		if home == "" {
			home = "osthread"
		}
		kind := "" // the last type named: its methods follow without it
		for _, span := range codeSpan.FindAllString(r.cells[1]+" "+r.cells[2], -1) {
			m := goName.FindStringSubmatch(strings.Trim(span, "`"))
			if m == nil || foreign[m[1]] || python[m[2]] {
				continue
			}
			names := exported[home]
			if m[1] != "" {
				names = exported[m[1]]
			}
			checked++
			assert.True(t, names[m[2]] || names[kind+"."+m[2]], "%s: %s", r.cells[0], span)
			if before, _, ok := strings.Cut(m[2], "."); ok {
				kind = before
			}
		}
		if r.cells[1] != "none" {
			assert.Contains(t, r.cells[1], "`", "%v", r)
		}
	}
	assert.Greater(t, checked, 150)
}

// Every name that Python's modules export stands in the first column.
func TestPythonPageIsComplete(t *testing.T) {
	// __all__ of CPython 3.15's Lib/threading.py, queue.py and
	// concurrent/futures/__init__.py, and the methods that their docs list.
	const names = `
		Barrier BoundedSemaphore BrokenBarrierError Condition Event ExceptHookArgs Lock RLock Semaphore
		TIMEOUT_MAX Thread ThreadError Timer active_count concurrent_tee current_thread enumerate excepthook
		get_ident get_native_id getprofile gettrace local main_thread serialize_iterator setprofile
		setprofile_all_threads settrace settrace_all_threads stack_size synchronized_iterator
		start run join name ident native_id is_alive daemon acquire release locked wait wait_for notify
		notify_all is_set set clear reset abort parties n_waiting broken
		Empty Full Queue LifoQueue PriorityQueue ShutDown SimpleQueue qsize empty full put put_nowait get
		get_nowait task_done shutdown
		ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION BrokenExecutor CancelledError Executor Future
		InvalidStateError ProcessPoolExecutor ThreadPoolExecutor TimeoutError as_completed
		submit map cancel cancelled running done result exception add_done_callback
		set_running_or_notify_cancel set_result set_exception`
	var column strings.Builder
	for _, r := range rows(read(t, "docs/python.md")) {
		fmt.Fprintln(&column, r.cells[0])
	}
	for name := range strings.FieldsSeq(names) {
		assert.Regexp(t, "\\b"+name+"\\b", column.String())
	}
}

// exports returns the exported names of the package in a folder of the module:
// Name, and Type.Name for methods and fields, on any platform.
func exports(t *testing.T, folder string) map[string]bool {
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			for _, name := range declared(d) {
				names[name] = true
			}
		}
	}
	return names
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		return []string{receiver(d.Recv.List[0].Type) + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			case *ast.TypeSpec:
				names = append(append(names, s.Name.Name), members(s)...)
			}
		}
	}
	return names
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// members returns the fields of a struct and the methods of an interface.
func members(s *ast.TypeSpec) (names []string) {
	var fields *ast.FieldList
	switch u := s.Type.(type) {
	case *ast.StructType:
		fields = u.Fields
	case *ast.InterfaceType:
		fields = u.Methods
	default:
		return nil
	}
	for _, f := range fields.List {
		for _, n := range f.Names {
			names = append(names, s.Name.Name+"."+n.Name)
		}
	}
	return names
}
