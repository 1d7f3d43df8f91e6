//go:build !windows

package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// codeBlock is a block of code in a page with the comment that says where the
// code stands: a file, and the names of declarations in it; without names, the
// whole file.
var codeBlock = regexp.MustCompile("(?s)<!-- code: (\\S+)((?: \\S+)*) -->\n```[a-z]*\n(.*?)```\n")

// The code that the pages show is code of this module.
func TestPagesShowCodeAsItIs(t *testing.T) {
	for _, page := range []string{"README.md", "docs/cookbook.md"} {
		text := read(t, page)
		blocks, inGo := 0, 0
		shown := codeBlock.ReplaceAllStringFunc(text, func(block string) string {
			blocks++
			m := codeBlock.FindStringSubmatch(block)
			language := strings.TrimPrefix(filepath.Ext(m[1]), ".")
			if language == "go" {
				inGo++
			}
			now := fmt.Sprintf("<!-- code: %s%s -->\n```%s\n%s```\n", m[1], m[2], language, code(t, m[1], strings.Fields(m[2])))
			if !*update {
				assert.Equal(t, now, block, "%s: go test ./docs -update writes it anew", page)
			}
			return now
		})
		assert.Equal(t, strings.Count(text, "<!-- code: "), blocks, "%s: a comment without its block", page)
		assert.Equal(t, strings.Count(text, "```go\n"), inGo, "%s: a block of Go without its comment", page)
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(root, page), []byte(shown), 0o644))
		}
	}
}

// Every page, file and folder that a page links to exists.
func TestPagesLinkToWhatExists(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*[a-zA-Z][^)#\s]*)(?:#[^)]*)?\)`)
	for _, folder := range []string{".", "docs", "verify"} {
		pages, err := filepath.Glob(filepath.Join(root, folder, "*.md"))
		require.NoError(t, err)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				_, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1])))
				assert.NoError(t, err, page)
			}
		}
	}
}

// code returns declarations of a Go file as they stand there; of an example,
// its body.
func code(t *testing.T, name string, decls []string) string {
	text := read(t, name)
	if len(decls) == 0 {
		return text
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, name, text, parser.ParseComments)
	require.NoError(t, err)
	at := func(p token.Pos) int { return files.Position(p).Offset }
	var parts []string
	for _, want := range decls {
		found := false
		for _, d := range parsed.Decls {
			if !slices.Contains(declared(d), want) {
				continue
			}
			found = true
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(want, "Example") {
				parts = append(parts, body(text[at(f.Body.Lbrace)+1:at(f.Body.Rbrace)]))
				continue
			}
			parts = append(parts, text[at(start(d)):at(d.End())]+"\n")
		}
		assert.True(t, found, "%s has no %s", name, want)
	}
	return strings.Join(parts, "\n")
}

// start returns where a declaration begins, with its comment.
func start(d ast.Decl) token.Pos {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return d.Doc.Pos()
		}
	}
	return d.Pos()
}

// body returns the statements of an example, without its comment on what it
// prints, and without their indentation.
func body(s string) string {
	s, _, _ = strings.Cut(s, "\n\t// Output:")
	var b strings.Builder
	for line := range strings.Lines(strings.Trim(s, "\n") + "\n") {
		b.WriteString(strings.TrimPrefix(line, "\t"))
	}
	return b.String()
}
