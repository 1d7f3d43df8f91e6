//go:build !windows

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaultsPageNamesTestsThatRun(t *testing.T) {
	assert.Greater(t, assertTestsOrReasons(t, "docs/faults.md"), 60)
}

var testSpan = regexp.MustCompile("`([a-z]+)\\.(Test[A-Za-z0-9]+)`")

// assertTestsOrReasons asserts that each row of a page has, in the second of
// two columns, tests that exist and are not always skipped, or a reason. It
// returns the number of rows.
func assertTestsOrReasons(t *testing.T, page string) int {
	t.Helper()
	runs := testsOfModule(t)
	found := rows(read(t, page))
	for _, r := range found {
		require.Len(t, r.cells, 2, r.cells[0])
		tests := testSpan.FindAllStringSubmatch(r.cells[1], -1)
		if len(tests) == 0 {
			assert.Greater(t, len(strings.Fields(r.cells[1])), 3, "%s: a reason", r.cells[0])
		}
		for _, m := range tests {
			assert.True(t, runs[m[1]+"."+m[2]], "%s: no test %s.%s that runs", r.cells[0], m[1], m[2])
		}
	}
	return len(found)
}

// testsOfModule returns the tests of all packages, as package.Name: those that
// do something else before they can be skipped. A package is named by its
// folder, the root by thread.
func testsOfModule(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name := filepath.Base(filepath.Dir(path))
		if filepath.Dir(path) == root {
			name = "thread"
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && !skipsAlways(f) {
				found[name+"."+f.Name.Name] = true
			}
		}
		return nil
	}))
	return found
}

// skipsAlways reports whether f has no body, or begins with t.Skip.
func skipsAlways(f *ast.FuncDecl) bool {
	if len(f.Body.List) == 0 {
		return true
	}
	e, ok := f.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := e.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(method.Sel.Name, "Skip")
}
