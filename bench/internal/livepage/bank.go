package livepage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

var address = regexp.MustCompile(`http://\S+`)

// Bank runs examples/inspect and returns the address of its page.
func Bank(ctx context.Context) (page string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "bank")
	if err != nil {
		return "", nil, err
	}
	program := filepath.Join(dir, "bank.exe")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "example.com/thread/examples/inspect")
	if text, err := build.CombinedOutput(); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%w: %s", err, text), os.RemoveAll(dir))
	}
	cmd := exec.CommandContext(ctx, program, "-stay", "-open", "2s")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()         // reports the kill
		_ = os.RemoveAll(dir)  // is in the folder for temporary files
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if page = address.FindString(lines.Text()); page != "" {
			go func() { // the report must be written, though nothing reads it
				for lines.Scan() {
				}
			}()
			return page, stop, nil
		}
	}
	stop()
	return "", nil, errors.Join(errors.New("the program has printed no address"), lines.Err())
}
