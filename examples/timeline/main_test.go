//go:build unix || windows

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

const fileEnv = "TIMELINE_FILE"

// A child has the only threads of its process.
func TestTimelineHasARowForEachThread(t *testing.T) {
	name := os.Getenv(fileEnv)
	if name == "" {
		name = filepath.Join(t.TempDir(), "timeline.json")
		t.Setenv(fileEnv, name)
	}
	out := leak.InChild(t, func() { testutil.Must(run(os.Stdout, name)) })
	assert.Contains(t, out, "40 orders, 40 sold\n"+name)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var events []struct {
		Ph, Name string
		Args     map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &events))
	var rows, names []string
	for _, e := range events {
		switch {
		case e.Ph == "M" && e.Name == "thread_sort_index":
			rows = append(rows, e.Name)
		case e.Ph == "X", e.Ph == "C":
			names = append(names, e.Name)
		}
	}
	assert.GreaterOrEqual(t, len(rows), producers+consumers)
	for _, want := range []string{`consumer-2`, `producer-1`} {
		assert.Contains(t, names, want)
	}
	for _, want := range []string{`wait for "doors" Barrier\(0x`, `"orders" FIFO queue\(0x`} {
		assert.Regexp(t, want, names)
	}
}
