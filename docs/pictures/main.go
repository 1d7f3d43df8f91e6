// Pictures draws the pictures of the documentation by running what they show.
// It needs a Chromium.
//
//	go run ./docs/pictures
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"example.com/thread/internal/viewer"
)

const (
	picture       = "docs/timeline.png"
	width, height = 1200, 360
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	scratch, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	return drawTimeline(scratch)
}

// drawTimeline draws what examples/timeline writes, as the trace viewer of the
// Go distribution shows it.
func drawTimeline(scratch string) (err error) {
	name := filepath.Join(scratch, "timeline.json")
	example := exec.Command("go", "run", "./examples/timeline", name)
	example.Stdout, example.Stderr = os.Stdout, os.Stderr
	if err := example.Run(); err != nil {
		return err
	}
	timeline, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	page, err := viewer.Catapult(timeline)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.Close()) }()
	browser, err := viewer.NewBrowser(filepath.Join(scratch, "profile"))
	if err != nil {
		return err
	}
	file, err := filepath.Abs(picture)
	if err != nil {
		return err
	}
	if err := browser.Screenshot(page, file, width, height); err != nil {
		return err
	}
	fmt.Println(picture)
	return nil
}
