package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// path of the page on http.DefaultServeMux.
const root = "/debug/osthread/"

func init() { http.Handle(pattern(os.Getenv("GODEBUG")), Handler()) }

// pattern returns the pattern of the handler: with the method, as in
// net/http/pprof, unless http.ServeMux does as Go 1.21's did.
func pattern(godebug string) string {
	if strings.Contains(godebug, "httpmuxgo121=1") {
		return root
	}
	return "GET " + root
}

// Handler returns the handler of the page, for programs with a ServeMux of
// their own. It answers any path by its last element, so it can be anywhere:
//
//	mux.Handle("/internal/threads/", web.Handler())
//
// All handlers share one limit and one snapshot a second.
func Handler() http.Handler { return shared }

var shared = newServer(options{
	interval: time.Second,
	pause:    50, // so that snapshots take 2 % of one processor at most
	streams:  64,
	replies:  32,
	lifetime: time.Minute,
	stall:    10 * time.Second,
})

//go:embed assets
var assets embed.FS

// An asset is a file of the page, by its name.
type asset struct {
	kind, etag string
	data       []byte
}

var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func readAssets() map[string]asset {
	all := map[string]asset{}
	entries, err := assets.ReadDir("assets")
	for _, e := range entries {
		data, readErr := assets.ReadFile("assets/" + e.Name())
		if readErr != nil {
			err = readErr
			break
		}
		sum := sha256.Sum256(data)
		all[e.Name()] = asset{kinds[path.Ext(e.Name())], `"` + hex.EncodeToString(sum[:8]) + `"`, data}
	}
	if err != nil {
		panic(err) // the files are in the program
	}
	return all
}

// policy permits the page what it consists of.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// longest is how long a query may be, in bytes.
const longest = 1024

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the page only reads", http.StatusMethodNotAllowed)
	case len(r.URL.RawQuery) > longest:
		http.Error(w, "query too long", http.StatusRequestURITooLong)
	case fromElsewhere(r, name):
		http.Error(w, "request of another site", http.StatusForbidden)
	default:
		s.route(w, r, name)
	}
}

// fromElsewhere reports whether the page of another site has made the request,
// which could not read the answer, but would use up streams. A link to the page
// is no such request.
func fromElsewhere(r *http.Request, name string) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	default:
		return name != "" || r.Header.Get("Sec-Fetch-Mode") != "navigate"
	}
}

func (s *server) route(w http.ResponseWriter, r *http.Request, name string) {
	if data, ok := s.data[name]; ok {
		s.reply(w, r, data)
		return
	}
	if name == "stream" {
		s.stream(w, r)
		return
	}
	if name == "" {
		name = "page.html"
	}
	a, ok := s.assets[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache") // asks whether the ETag is the same
	w.Header().Set("ETag", a.etag)
	w.Header().Set("Content-Type", a.kind)
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.write(w, r, a.data)
}
