// Command picture makes docs/inspect.png, the picture of the live page of
// examples/inspect: it runs the program, opens its page in a headless Chromium,
// and takes a screenshot once the deadlock is drawn.
//
//	go run -C bench ./picture [-width 1280] [-height 900] [-scheme light] [-o FILE]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
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
	address, stop, err := livepage.Bank(ctx)
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
