package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An edit replaces lines that occur once in a file.
type edit struct{ file, old, new string }

// A patch is some edits, with a name and the scenarios that it is for.
type patch struct {
	name      string
	scenarios string // regexp
	edits     []edit
}

// readPatches reads a file of patches:
//
//	mutant NAME       begins a patch
//	for REGEXP        names its scenarios
//	in FILE           begins an edit
//	 -+ and a line    is context, taken away, or added
//	#                 is a comment
//
// What comes before the first mutant is a patch without a name.
func readPatches(root, name string) ([]patch, error) {
	b, err := os.ReadFile(filepath.Join(root, "verify/explore/testdata", name))
	if err != nil {
		return nil, err
	}
	patches := []patch{{}}
	for i, line := range strings.Split(string(b), "\n") {
		if !read(&patches, line) {
			return nil, fmt.Errorf("%s:%d: %q", name, i+1, line)
		}
	}
	return patches, nil
}

// read adds a line to patches, and reports whether it could.
func read(patches *[]patch, line string) bool {
	if line == "" || line[0] == '#' {
		return true
	}
	p := &(*patches)[len(*patches)-1]
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case word == "mutant":
		*patches = append(*patches, patch{name: rest})
	case word == "for":
		p.scenarios = rest
	case word == "in":
		p.edits = append(p.edits, edit{file: rest})
	default:
		return len(p.edits) > 0 && p.edits[len(p.edits)-1].add(line)
	}
	return true
}

func (e *edit) add(line string) bool {
	kind, text := line[0], line[1:]+"\n"
	if strings.IndexByte(" -+", kind) < 0 {
		return false
	}
	if kind != '+' {
		e.old += text
	}
	if kind != '-' {
		e.new += text
	}
	return true
}
