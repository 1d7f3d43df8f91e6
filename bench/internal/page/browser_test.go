package page

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdproto "github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/fixture"
)

// A browser is a headless Chromium and the errors in it.
type browser struct {
	context.Context
	mu       sync.Mutex
	requests []string // other than the page's own file
	errors   []string
}

// newBrowser skips the test if there is no Chromium, and in short mode, because
// each browser takes seconds.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no browser")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium, chromium-browser or google-chrome in PATH")
	}
	timeout, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	alloc, cancel := chromedp.NewExecAllocator(
		timeout,
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(4*time.Minute),
	)
	t.Cleanup(cancel)
	b := &browser{}
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context = ctx
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, height)); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdproto.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://") && !strings.HasPrefix(e.Request.URL, "data:") {
			b.requests = append(b.requests, e.Request.URL)
		}
	case *log.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	}
}

// quiet fails the test if the page made requests or had errors.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) > 0 {
		t.Errorf("requests: %q, want none", b.requests)
	}
	if len(b.errors) > 0 {
		t.Errorf("errors: %q, want none", b.errors)
	}
}

// height of the window, more than that of any chart.
const height = 1600

// open shows html in a window of the given width.
func (b *browser) open(t *testing.T, html string, width int64) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(b, chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
}

// A drawn is a chart in the page: its width in CSS pixels and its data areas,
// as fractions of it.
type drawn struct {
	ID    string
	W     float64
	Plots string
}

func (b *browser) charts(t *testing.T) []drawn {
	t.Helper()
	const find = `[...document.querySelectorAll("figure")].map(f => {
		const s = f.querySelector("svg")
		return {ID: f.id, W: s.getBoundingClientRect().width, Plots: s.dataset.plot}
	})`
	out, err := chromedp.Run(b, chromedp.Evaluate[[]drawn](find))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shot scrolls to a chart and returns a screenshot of it.
func (b *browser) shot(t *testing.T, d drawn) image.Image {
	t.Helper()
	type box struct{ X, Y, W, H, Window float64 }
	const scroll = `(() => {
		const s = document.getElementById(%q).querySelector("svg")
		s.scrollIntoView({block: "start", behavior: "instant"})
		const r = s.getBoundingClientRect()
		return {X: r.x, Y: r.y, W: r.width, H: r.height, Window: innerHeight}
	})()`
	at, err := chromedp.Run(b, chromedp.Evaluate[box](fmt.Sprintf(scroll, d.ID)))
	if err != nil {
		t.Fatal(err)
	}
	if at.Y < -1 || at.Y+at.H > at.Window {
		t.Fatalf("%s is at %v to %v, not within the window of %v", d.ID, at.Y, at.Y+at.H, at.Window)
	}
	shot, err := chromedp.Call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		t.Fatal(err)
	}
	whole, ok := img.(interface {
		SubImage(r image.Rectangle) image.Image
	})
	if !ok {
		t.Fatalf("cannot cut a %T", img)
	}
	return whole.SubImage(image.Rect(int(math.Round(at.X)), int(math.Round(at.Y)), int(at.X+at.W), int(at.Y+at.H)))
}

// contenderColours returns the colours of the fixture's contenders: this
// library's, and those of the others that neither text nor axes use.
func contenderColours() (ours [3]int, others [][3]int) {
	for _, hex := range chart.Colours(fixture.Run()) {
		var c [3]int
		if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &c[0], &c[1], &c[2]); err != nil {
			panic(err) // a bug in this test
		}
		switch hex {
		case "#d55e00":
			ours = c
		case "#000000":
		default:
			others = append(others, c)
		}
	}
	return ours, others
}

// missing returns what the screenshot of a chart lacks in its data areas, "" if
// nothing. The legend, which has all colours, is outside of them.
func missing(d drawn, img image.Image) string {
	const enough = 12 // pixels: fewer than one mark has
	ours, others := contenderColours()
	total := 0
	if d.Plots == "" {
		return "any area with data"
	}
	for area := range strings.SplitSeq(d.Plots, ";") {
		var x, y, w, h float64
		if _, err := fmt.Sscanf(area, "%f,%f,%f,%f", &x, &y, &w, &h); err != nil {
			return "areas: " + err.Error()
		}
		size := img.Bounds().Size()
		r := image.Rect(
			int(x*float64(size.X))+2,
			int(y*float64(size.Y))+1,
			int((x+w)*float64(size.X)),
			int((y+h)*float64(size.Y))-2,
		)
		r = r.Add(img.Bounds().Min)
		counts := pixels(img, r, append([][3]int{ours}, others...))
		total += counts[0]
		if slices.Max(counts[1:]) < enough {
			return "another contender in " + area
		}
	}
	if total < enough {
		return "the baseline"
	}
	return ""
}

