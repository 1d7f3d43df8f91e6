package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A mutant is a patch with a plausible fault (testdata/mutants.patch). A
// scenario must find it within mutantTime.
const mutantTime = time.Minute

// mutants looks for those whose names match, and prints how each was found.
func (b builder) mutants(match string) (status int, err error) {
	named, err := regexp.Compile(match)
	if err != nil {
		return 2, err
	}
	patches, err := readPatches(b.root, "mutants.patch")
	if err != nil {
		return 2, err
	}
	began := time.Now()
	n, survivors := 0, 0
	for _, m := range patches[1:] {
		if !named.MatchString(m.name) {
			continue
		}
		n++
		found, how, err := b.find(m)
		if err != nil {
			return 2, fmt.Errorf("%s: %w", m.name, err)
		}
		if !found {
			survivors++
		}
		fmt.Printf("%-60s %s\n", m.name, how)
	}
	fmt.Printf("%d mutants, %d survive, %.0f s\n", n, survivors, time.Since(began).Seconds())
	return min(survivors, 1), nil
}

// find builds the mutant and looks for it.
func (b builder) find(m patch) (found bool, how string, err error) {
	program := filepath.Join(b.folder, "mutant")
	if err := b.build(program, m.edits); err != nil {
		return false, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), mutantTime)
	defer cancel()
	began := time.Now()
	args := []string{"-quiet", "-run=" + m.scenarios, "-first", "-limit=2s", "-random=20000", "-pct=20000"}
	out, err := exec.CommandContext(ctx, program, args...).Output()
	took := time.Since(began).Seconds()
	line, _, _ := strings.Cut(string(out), "\n")
	if err == nil || !strings.HasPrefix(line, "FAIL") {
		return false, fmt.Sprintf("SURVIVES %s for %.1f s", m.scenarios, took), nil
	}
	return true, fmt.Sprintf("%.1f s  %s", took, line), nil
}
