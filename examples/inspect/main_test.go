//go:build unix || windows

package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestDumpShowsTheDeadlock(t *testing.T) {
	text := leak.InChild(t, func() {
		testutil.Must(run(os.Stdout, 0))
		os.Exit(0) // with the deadlocked threads
	})
	for _, line := range []string{
		`DEADLOCK 1: 2 parties wait for each other`,
		`  "alice" waits for \S+ for Lock\(.*\) "savings", held by "bob"`,
		`  "bob" waits for \S+ for Lock\(.*\) "checking", held by "alice"`,
		`  holds Lock\(.*\) "checking"`,
		`      \S+\.transfer  .*bank\.go:\d+`,
	} {
		assert.Regexp(t, `(?m)^`+line+`$`, text)
	}
}
