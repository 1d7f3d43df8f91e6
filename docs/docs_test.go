//go:build !windows

// Package docs_test keeps the pages of documentation true: what they name
// exists, and the code that they show is code of this module.
package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of the module, as seen from this package.
const root = ".."

// read returns the text of a file of the module, with lines that end in "\n".
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// A row is one of a Markdown table: its cells, and the heading it is under.
type row struct {
	heading string
	cells   []string
}

// rows returns the rows of all tables in a Markdown text, without their heads.
func rows(text string) (found []row) {
	heading, line := "", ""
	for next := range strings.Lines(text) {
		previous := line
		line = strings.TrimSuffix(next, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimLeft(line, "# ")
		case strings.HasPrefix(line, "|") && strings.HasPrefix(previous, "|") && !strings.HasPrefix(line, "|---"):
			found = append(found, row{heading, cells(line)})
		}
	}
	return found
}

func cells(line string) (found []string) {
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		found = append(found, strings.TrimSpace(cell))
	}
	return found
}
