//go:build ignore

// Testjson reads what `go test -json` wrote: `testjson counts FILE` prints how
// many tests passed and were skipped, and fails where one failed or did not
// end; `testjson skips FILE` prints the skipped ones with their reason.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// event is one line, as `go doc test2json` has it; the lines of a build have an
// ImportPath in place of a Package.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// unit is a test, or a package where test is empty.
type unit struct {
	pkg, test string
}

func (u unit) topLevel() bool { return u.test != "" && !strings.Contains(u.test, "/") }

func (u unit) String() string {
	if u.test == "" {
		return u.pkg
	}
	return u.pkg + " " + u.test
}

// results is what a file says, in the order in which units appeared.
type results struct {
	order  []unit
	action map[unit]string
	output map[unit][]string
	stray  []string // lines that are not JSON: of a program that wrote past the pipe, or of go itself
}

// rank orders the results of a test that runs more than once, as with -count
// and -cpu, of which the highest counts: one failure fails it, and one pass is
// enough for it not to be skipped.
var rank = map[string]int{"skip": 1, "pass": 2, "fail": 3, "build-fail": 3}

func read(file string) (*results, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &results{action: map[unit]string{}, output: map[unit][]string{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			r.stray = append(r.stray, lines.Text())
			continue
		}
		r.add(e)
	}
	return r, lines.Err()
}

func (r *results) add(e event) {
	u := unit{e.Package, e.Test}
	if e.Package == "" {
		u.pkg = e.ImportPath
	}
	if _, seen := r.action[u]; !seen {
		r.order = append(r.order, u)
		r.action[u] = ""
	}
	switch e.Action {
	case "output", "build-output":
		r.output[u] = append(r.output[u], e.Output)
	case "pass", "fail", "skip", "build-fail":
		if rank[e.Action] > rank[r.action[u]] {
			r.action[u] = e.Action
		}
	}
}

// counts prints the numbers of tests at top level that passed and were skipped,
// and reports whether all is well.
func (r *results) counts() bool {
	passed, skipped, failed := 0, 0, 0
	for _, u := range r.order {
		switch a := r.action[u]; {
		case a == "pass" && u.topLevel():
			passed++
		case a == "skip" && u.topLevel():
			skipped++
		case a == "pass" || a == "skip":
		case a == "" && strings.HasPrefix(strings.Join(r.output[u], ""), "# ") && u.test == "":
			// What the build of a package that could be built printed, a
			// warning.
		default:
			failed++
			if a == "" {
				a = "did not end"
			}
			fmt.Fprintf(os.Stderr, "--- %s: %s\n%s", a, u, strings.Join(r.output[u], ""))
		}
	}
	if passed == 0 {
		failed++
		fmt.Fprintf(os.Stderr, "no test passed\n%s\n", strings.Join(r.stray, "\n"))
	}
	fmt.Println(passed, skipped)
	return failed == 0
}

// skips prints one line for each test that was skipped.
func (r *results) skips() {
	for _, u := range r.order {
		if r.action[u] != "skip" || u.test == "" {
			continue
		}
		var reason []string
		for _, line := range r.output[u] {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
				reason = append(reason, line)
			}
		}
		fmt.Printf("skipped: %s: %s\n", u, strings.Join(reason, " "))
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: testjson counts|skips FILE")
		os.Exit(2)
	}
	r, err := read(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testjson:", err)
		os.Exit(1)
	}
	switch os.Args[1] {
	case "counts":
		if !r.counts() {
			os.Exit(1)
		}
	case "skips":
		r.skips()
	default:
		fmt.Fprintln(os.Stderr, "testjson: unknown command", os.Args[1])
		os.Exit(2)
	}
}
