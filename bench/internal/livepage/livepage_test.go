package livepage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect/web"
)

// newBrowser skips the test without a browser, and in short mode, since each
// browser takes seconds.
func newBrowser(t *testing.T) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	b, stop, err := Start(ctx, t.TempDir())
	if errors.Is(err, ErrNoBrowser) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(stop)
	return b
}

// quiet fails the test if a page made requests to other addresses, or had
// errors.
func quiet(t *testing.T, b *Browser, address string) {
	t.Helper()
	requests, errs := b.Elsewhere(address)
	assert.Empty(t, requests, "requests to other hosts")
	assert.Empty(t, errs, "errors")
}

func eval[T any](t *testing.T, b *Browser, expression string) T {
	t.Helper()
	v, err := Eval[T](b, expression)
	require.NoError(t, err, expression)
	return v
}

// serve serves the page of this process, with another stream if that is given.
func serve(t *testing.T, stream http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/threads/", web.Handler())
	if stream != nil {
		mux.HandleFunc("/threads/stream", stream)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL + "/threads/"
}

// overflow is by how many pixels the page is wider than the window.
const overflow = `document.documentElement.scrollWidth - window.innerWidth`

// A box is where something is drawn, in pixels of the window.
type box struct {
	Name       string
	X, Y, W, H float64
}

const boxes = `[...document.querySelectorAll(%q)].map(e => {
	const r = e.getBoundingClientRect()
	return {Name: e.dataset.name ?? e.textContent, X: r.x, Y: r.y, W: r.width, H: r.height}
})`

func (a box) overlaps(b box) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func TestPageShowsTheDeadlock(t *testing.T) {
	b := newBrowser(t)
	address, stop, err := Bank(t.Context())
	require.NoError(t, err)
	defer stop()
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("width=%d/%s", width, scheme), func(t *testing.T) {
				require.NoError(t, b.Prefer(scheme))
				require.NoError(t, b.Open(address, width, 1600))
				require.NoError(t, b.Await(`document.querySelectorAll("#graph .wire.dead").length === 2`))
				require.NoError(t, b.Await(`document.querySelectorAll("#threads tbody tr.deadlocked").length === 2`))
				checkDeadlock(t, b, float64(width))
			})
		}
	}
	quiet(t, b, address)
}

func checkDeadlock(t *testing.T, b *Browser, width float64) {
	assert.LessOrEqual(t, eval[float64](t, b, overflow), 0.0, "the page scrolls sideways")
	text := eval[string](t, b, `document.getElementById("deadlocks").innerText`)
	assert.Contains(t, text, "Deadlock: 2 parties wait for each other")
	assert.Regexp(t, `alice waits for Lock "savings", held by bob, for`, text)
	assert.Regexp(t, `bob waits for Lock "checking", held by alice, for`, text)

	type wire struct{ From, To string }
	wires := eval[[]wire](t, b,
		`[...document.querySelectorAll(".wire.dead")].map(w => ({From: w.dataset.from, To: w.dataset.to}))`)
	assert.ElementsMatch(t, []wire{{"alice", "bob"}, {"bob", "alice"}}, wires)
	nodes := eval[[]box](t, b, fmt.Sprintf(boxes, "#graph g.deadlocked"))
	labels := eval[[]box](t, b, fmt.Sprintf(boxes, "#graph text.object.dead"))
	require.Len(t, nodes, 2)
	require.Len(t, labels, 2)
	all := append(nodes, labels...)
	for i, x := range all {
		assert.True(t, x.X >= 0 && x.X+x.W <= width, "%v is outside of the window", x)
		for _, y := range all[:i] {
			assert.False(t, x.overlaps(y), "%v covers %v", x, y)
		}
	}
	shot, err := b.Shot(false)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	checkDrawn(t, img, nodes)
}

