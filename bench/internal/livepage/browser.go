// Package livepage shows the page of osthread/inspect/web in a headless
// Chromium, for its tests and for its picture.
package livepage

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	cdproto "github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// ErrNoBrowser says that there is no Chromium in PATH.
var ErrNoBrowser = errors.New("no chromium, chromium-browser or google-chrome in PATH")

// A Browser is a headless Chromium with one page. Its methods are called one
// after the other.
type Browser struct {
	ctx context.Context

	mu       sync.Mutex
	requests []string
	errors   []string
}

// Start starts a browser that ends with ctx or by stop. dir is its own folder.
func Start(ctx context.Context, dir string) (b *Browser, stop func(), err error) {
	path, err := find()
	if err != nil {
		return nil, nil, err
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(
		ctx,
		chromedp.ExecPath(path),
		chromedp.UserDataDir(dir),
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
		chromedp.WSURLReadTimeout(time.Minute),
	)
	b = &Browser{}
	tab, cancelTab := chromedp.NewContext(alloc, chromedp.WithListener(b.listen))
	b.ctx = tab
	stop = func() { cancelTab(); cancelAlloc() }
	if err := b.enable(); err != nil {
		stop()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, stop, nil
}

func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

func (b *Browser) enable() error {
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		return err
	}
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	_, err := chromedp.Call(b.ctx, log.Enable, cdproto.Empty{})
	return err
}

func (b *Browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console: %s", e.Type))
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	}
}

// Elsewhere returns the requests that were not to address or below, and the
// errors of pages.
func (b *Browser) Elsewhere(address string) (requests, errors []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.requests {
		if !strings.HasPrefix(r, address) && r != "about:blank" {
			requests = append(requests, r)
		}
	}
	return requests, b.errors
}

// Open shows an address in a window of that size.
func (b *Browser) Open(address string, width, height int64) error {
	return chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
}

// Prefer sets the color scheme: light or dark.
func (b *Browser) Prefer(scheme string) error {
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	return err
}

// Await returns when a JavaScript expression is true.
func (b *Browser) Await(expression string) error {
	_, err := chromedp.Run(b.ctx, chromedp.Poll[any](expression, chromedp.WithPollingTimeout(time.Minute)))
	if err != nil {
		return fmt.Errorf("await %s: %w", expression, err)
	}
	return nil
}

// Eval returns the value of a JavaScript expression.
func Eval[T any](b *Browser, expression string) (T, error) {
	return chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
}

// Shot returns the window as a PNG, or the whole page.
func (b *Browser) Shot(whole bool) ([]byte, error) {
	p := page.CaptureScreenshotParams{CaptureBeyondViewport: &whole}
	shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, p)
	if err != nil {
		return nil, err
	}
	return shot.Data, nil
}

// ErrorsOf calls each function until one fails.
func ErrorsOf(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
