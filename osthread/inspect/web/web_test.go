package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// quick are the options of servers in tests.
var quick = options{
	interval: time.Millisecond, pause: 1, streams: 4, replies: 4, lifetime: time.Minute, stall: 10 * time.Second,
}

// ask answers a request from a new server.
func ask(method, target string, header ...string) *httptest.ResponseRecorder {
	return askServer(newServer(quick), method, target, header...)
}

func askServer(s *server, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// start starts a thread that waits until the test ends.
func start(t *testing.T, name string) *osthread.Event {
	t.Helper()
	e := new(osthread.Event)
	th, err := osthread.Start(func() error { e.Wait(); return nil }, &osthread.Attr{Name: name})
	require.NoError(t, err)
	t.Cleanup(func() { e.Set(); assert.NoError(t, th.Join()) })
	await(func() bool {
		for _, p := range inspect.Take().Parties {
			if p.Serial == serialOf(t, th) && p.Wait != nil {
				return true
			}
		}
		return false
	})
	return e
}

func serialOf(t *testing.T, th *osthread.Thread) uint64 {
	record, err := th.OSThread()
	require.NoError(t, err)
	return record.Serial()
}

func TestImportRegistersTheHandler(t *testing.T) {
	for _, row := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/debug/osthread/", http.StatusOK},
		{"GET", "/debug/osthread/page.js", http.StatusOK},
		{"GET", "/debug/osthread/nothing", http.StatusNotFound},
		{"HEAD", "/debug/osthread/", http.StatusOK},
		{"POST", "/debug/osthread/", http.StatusMethodNotAllowed},
	} {
		w := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest(row.method, row.target, http.NoBody))
		assert.Equal(t, row.want, w.Code, row)
	}
	assert.Equal(t, "GET "+root, pattern(""))
	assert.Equal(t, root, pattern("x=1,httpmuxgo121=1"))
}

func TestHandlerServesBelowAnyPath(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/a/b/", Handler())
	mux.Handle("/c/", http.StripPrefix("/c", Handler()))
	for _, target := range []string{"/a/b/", "/a/b/page.css", "/c/", "/c/graph.js", "/a/b/view.json"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", target, http.NoBody))
		assert.Equal(t, http.StatusOK, w.Code, target)
	}
}

func TestHandlerOnlyReads(t *testing.T) {
	s := newServer(quick)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "X"} {
		for _, name := range []string{"", "stream", "view.json"} {
			w := askServer(s, method, root+name)
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
}

func TestHeadHasNoBodyAndOpensNoStream(t *testing.T) {
	s := newServer(quick)
	for _, name := range []string{"", "page.css", "stream", "view.json", "snapshot.json", "dump.txt"} {
		w := askServer(s, "HEAD", root+name)
		assert.Equal(t, http.StatusOK, w.Code, name)
		assert.Empty(t, w.Body.String(), name)
	}
	assert.Zero(t, s.sampler.streams)
	assert.Equal(t, http.StatusBadRequest, askServer(s, "HEAD", root+"stream?page=0").Code)
}

func TestConditionalRequests(t *testing.T) {
	w := ask("GET", root)
	etag := w.Header().Get("ETag")
	require.NotEmpty(t, etag)
	again := ask("GET", root, "If-None-Match", etag)
	assert.Equal(t, http.StatusNotModified, again.Code)
	assert.Empty(t, again.Body.String())
	assert.Equal(t, http.StatusOK, ask("GET", root, "If-None-Match", `"other"`).Code)
	data := ask("GET", root+"view.json", "If-None-Match", etag)
	assert.Equal(t, http.StatusOK, data.Code, "data has no ETag")
	assert.Equal(t, "no-store", data.Header().Get("Cache-Control"))
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	for _, row := range []struct {
		name, site, mode string
		want             int
	}{
		{"stream", "cross-site", "cors", http.StatusForbidden},
		{"view.json", "same-site", "no-cors", http.StatusForbidden},
		{"view.json", "cross-site", "navigate", http.StatusForbidden},
		{"", "cross-site", "navigate", http.StatusOK},
		{"", "cross-site", "no-cors", http.StatusForbidden},
		{"view.json", "same-origin", "cors", http.StatusOK},
		{"view.json", "none", "navigate", http.StatusOK},
	} {
		w := ask("GET", root+row.name, "Sec-Fetch-Site", row.site, "Sec-Fetch-Mode", row.mode)
		assert.Equal(t, row.want, w.Code, row)
	}
}

// Each response forbids scripts and requests other than the page's own, and the
// page has no script, style or address that this excludes.
func TestPolicyIsStrictAndThePageKeepsIt(t *testing.T) {
	for _, name := range []string{"", "page.js", "view.json", "stream?page=0", "nothing"} {
		h := ask("GET", root+name).Header()
		assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';", name)
		assert.NotContains(t, h.Get("Content-Security-Policy"), "unsafe", name)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), name)
	}
	outside := regexp.MustCompile(`https?://|["'(]//`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser`)
	for name, a := range newServer(quick).assets {
		text := strings.ReplaceAll(string(a.data), "http://www.w3.org/2000/svg", "") // the name of SVG
		assert.NotRegexp(t, outside, text, name)
		assert.NotRegexp(t, markup, text, name)
		if strings.HasSuffix(name, ".html") {
			assert.NotRegexp(t, `<style|\sstyle=|\son\w+=|javascript:`, text, name)
			assert.NotRegexp(t, `<script[^>]*>[^<]`, text, name)
		}
		assert.NotEmpty(t, a.kind, name)
	}
}

func TestHostileNamesAreEscapedAndCut(t *testing.T) {
	start(t, `</script><script>alert(1)</script>`)
	start(t, `"><img src=x onerror=alert(2)>`)
	start(t, strings.Repeat("long", 1000))
	start(t, "control\r\n\ndata: {}\r\u2028\u202e")
	start(t, "broken \xff\xfe")
	w := ask("GET", root+"view.json")
	require.Equal(t, http.StatusOK, w.Code)
	text := w.Body.String()
	assert.NotContains(t, text, "<")
	assert.NotContains(t, text, "\n", "it would end a server-sent event")
	var v view
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	names := map[string]bool{}
	for _, r := range v.Rows {
		assert.LessOrEqual(t, len(r.Name), longestName+len("…"))
		names[r.Name] = true
	}
	assert.True(t, names[`</script><script>alert(1)</script>`])
}

