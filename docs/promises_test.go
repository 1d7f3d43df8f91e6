//go:build !windows

package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const promises = "docs/promises.md"

func TestPromisesPageNamesTestsThatRun(t *testing.T) {
	found := assertTestsOrReasons(t, promises)
	assert.Greater(t, found, 200)
}

// The table of POSIX's clauses is what the tests of package shared have.
func TestPromisesPageHasTheClausesOfTheTests(t *testing.T) {
	want := "| clause | test |\n|---|---|\n" + strings.Join(clauses(t), "")
	text := read(t, promises)
	if *update {
		before, _, after := cut(t, text, "clauses")
		require.NoError(t, os.WriteFile(filepath.Join(root, promises), []byte(before+want+after), 0o644))
		return
	}
	assert.Equal(t, want, inside(t, text, "clauses"), "go test ./docs -update writes it anew")
}

// clauses returns a row for each clause of osthread/shared/posix_test.go.
func clauses(t *testing.T) (found []string) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "osthread/shared/posix_test.go"), nil, 0)
	require.NoError(t, err)
	test := ""
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if strings.HasPrefix(f.Name.Name, "Test") { // others are of the test before
			test = f.Name.Name
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if function, says, ok := clauseOf(n); ok {
				found = append(found, fmt.Sprintf("| `%s`: %s | `shared.%s` |\n", function, says, test))
			}
			return true
		})
	}
	return found
}

// clauseOf returns the first two of the values of a clause, which are strings.
func clauseOf(n ast.Node) (function, says string, ok bool) {
	c, isComposite := n.(*ast.CompositeLit)
	if !isComposite || len(c.Elts) != 4 {
		return "", "", false
	}
	var texts [2]string
	for i := range texts {
		l, isLiteral := c.Elts[i].(*ast.BasicLit)
		if !isLiteral || l.Kind != token.STRING {
			return "", "", false
		}
		texts[i], _ = strconv.Unquote(l.Value)
	}
	return texts[0], texts[1], true
}

// Each file whose comments say what synchronizes before what is in the table of
// our own memory model, and no other is.
func TestPromisesPageHasEverySentenceOfTheMemoryModel(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range rows(read(t, promises)) {
		if r.heading != "Our own memory model" {
			continue
		}
		for _, span := range codeSpan.FindAllString(r.cells[0], -1) {
			listed[strings.Trim(span, "`")] = true
		}
	}
	said := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if name = filepath.ToSlash(name); strings.HasPrefix(name, "internal/testutil/") {
			return err // it checks the sentences
		}
		text := strings.Join(strings.Fields(strings.ReplaceAll(read(t, name), "\n//", " ")), " ")
		if strings.Contains(text, "synchronizes before") || strings.Contains(text, "synchronizes with the function") {
			said[name] = true
		}
		return err
	}))
	assert.Equal(t, said, listed)
}
