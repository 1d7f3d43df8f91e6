package testutil

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// An Edge is a sentence of the form "X synchronizes before Y".
type Edge struct {
	Name string
	// Make makes the objects of one round. One caller writes a word and calls
	// before, another calls after and reads the word. They may also call read
	// elsewhere, where the sentence says that it is written.
	Make func(read func()) (before, after func())
}

// CheckEdges checks each edge as a subtest, in many rounds, between goroutines
// and between threads. The word is a plain one: under the race detector an edge
// that is missing is a race, even if the value is right.
func CheckEdges(t *testing.T, start Start, edges []Edge) {
	rounds := Rounds("EDGE_ROUNDS", 50, 5)
	for _, e := range edges {
		t.Run(e.Name, func(t *testing.T) {
			Callers(t, start, func(t *testing.T, g *Group) {
				for round := range rounds {
					word := 0
					read := func() { assert.Equal(t, 1, word) }
					before, after := e.Make(read)
					first, second := func() { word = 1; before() }, func() { after(); read() }
					if round%2 != 0 {
						first, second = second, first
					}
					g.Run(first)
					if round%4 < 2 {
						runtime.Gosched() // not needed: it varies which caller waits
					}
					g.Run(second)
					g.Wait()
				}
			})
		})
	}
}

// Guarded returns the callers of an Edge between two locks: before writes a
// flag between lock and unlock, after reads it between its own until it is set.
func Guarded(lock, unlock, lockAfter, unlockAfter func()) (before, after func()) {
	flag := false
	before = func() {
		lock()
		flag = true
		unlock()
	}
	after = func() {
		for set := false; !set; runtime.Gosched() {
			lockAfter()
			set = flag
			unlockAfter()
		}
	}
	return before, after
}
