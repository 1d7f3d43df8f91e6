//go:build !windows

package docs_test

import (
	"flag"
	"fmt"
	"go/build"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what the pages show of the code anew")

const (
	page   = "ARCHITECTURE.md"
	module = "example.com/thread"
)

// Every file and folder that ARCHITECTURE.md names exists.
func TestArchitectureNamesFilesThatExist(t *testing.T) {
	file := regexp.MustCompile(`[\w./-]+\.(?:go|c|h|s|pml|md)\b`)
	folder := regexp.MustCompile(`^(?:internal|osthread|verify|docs|examples|bench|\.ci)(?:/[\w.-]+)*/?$`)
	for _, span := range codeSpan.FindAllString(outside(t, read(t, page), "files"), -1) {
		span = strings.Trim(span, "`")
		names := file.FindAllString(span, -1)
		if folder.MatchString(span) {
			names = append(names, span)
		}
		for _, name := range names {
			_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
			assert.NoError(t, err)
		}
	}
}

// A package imports only packages below it, or to its right, in the list of
// floors. Every package outside tests and examples is in it.
func TestArchitectureImportsGoDownward(t *testing.T) {
	rank, n := map[string]int{}, 0
	for _, r := range rows(inside(t, read(t, page), "floors")) {
		for _, span := range codeSpan.FindAllString(r.cells[1], -1) {
			n++
			rank[path.Join(module, strings.Trim(span, "`"))] = n
		}
	}
	for _, ctx := range builds {
		for name := range rank {
			p, err := ctx.context().ImportDir(folderOf(name), 0)
			if _, none := err.(*build.NoGoError); none {
				continue
			}
			require.NoError(t, err)
			for _, imported := range p.Imports {
				if !strings.HasPrefix(imported, module) {
					continue
				}
				assert.True(t, rank[imported] > rank[name], "%s: %s imports %s", ctx, name, imported)
			}
		}
	}
}

func folderOf(pkg string) string {
	return filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")))
}

// A target is a way to build.
type target struct {
	goos, goarch string
	cgo          bool
	tags         []string
}

// builds are the rows of the table of files.
var builds = []target{
	{"linux", "amd64", true, nil},
	{"linux", "amd64", false, nil},
	{"linux", "arm64", true, nil},
	{"linux", "arm64", false, nil},
	{"linux", "386", true, nil},
	{"linux", "arm", true, nil},
	{"linux", "riscv64", true, nil},
	{"darwin", "arm64", true, nil},
	{"darwin", "arm64", false, nil},
	{"windows", "amd64", false, nil},
	{"freebsd", "amd64", false, nil},
	{"plan9", "amd64", false, nil},
	{"js", "wasm", false, nil},
	{"linux", "amd64", true, []string{"race"}},
	{"linux", "amd64", true, []string{"portablefutex"}},
	{"linux", "amd64", true, []string{"portablepark"}},
}

func (b target) context() *build.Context {
	c := build.Default
	c.GOOS, c.GOARCH, c.CgoEnabled, c.BuildTags = b.goos, b.goarch, b.cgo, b.tags
	c.Compiler = "gc"
	return &c
}

func (b target) String() string {
	s := b.goos + "/" + b.goarch
	switch {
	case b.cgo:
		s += ", cgo"
	case b.goos == "linux" || b.goos == "darwin":
		s += ", no cgo"
	}
	for _, tag := range b.tags {
		s += ", " + tag
	}
	return s
}

// The table of files by build is what the go command would compile.
func TestArchitectureTableOfFilesIsTrue(t *testing.T) {
	folders := []string{".", "internal/futex", "internal/park", "internal/ident"}
	shared := map[string]map[string]int{}
	files := map[string][][]string{}
	for _, folder := range folders {
		shared[folder] = map[string]int{}
		for _, b := range builds {
			names := compiled(t, b, folder)
			files[folder] = append(files[folder], names)
			for _, name := range names {
				shared[folder][name]++
			}
		}
	}
	var want strings.Builder
	want.WriteString("| build | root | internal/futex | internal/park | internal/ident |\n|---|---|---|---|---|\n")
	for i, b := range builds {
		fmt.Fprintf(&want, "| %s |", b)
		for _, folder := range folders {
			inAll := func(name string) bool { return shared[folder][name] == len(builds) }
			own := slices.DeleteFunc(files[folder][i], inAll)
			fmt.Fprintf(&want, " %s |", strings.Join(own, ", "))
		}
		want.WriteByte('\n')
	}
	text := read(t, page)
	if *update {
		before, _, after := cut(t, text, "files")
		require.NoError(t, os.WriteFile(filepath.Join(root, page), []byte(before+want.String()+after), 0o644))
		return
	}
	assert.Equal(t, want.String(), inside(t, text, "files"), "go test ./docs -update writes it anew")
}

// compiled returns the files of a folder that go into a build.
func compiled(t *testing.T, b target, folder string) []string {
	p, err := b.context().ImportDir(filepath.Join(root, filepath.FromSlash(folder)), 0)
	require.NoError(t, err, "%s: %s", b, folder)
	names := slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.SFiles)
	slices.Sort(names)
	return names
}

// cut returns what is before the end of the mark "NAME: begin" in a page,
// between it and "NAME: end", and from that on.
func cut(t *testing.T, text, name string) (before, between, after string) {
	t.Helper()
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
	before, rest, ok := strings.Cut(text, begin)
	require.True(t, ok, "no %q", begin)
	between, after, ok = strings.Cut(rest, end)
	require.True(t, ok, "no %q", end)
	return before + begin, between, end + after
}

func inside(t *testing.T, text, name string) string {
	t.Helper()
	_, between, _ := cut(t, text, name)
	return between
}

func outside(t *testing.T, text, name string) string {
	t.Helper()
	before, _, after := cut(t, text, name)
	return before + after
}