// checkDrawn finds the red of the cycle around its two nodes, and between them,
// where nothing but its edges can be red.
func checkDrawn(t *testing.T, img image.Image, nodes []box) {
	t.Helper()
	first, last := nodes[0], nodes[1]
	around := image.Rect(
		int(min(first.X, last.X))-60, int(min(first.Y, last.Y))-60,
		int(max(first.X+first.W, last.X+last.W))+60, int(max(first.Y+first.H, last.Y+last.H))+60,
	)
	all := reds(img, around.Intersect(img.Bounds()))
	inside := 0
	for _, n := range nodes {
		border := reds(img, image.Rect(int(n.X)-3, int(n.Y)-3, int(n.X+n.W)+3, int(n.Y+n.H)+3))
		assert.Greater(t, border, 100, "%s has no red border", n.Name)
		inside += border
	}
	assert.Greater(t, all-inside, 300, "the edges of the cycle are not drawn")
}

// reds counts the pixels that are red, but not merely reddish.
func reds(img image.Image, in image.Rectangle) (n int) {
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			if r>>8 > 150 && g>>8 < 130 && b>>8 < 130 {
				n++
			}
		}
	}
	return n
}

// start starts a thread with that name that waits until the test ends.
func start(t *testing.T, name string, done *osthread.Event) error {
	t.Helper()
	th, err := osthread.Start(func() error { done.Wait(); return nil }, &osthread.Attr{Name: name})
	if err != nil {
		return err
	}
	t.Cleanup(func() { done.Set(); assert.NoError(t, th.Join()) })
	return nil
}

func TestPageShowsHostileNamesAsText(t *testing.T) {
	b := newBrowser(t)
	var done osthread.Event
	names := []string{
		`<img src=x onerror="window.hit = 1">`, `</td><script>window.hit = 2</script>`, `&lt;b&gt;`,
		"javascript:window.hit=3", `"><svg onload="window.hit = 4">`, strings.Repeat("W", 500),
	}
	for _, name := range names {
		require.NoError(t, start(t, name, &done))
	}
	address := serve(t, nil)
	for _, width := range []int64{1280, 390} {
		require.NoError(t, b.Open(address, width, 900))
		require.NoError(t, b.Await(`document.querySelectorAll("#threads tbody tr").length >= 6`))
		shown := eval[[]string](t, b, `[...document.querySelectorAll("#threads td.name")].map(td => td.textContent)`)
		for _, name := range names[:5] {
			assert.Contains(t, shown, name)
		}
		assert.Zero(t, eval[int](t, b, `document.querySelectorAll("main script, main img, main svg[onload]").length`))
		assert.Zero(t, eval[int](t, b, `window.hit ?? 0`))
		assert.LessOrEqual(t, eval[float64](t, b, overflow), 0.0, "a long name makes the page scroll sideways")
	}
	quiet(t, b, address)
}

// With 10,000 threads, or as many as the system permits, the page has a page of
// them, and its controls work.
func TestPageOfManyThreadsIsUsable(t *testing.T) {
	b := newBrowser(t)
	var done osthread.Event
	n := 0
	for ; n < 10_000; n++ {
		err := start(t, fmt.Sprintf("many %05d", n), &done)
		if errors.Is(err, syscall.EAGAIN) && n >= 500 {
			break
		}
		require.NoError(t, err)
	}
	address := serve(t, nil)
	require.NoError(t, b.Open(address, 1280, 900))
	require.NoError(t, b.Await(`document.querySelectorAll("#threads tbody tr").length === 50`))
	assert.Less(t, eval[int](t, b, `document.querySelectorAll("*").length`), 3000)
	require.NoError(t, b.Await(`document.getElementById("next").click() ?? true`))
	require.NoError(t, b.Await(`document.getElementById("pages").textContent.startsWith("page 2 of ")`))
	find := `(() => {
		const q = document.getElementById("q")
		q.value = "MANY 00042"
		q.dispatchEvent(new Event("input"))
		return true
	})()`
	require.True(t, eval[bool](t, b, find))
	require.NoError(t, b.Await(`[...document.querySelectorAll("#threads td.name")].map(td => td.textContent).join() === "many 00042"`))
	assert.Contains(t, eval[string](t, b, `document.getElementById("matched").textContent`), "1 of ")
	quiet(t, b, address)
}

// updates is a stream of n views of another number of threads, deadlocks and
// edges each. It then stays open.
func updates(n int) http.HandlerFunc { return updatesInParts(nil, n) }

// updatesInParts is updates in parts that end with each of the numbers, and
// begin with a value of next each, but for the first.
func updatesInParts(next <-chan bool, ends ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		i := 0
		for _, end := range ends {
			for ; i < end; i++ {
				text, err := json.Marshal(update(i))
				if err != nil {
					return
				}
				if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
					return
				}
			}
			_ = http.NewResponseController(w).Flush() // the page sees the end
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}
}

