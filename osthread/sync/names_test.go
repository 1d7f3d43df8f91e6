package sync_test

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that compiles with package sync compiles with this one.
func TestPackageHasTheNamesOfSync(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the names are those of Go 1.26")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip(err)
	}
	theirs := filepath.Join(strings.TrimSpace(string(root)), "src", "sync")
	if _, err := os.Stat(theirs); err != nil {
		t.Skip(err)
	}
	want := exported(t, theirs)
	got := exported(t, ".")
	for name, kind := range got {
		if kind == "alias" { // of the same name
			assert.Contains(t, want, name)
			got[name] = want[name]
			for member, signature := range want {
				if strings.HasPrefix(member, name+".") {
					got[member] = signature
				}
			}
		}
	}
	assert.Equal(t, want, got)
}

// exported returns the exported names of the package in a folder, with the
// signatures of functions and methods, and the exported fields.
func exported(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = text(d.Recv.List[0].Type) + "." + name
				}
				if d.Name.IsExported() && ast.IsExported(strings.TrimPrefix(name, "*")) {
					found[strings.TrimPrefix(name, "*")] = signature(d.Type)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
						addType(found, s)
					}
				}
			}
		}
	}
	return found
}

func addType(found map[string]string, s *ast.TypeSpec) {
	found[s.Name.Name] = "type"
	if s.Assign.IsValid() && strings.HasSuffix(text(s.Type), "sync."+s.Name.Name) {
		found[s.Name.Name] = "alias"
	}
	fields, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range fields.Fields.List {
		for _, n := range f.Names {
			if n.IsExported() {
				found[s.Name.Name+"."+n.Name] = text(f.Type)
			}
		}
	}
}

// signature is the types of a function, without the names of its parameters.
func signature(f *ast.FuncType) string {
	types := func(l *ast.FieldList) string {
		if l == nil {
			return ""
		}
		var all []string
		for _, f := range l.List {
			for range max(1, len(f.Names)) {
				all = append(all, text(f.Type))
			}
		}
		return strings.Join(all, ", ")
	}
	return "[" + types(f.TypeParams) + "](" + types(f.Params) + ") " + types(f.Results)
}

func text(n ast.Node) string {
	var b strings.Builder
	_ = printer.Fprint(&b, token.NewFileSet(), n) // to memory
	return b.String()
}