func TestQueriesAreBounded(t *testing.T) {
	for _, row := range []struct {
		query string
		want  int
	}{
		{"", http.StatusOK},
		{"q=a&state=waiting&sort=cpu&desc=1&page=3&size=200", http.StatusOK},
		{"q=%F0%9F%92%A5&state=&desc=0", http.StatusOK},
		{"page=0", http.StatusBadRequest},
		{"page=-1", http.StatusBadRequest},
		{"page=99999999999999999999", http.StatusBadRequest},
		{"page=1&page=2", http.StatusBadRequest},
		{"size=201", http.StatusBadRequest},
		{"size=1e3", http.StatusBadRequest},
		{"sort=password", http.StatusBadRequest},
		{"state=awake", http.StatusBadRequest},
		{"desc=yes", http.StatusBadRequest},
		{"other=1", http.StatusBadRequest},
		{"q=%zz", http.StatusBadRequest},
		{"q=" + strings.Repeat("a", longestText+1), http.StatusBadRequest},
		{"q=" + strings.Repeat("a", longest), http.StatusRequestURITooLong},
	} {
		for _, name := range []string{"view.json", "stream"} {
			if name == "stream" && row.want == http.StatusOK {
				continue // has no end
			}
			w := ask("GET", root+name+"?"+row.query)
			assert.Equal(t, row.want, w.Code, row.query)
			assert.Less(t, w.Body.Len(), 64<<10)
		}
	}
	w := ask("GET", root+"view.json?sort="+url.QueryEscape("<script>"))
	assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
}

func TestJSONBesideThePage(t *testing.T) {
	start(t, "server")
	s := newServer(quick)
	get := func(name string, v any) {
		w := askServer(s, "GET", root+name)
		require.Equal(t, http.StatusOK, w.Code, name)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), v), name)
	}
	var snapshot inspect.Snapshot
	get("snapshot.json", &snapshot)
	assert.NotEmpty(t, snapshot.Parties)
	var metrics []struct {
		inspect.Metric
		Samples []inspect.Sample
	}
	get("metrics.json", &metrics)
	assert.Len(t, metrics, len(inspect.AllMetrics()))
	var none *inspect.Snapshot
	get("deadlocks.json", &none)
	assert.Nil(t, none)
	var v view
	get("view.json?q=server", &v)
	require.Len(t, v.Rows, 1)
	assert.Equal(t, waiting, v.Rows[0].State)
	assert.Contains(t, v.Rows[0].Waits, "Event(")
	w := askServer(s, "GET", root+"dump.txt")
	assert.Contains(t, w.Body.String(), `"server" thread`)
}

// Requests at any rate share what was made a moment before.
func TestRequestsShareASnapshot(t *testing.T) {
	o := quick
	o.interval = time.Hour
	s := newServer(o)
	f := s.frame()
	assert.Same(t, f, s.frame())
	w := askServer(s, "GET", root+"view.json")
	var v view
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v))
	assert.True(t, v.Taken.Equal(f.snapshot.Taken))
}

func TestRepliesHaveALimit(t *testing.T) {
	s := newServer(quick)
	for range quick.replies {
		s.busy <- struct{}{}
	}
	w := askServer(s, "GET", root+"snapshot.json")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.NotEmpty(t, w.Header().Get("Retry-After"))
	<-s.busy
	assert.Equal(t, http.StatusOK, askServer(s, "GET", root+"snapshot.json").Code)
	assert.Len(t, s.busy, quick.replies-1)
}

func TestPageIsHTML(t *testing.T) {
	server := httptest.NewServer(newServer(quick))
	defer server.Close()
	r, err := server.Client().Get(server.URL + root)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	assert.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	assert.Contains(t, string(text), "<!doctype html>")
	server.Client().CloseIdleConnections()
}