// pixels counts the pixels in r of each colour, ignoring rounding.
func pixels(img image.Image, r image.Rectangle, colours [][3]int) []int {
	const near = 10
	counts := make([]int, len(colours))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			red, green, blue, _ := img.At(x, y).RGBA()
			for i, c := range colours {
				if abs(int(red>>8)-c[0]) <= near && abs(int(green>>8)-c[1]) <= near && abs(int(blue>>8)-c[2]) <= near {
					counts[i]++
				}
			}
		}
	}
	return counts
}

func abs(n int) int { return max(n, -n) }

func TestPageDrawsEachChart(t *testing.T) {
	b := newBrowser(t)
	want, err := chart.All(fixture.Run())
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}
		if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		b.open(t, write(t, fixture.Run()), 1280)
		charts := b.charts(t)
		if len(charts) != len(want) {
			t.Fatalf("%s: got %d charts, want %d", scheme, len(charts), len(want))
		}
		if scheme == "dark" {
			charts = charts[:1] // charts have a white background of their own: one is enough
		}
		for _, d := range charts {
			if d.W < 850 {
				t.Errorf("%s: %s is %v px wide, want about 900", scheme, d.ID, d.W)
			}
			img := b.shot(t, d)
			if m := missing(d, img); m != "" {
				t.Errorf("%s: %s lacks %s", scheme, d.ID, m)
			}
			corner := img.Bounds().Min
			if red, green, blue, _ := img.At(corner.X+2, corner.Y+2).RGBA(); red&green&blue>>8 != 0xff {
				t.Errorf("%s: %s has no white background", scheme, d.ID)
			}
		}
	}
	b.quiet(t)
}

// The check of TestPageDrawsEachChart must find charts that are broken in
// several ways.
func TestMissingFindsBlankCharts(t *testing.T) {
	b := newBrowser(t)
	whole := write(t, fixture.Run())
	svg := regexp.MustCompile(`(?s)(<svg [^>]*>)(.*?)(</svg>)`)
	path := regexp.MustCompile(`<path [^>]*>`)
	dropAll := func(inside string, drop func(path string) bool) string {
		return path.ReplaceAllStringFunc(inside, func(p string) string {
			if drop(p) {
				return ""
			}
			return p
		})
	}
	coloured := regexp.MustCompile(`#(0072B2|009E73|56B4E9|CC79A7|000000|E69F00|882255|999933|332288)`)
	for name, broken := range map[string]func(inside string) string{
		"emptied": func(string) string { return "" },
		"no baseline": func(s string) string {
			return dropAll(s, func(p string) bool { return strings.Contains(p, "#D55E00") })
		},
		"no others": func(s string) string { return dropAll(s, coloured.MatchString) },
		// What is drawn before the first grey line is the background and the
		// legend.
		"legend alone": func(s string) string {
			i := strings.Index(s, "#777777")
			return s[:strings.LastIndex(s[:i], "<path")] + "</g>"
		},
	} {
		b.open(t, svg.ReplaceAllStringFunc(whole, func(s string) string {
			m := svg.FindStringSubmatch(s)
			return m[1] + broken(m[2]) + m[3]
		}), 1280)
		charts := b.charts(t)
		for _, i := range []int{0, len(charts) / 2, len(charts) - 1} {
			if missing(charts[i], b.shot(t, charts[i])) == "" {
				t.Errorf("%s: %s passes for drawn", name, charts[i].ID)
			}
		}
	}
}

func TestPageFitsTheWindow(t *testing.T) {
	b := newBrowser(t)
	html := strings.ReplaceAll(write(t, fixture.Run()), "<details ", "<details open ")
	for _, width := range []int64{1280, 390} {
		b.open(t, html, width)
		type sizes struct{ Page, Window, Text float64 }
		const measure = `({
			Page: document.documentElement.scrollWidth, Window: innerWidth,
			Text: Math.min(...[...document.querySelectorAll("figure text")].map(
				t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getScreenCTM().a)),
		})`
		got, err := chromedp.Run(b, chromedp.Evaluate[sizes](measure))
		if err != nil {
			t.Fatal(err)
		}
		if int64(got.Window) != width || got.Page > got.Window {
			t.Errorf("at %d px the page is %v px wide in a window of %v", width, got.Page, got.Window)
		}
		if got.Text < 8 {
			t.Errorf("at %d px the smallest text of a chart is %.1f px high, want at least 8", width, got.Text)
		}
	}
	b.quiet(t)
}

// The check of quiet must be able to fail.
func TestBrowserSeesRequestsAndErrors(t *testing.T) {
	b := newBrowser(t)
	b.open(t, `<!DOCTYPE html><img src="http://127.0.0.1:1/x.png"><script>throw new Error("on purpose")</script>`, 390)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 || len(b.errors) == 0 {
		t.Errorf("got requests %q and errors %q, want both", b.requests, b.errors)
	}
}