// update returns a view. The process in it is its number.
func update(i int) map[string]any {
	rows, nodes, edges := []any{}, []any{}, []any{}
	for j := range 1 + i%7 {
		name := fmt.Sprintf("thread %d", j)
		rows = append(rows, map[string]any{
			"id": j, "name": name, "state": "waiting", "kind": "native", "waits": fmt.Sprintf("Lock %d", i), "since_s": i,
		})
		nodes = append(nodes, map[string]any{"id": name, "name": name, "state": "deadlocked"})
		edges = append(edges, map[string]any{
			"from": name, "to": fmt.Sprintf("thread %d", (j+1)%(1+i%7)), "object": fmt.Sprintf("Lock %d", i), "dead": true,
		})
	}
	dead := []any{}
	for range i % 3 {
		step := map[string]any{"name": "a", "waits": "b", "by": []string{"c"}}
		dead = append(dead, map[string]any{"size": 2, "steps": []any{step}})
	}
	return map[string]any{
		"taken": time.Unix(int64(i), 0), "process": i, "watched": true, "threads": i, "waiting": i, "goroutines": i,
		"total": 7, "matched": 7, "page": 1, "pages": 1, "rows": rows, "deadlocks": dead,
		"graph":   map[string]any{"nodes": nodes, "edges": edges},
		"objects": []any{}, "waits": []any{},
		"pools":  []any{map[string]any{"name": "p", "value": i % 5, "max": 5}},
		"queues": []any{map[string]any{"name": "q", "value": i, "note": "n"}}[:i%2],
	}
}

// The browser has as many nodes after 1,000 more updates.
func TestThousandUpdatesLeaveNoNode(t *testing.T) {
	b := newBrowser(t)
	// Both ends have the same view: they differ by a multiple of 2 * 3 * 5 * 7.
	next, ends := make(chan bool), []int{42, 42 + 5*210}
	require.NoError(t, b.Open(serve(t, updatesInParts(next, ends...)), 1280, 900))
	count := func(end int) (counters memory.GetDOMCountersResult, elements int) {
		require.NoError(t, b.Await(fmt.Sprintf(`document.getElementById("process").textContent === "%d"`, end-1)))
		_, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
		require.NoError(t, err)
		counters, err = chromedp.Call(b.ctx, memory.GetDOMCounters, cdp.Empty{})
		require.NoError(t, err)
		return counters, eval[int](t, b, `document.querySelectorAll("*").length`)
	}
	before, elementsBefore := count(ends[0])
	next <- true
	after, elementsAfter := count(ends[1])
	assert.Equal(t, elementsBefore, elementsAfter)
	assert.LessOrEqual(t, after.Nodes, before.Nodes+before.Nodes/10, "nodes are kept")
	assert.LessOrEqual(t, after.JsEventListeners, before.JsEventListeners+5, "listeners are kept")
}

// While the page is paused it has no stream.
func TestPausedPageHasNoStream(t *testing.T) {
	b := newBrowser(t)
	opened, closed := make(chan bool, 10), make(chan bool, 10)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		opened <- true
		updates(3)(w, r)
		closed <- true
	})
	require.NoError(t, b.Open(address, 390, 800))
	<-opened
	require.NoError(t, b.Await(`document.getElementById("process").textContent === "2"`))
	require.True(t, eval[bool](t, b, `document.getElementById("pause").click() ?? true`))
	<-closed
	assert.Equal(t, "paused", eval[string](t, b, `document.getElementById("live-text").textContent`))
	require.True(t, eval[bool](t, b, `document.getElementById("pause").click() ?? true`))
	<-opened
	quiet(t, b, address)
}

// The page is refused streams for a while, and then gets one.
func TestPageTriesAgainWhenItIsRefused(t *testing.T) {
	b := newBrowser(t)
	refusals := 1
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if refusals > 0 {
			refusals--
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "busy")
			return
		}
		updates(2)(w, r)
	})
	require.NoError(t, b.Open(address, 390, 800))
	require.NoError(t, b.Await(`document.getElementById("process").textContent === "1"`))
}
