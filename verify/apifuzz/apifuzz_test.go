//go:build unix

package main

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(childEnv) != "" {
		runChild()
	}
	os.Exit(m.Run())
}

func TestApifuzzFindsNothing(t *testing.T) {
	testutil.MustHaveExec(t)
	if os.Getenv(leak.ExecEnv) != "" {
		t.Skip("an emulator takes its time for a child, and more for many threads")
	}
	var out strings.Builder
	f := newFuzz(&out)
	f.seed, f.time, f.life = uint64(time.Now().UnixNano()%1e6), 4*time.Second, time.Second
	if testing.Short() {
		f.time = time.Second
	}
	require.NoError(t, f.run(), &out)
	assert.Positive(t, f.calls)
	assert.Positive(t, f.ends["exit 0"])
}

// packages are those whose API is called, by their names in the tables.
var packages = map[string]string{
	"thread": ".", "osthread": "osthread", "queue": "osthread/queue", "executor": "osthread/executor",
	"shared": "osthread/shared", "inspect": "osthread/inspect", "web": "osthread/inspect/web",
	"mainthread": "osthread/mainthread", "sync": "osthread/sync", "topology": "osthread/topology",
	"timeline": "osthread/timeline", "pprof": "osthread/pprof",
}

// Every exported function is called, or is left out with a reason, and the
// methods of every exported type are.
func TestTablesHaveTheWholeAPI(t *testing.T) {
	calls, made := map[string]bool{}, map[string]bool{}
	for _, c := range table() {
		calls[c.name] = true
	}
	for _, k := range types {
		made[typeName(k)] = true
	}
	for name, folder := range packages {
		for _, f := range parse(t, folder) {
			for _, d := range f.Decls {
				for _, missing := range missingOf(name, d, calls, made) {
					t.Errorf("neither called nor left out: %s", missing)
				}
			}
		}
	}
	for name, reason := range leftOut {
		assert.NotEmpty(t, reason, name)
		assert.False(t, calls[name], "%s is called and left out", name)
	}
}

func missingOf(pkg string, d ast.Decl, calls, made map[string]bool) (missing []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := pkg + "." + d.Name.Name
		if d.Recv == nil && d.Name.IsExported() && !calls[name] && leftOut[name] == "" {
			missing = append(missing, name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			k, ok := s.(*ast.TypeSpec)
			if !ok || !k.Name.IsExported() || k.Assign.IsValid() {
				continue
			}
			if _, isInterface := k.Type.(*ast.InterfaceType); !isInterface && !made[pkg+"."+k.Name.Name] {
				missing = append(missing, pkg+"."+k.Name.Name)
			}
		}
	}
	return missing
}

// parse returns the files of a folder of the module but its tests.
func parse(t *testing.T, folder string) (files []*ast.File) {
	paths, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	return files
}

// What a child may end by, and what calls leave out because of it, is what
// SECURITY.md lists.
func TestSecurityListsWhatIsAccepted(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "SECURITY.md"))
	require.NoError(t, err)
	security := strings.Join(strings.Fields(string(text)), " ")
	for _, a := range acceptedEnds {
		assert.Contains(t, security, a.cause)
	}
	for _, cause := range []string{"Segment.Detach", "WaitGroup.Go", "a peer can shrink"} {
		assert.Contains(t, security, cause)
	}
}

// The ends that the parent distinguishes.
func TestClassifyNamesTheEndOfAChild(t *testing.T) {
	testutil.MustHaveExec(t)
	for _, c := range []struct{ output, want string }{
		{"goroutine 1\nfatal error: fault\n", "fatal error of the runtime"},
		{"panic: text\n\ngoroutine", "panic that was not recovered"},
		{"x\nSIGSEGV: segmentation violation\n", "signal that the runtime reports"},
		{"Panic in thread 7: panic: text", "exit 2"},
	} {
		assert.Equal(t, c.want, classify(exitOf(t, 2), c.output))
	}
	assert.Equal(t, "memory changed", classify(exitOf(t, canary), ""))
	assert.Equal(t, "exit 0", classify(nil, "panic: text"))
}

// exitOf returns the error of a process that exits with status n.
func exitOf(t *testing.T, n int) error {
	err := exec.Command("sh", "-c", fmt.Sprintf("exit %d", n)).Run()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip(err)
	}
	return err
}

// The values of one caller at a time exist.
func TestTypesOfOneUserExist(t *testing.T) {
	for name := range oneUser {
		found := false
		for _, k := range types {
			found = found || typeName(k) == name || typeName(reflect.PointerTo(k)) == name
		}
		assert.True(t, found, name)
	}
}
