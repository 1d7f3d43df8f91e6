package testutil

import (
	"os"
	"strconv"
	"testing"
)

// Times returns how often a test does something: as often as the variable of
// the environment says, which .ci/run sets; else byDefault, or short in a short
// run.
func Times(t *testing.T, variable string, byDefault, short int) int {
	t.Helper()
	if s := os.Getenv(variable); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", variable, err)
		}
		return n
	}
	if testing.Short() {
		return short
	}
	return byDefault
}
