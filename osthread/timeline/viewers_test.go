//go:build viewers

package timeline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/internal/viewer"
	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

// These tests need a Chromium, and npm or the sources of the Go distribution:
//
//	go test -tags viewers -run Viewer ./osthread/timeline

// found skips the test if err says that something is not installed.
func found(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, viewer.ErrMissing) {
		t.Skip("needs a viewer: ", err)
	}
	require.NoError(t, err)
}

// busy returns a stream of some thousand events of all kinds.
func busy(t *testing.T) []byte {
	osthread.SetPanicHook(func(*osthread.Thread, *osthread.PanicError) {})
	defer osthread.SetPanicHook(nil)
	var b bytes.Buffer
	r, err := timeline.Start(&b, timeline.Options{Counters: map[string]func() int{"<threads>": osthread.NumThread}})
	require.NoError(t, err)
	q, l := queue.New[int](4), new(osthread.RLock)
	var all []*osthread.Thread
	for i := range 3 {
		all = append(all, start(t, fmt.Sprintf(`consumer "%d" <b>`, i), func() {
			for range q.All() {
				touch(l)
			}
		}))
	}
	join(t, start(t, "producer", func() {
		for i := range 5000 {
			testutil.Must(q.Put(i))
		}
	}))
	q.Shutdown()
	join(t, all...)
	assert.Error(t, start(t, "panics", func() { panic("on purpose") }).Join())
	require.NoError(t, r.Stop())
	return b.Bytes()
}

// Catapult, the viewer of chrome://tracing and go tool trace, has all of it.
func TestViewerCatapultReadsTimelines(t *testing.T) {
	text := busy(t)
	want := parse(t, text, false)
	page, err := viewer.Catapult(text)
	found(t, err)
	defer page.Close()
	browser, err := viewer.NewBrowser(t.TempDir())
	found(t, err)
	document, console, err := browser.DOM(page)
	require.NoError(t, err)
	m := regexp.MustCompile(`(?s)<pre id="imported"[^>]*>(.*?)</pre>`).FindStringSubmatch(document)
	require.NotNil(t, m, console)
	var got struct {
		Warnings          []string
		Flows, BoundFlows int
		Rows              map[string]struct{ Slices []string }
		Counters          map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(m[1])), &got), console)
	assert.Empty(t, got.Warnings)
	assert.Len(t, want.with("f", "wake"), got.Flows)
	assert.Equal(t, got.Flows, got.BoundFlows, "an arrow has no slice at an end")
	assert.Greater(t, got.Flows, 10)
	assert.Len(t, got.Rows, len(want.names()))
	for tid, slices := range want.slices() {
		row := got.Rows[want.names()[tid]]
		var names []string
		for _, s := range slices {
			names = append(names, s.Name)
		}
		if names[0] == "panics" {
			names = append(names, "panic") // a mark is a slice there
		}
		assert.ElementsMatch(t, names, row.Slices)
	}
	assert.Contains(t, got.Counters, "<threads>")
	assert.Len(t, got.Counters, 2)
}

// Speedscope has each row, and says nothing of slices that do not match.
func TestViewerSpeedscopeReadsTimelines(t *testing.T) {
	text := busy(t)
	want := parse(t, text, false)
	browser, err := viewer.NewBrowser(t.TempDir())
	found(t, err)
	page, err := viewer.Speedscope(text, t.TempDir())
	found(t, err)
	defer page.Close()
	document, console, err := browser.DOM(page)
	require.NoError(t, err)
	assert.Contains(t, console, "Importing as Trace Event Format profile")
	assert.NotRegexp(t, "(?i)Tried to|mismatch|unexpected|uncaught|not been closed", console)
	document = html.UnescapeString(document)
	assert.Regexp(t, fmt.Sprintf(`\(\d+/%d\)`, len(want.slices())), document)
	for tid := range want.slices() {
		assert.Contains(t, document, want.names()[tid])
	}
}
