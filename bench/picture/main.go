// Command picture makes docs/inspect.png, the picture of the live page of
// examples/inspect: it runs the program, opens its page in a headless Chromium,
// and takes a screenshot once the deadlock is drawn.
//
//	go run -C bench ./picture [-width 1280] [-height 900] [-scheme light] [-o FILE]
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"

	"example.com/thread/bench/internal/livepage"
)

func main() {
	out := flag.String("o", "../docs/inspect.png", "the file")
	width := flag.Int64("width", 1280, "of the window")
	height := flag.Int64("height", 900, "of the window")
	scheme := flag.String("scheme", "light", "light or dark")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	shot, err := picture(ctx, *width, *height, *scheme)
	if err == nil {
		err = os.WriteFile(*out, shot, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func picture(ctx context.Context, width, height int64, scheme string) ([]byte, error) {
	address, stop, err := bank(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "picture")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b, end, err := livepage.Start(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer end()
	err = livepage.ErrorsOf(
		func() error { return b.Prefer(scheme) },
		func() error { return b.Open(address, width, height) },
		// Two views later there are rates, and percentages.
		func() error { return b.Await(`document.querySelectorAll("#graph .wire.dead").length === 2`) },
		func() error { return b.Await(`document.querySelector("#threads td.number").textContent !== ""`) },
	)
	if err != nil {
		return nil, err
	}
	return b.Shot(false)
}

var address = regexp.MustCompile(`http://\S+`)

// bank starts examples/inspect and returns the address of its page.
func bank(ctx context.Context) (string, func(), error) {
	dir, err := os.MkdirTemp("", "bank")
	if err != nil {
		return "", nil, err
	}
	program := dir + "/bank"
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "example.com/thread/examples/inspect")
	if text, err := build.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, text)
	}
	cmd := exec.CommandContext(ctx, program, "-stay")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop := func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // reports the kill
		_ = os.RemoveAll(dir)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			go func() { // the report is not read, but must be written
				for lines.Scan() {
				}
			}()
			return found, stop, nil
		}
	}
	stop()
	return "", nil, errors.Join(errors.New("the program has printed no address"), lines.Err())
}
