// Package viewer opens a timeline in programs that others have written for such
// files, in a headless Chromium: for the test that they read what package
// timeline writes, and for the picture of it in the documentation.
//
// There are two. Catapult is the viewer of chrome://tracing, of which the Go
// distribution has a copy for go tool trace. Speedscope comes from npm. Both
// are served on a loopback address, with the timeline beside them, and ask no
// other host for anything.
package viewer

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing is what an error wraps if something is not installed.
var ErrMissing = errors.New("not installed")

// timeout is far above what a loaded machine needs.
const timeout = 4 * time.Minute

// A Page is a viewer with a timeline in it. Close it after use.
type Page struct {
	URL    string
	server *http.Server
}

// Close stops the server of the page.
func (p *Page) Close() error { return p.server.Close() }

// serve serves handler on a loopback address.
func serve(handler http.Handler, path string) (*Page, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: timeout}
	go func() { _ = s.Serve(l) }() // returns at Close
	return &Page{URL: "http://" + l.Addr().String() + path, server: s}, nil
}

// trace is the path of the timeline on each server.
const trace = "/timeline.json"

func mux(timeline []byte, dir, at string) *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc(trace, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(timeline) // the browser shows that it lacks the rest
	})
	m.Handle(at, http.StripPrefix(at, http.FileServer(http.Dir(dir))))
	return m
}

//go:embed catapult.html
var catapultPage []byte

// Catapult returns a page that shows the timeline by Catapult. Its element
// "imported" has, as JSON, what the viewer has read.
func Catapult(timeline []byte) (*Page, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go: %w: %w", ErrMissing, err)
	}
	dir := filepath.Join(strings.TrimSpace(string(goroot)), "src", "internal", "trace", "traceviewer", "static")
	if _, err := os.Stat(filepath.Join(dir, "trace_viewer_full.html")); err != nil {
		return nil, fmt.Errorf("the trace viewer of the Go distribution: %w: %w", ErrMissing, err)
	}
	m := mux(timeline, dir, "/static/")
	m.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(catapultPage)
	})
	return serve(m, "/")
}

// speedscope is the version that is installed.
const speedscope = "speedscope@1.25.0"

// Speedscope returns a page that shows the timeline by speedscope, which it has
// npm install in dir.
func Speedscope(timeline []byte, dir string) (*Page, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, fmt.Errorf("npm: %w: %w", ErrMissing, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", dir,
		"--ignore-scripts", "--no-audit", "--no-fund", "--silent", speedscope)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm install %s: %w\n%s", speedscope, err, out)
	}
	release := filepath.Join(dir, "node_modules", "speedscope", "dist", "release")
	return serve(mux(timeline, release, "/"), "/index.html#profileURL="+trace)
}

// A Browser is a headless Chromium.
type Browser struct {
	path    string
	profile string // a folder
}

// NewBrowser returns the Chromium that is installed; profile is a folder for
// it.
func NewBrowser(profile string) (*Browser, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return &Browser{path, profile}, nil
		}
	}
	return nil, fmt.Errorf("chromium, chromium-browser or google-chrome: %w", ErrMissing)
}

// DOM returns the document of p when it has loaded, and what it has written to
// the console.
func (b *Browser) DOM(p *Page) (html, console string, err error) {
	html, log, err := b.run(p, "--dump-dom")
	for line := range strings.Lines(log) {
		if strings.Contains(line, ":CONSOLE:") {
			console += line
		}
	}
	return html, console, err
}

// Screenshot writes a picture of p, of that size in pixels, to file.
func (b *Browser) Screenshot(p *Page, file string, width, height int) error {
	_, _, err := b.run(p, "--screenshot="+file, fmt.Sprintf("--window-size=%d,%d", width, height))
	return err
}

// run shows p. Timers in it do not wait, but what it loads is waited for.
func (b *Browser) run(p *Page, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	args = append(args, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--enable-logging=stderr", "--virtual-time-budget=30000", "--user-data-dir="+b.profile, p.URL)
	cmd := exec.CommandContext(ctx, b.path, args...)
	var out, console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &console
	if err := cmd.Run(); err != nil {
		return "", "", fmt.Errorf("%s: %w\n%s", b.path, err, console.String())
	}
	return out.String(), console.String(), nil
}
