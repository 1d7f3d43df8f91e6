//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	childEnv = "APIFUZZ_CHILD" // the seed of a child
	lifeEnv  = "APIFUZZ_LIFE"
	logName  = "apifuzz.log" // of a child's calls, in its own directory
	endMark  = "apifuzz: the end\n"
	canary   = 3 // exit status: memory that nobody was given has changed
)

// settings are the GODEBUG of children, in turn: what finds memory that is used
// after it is freed, or marked wrongly.
var settings = []string{"", "clobberfree=1", "gccheckmark=1", "asyncpreemptoff=1", "gcstoptheworld=1"}

// An accepted end is one that SECURITY.md lists under cause.
type accepted struct {
	output *regexp.Regexp
	cause  string
}

var acceptedEnds = []accepted{
	{regexp.MustCompile(`(?m)^runtime: failed to create new OS thread`), "when it cannot make a thread at a limit of the system"},
	{regexp.MustCompile(`(?m)^runtime: program exceeds \d+-thread limit`), "when it cannot make a thread at a limit of the system"},
}

// A fuzz is one run of the parent.
type fuzz struct {
	out        io.Writer
	time       time.Duration
	seed       uint64
	life, hang time.Duration
	verbose    bool

	ends  map[string]int
	calls int
}

func newFuzz(out io.Writer) *fuzz {
	return &fuzz{out: out, life: 2 * time.Second, hang: time.Minute, ends: map[string]int{}}
}

// run runs children one after the other, until time is over.
func (f *fuzz) run() error {
	began, bad, seed := time.Now(), 0, f.seed
	fmt.Fprintf(f.out, "seed %d\n", seed)
	for ; time.Since(began) < f.time; seed++ {
		dir, err := os.MkdirTemp("", "apifuzz")
		if err != nil {
			return err
		}
		end, output := f.child(dir, seed)
		log, _ := os.ReadFile(filepath.Join(dir, logName)) // none: it made no call
		f.calls += bytes.Count(log, []byte("\n"))
		if end == "exit 0" && !bytes.Contains(log, []byte(endMark)) {
			end = "exit 0 before its end"
		}
		f.ends[end]++
		if end != "exit 0" && !isAccepted(output) {
			bad++
			fmt.Fprintf(f.out, "\nseed %d: %s\nlast calls:\n%s\noutput:\n%s\n", seed, end, last(log, 40), output)
		} else if f.verbose {
			fmt.Fprintf(f.out, "seed %d: %s\n", seed, end)
		}
		remove(dir)
	}
	f.report(time.Since(began))
	if bad != 0 {
		return fmt.Errorf("%d children ended as SECURITY.md does not list", bad)
	}
	return nil
}

func (f *fuzz) report(took time.Duration) {
	fmt.Fprintf(f.out, "%d calls in %v\n", f.calls, took.Round(time.Second))
	for _, end := range slices.Sorted(func(yield func(string) bool) {
		for end := range f.ends {
			if !yield(end) {
				return
			}
		}
	}) {
		fmt.Fprintf(f.out, "%6d %s\n", f.ends[end], end)
	}
}

// child runs a child and returns how it ended, and its output, which has all
// stacks if it hung.
func (f *fuzz) child(dir string, seed uint64) (end, output string) {
	self, err := os.Executable()
	if err != nil {
		return err.Error(), ""
	}
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return err.Error(), ""
	}
	defer out.Close()
	cmd := exec.Command(self)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(),
		childEnv+"="+strconv.FormatUint(seed, 10), lifeEnv+"="+f.life.String(),
		"GODEBUG="+settings[seed%uint64(len(settings))], "GOMEMLIMIT=1GiB",
		"GORACE=exitcode=0") // objects for one caller at a time have several
	if err := cmd.Start(); err != nil {
		return err.Error(), ""
	}
	hung := time.AfterFunc(f.life+f.hang, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	kill := time.AfterFunc(f.life+f.hang+10*time.Second, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	kill.Stop()
	text, _ := os.ReadFile(out.Name())
	output = excerpt(string(text))
	if !hung.Stop() {
		return "hang", output
	}
	return classify(err, string(text)), output
}

// classify says how a child that did not hang has ended.
func classify(err error, output string) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			return err.Error()
		}
		return "exit 0"
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	line := func(prefix string) bool {
		return strings.HasPrefix(output, prefix) || strings.Contains(output, "\n"+prefix)
	}
	switch {
	case status.Signaled():
		return "signal: " + status.Signal().String()
	case exit.ExitCode() == canary:
		return "memory changed"
	case line("fatal error: "), line("runtime: "):
		return "fatal error of the runtime"
	case line("SIG"):
		return "signal that the runtime reports"
	case line("panic: "):
		return "panic that was not recovered"
	}
	return "exit " + strconv.Itoa(exit.ExitCode())
}

func isAccepted(output string) bool {
	return slices.ContainsFunc(acceptedEnds, func(a accepted) bool { return a.output.MatchString(output) })
}

// excerpt returns what of a child's output says why it ended: from the
// runtime's last words on, and not more than a few screens.
func excerpt(output string) string {
	from := 0
	for _, mark := range []string{"\nfatal error: ", "\npanic: ", "\nSIG", "\nruntime: "} {
		if i := strings.Index(output, mark); i > 0 && (from == 0 || i < from) {
			from = i
		}
	}
	if i := strings.LastIndex(output, "\nSIGQUIT"); i > 0 { // it hung
		return output[i:]
	}
	const most = 12_000
	output = output[from:]
	return output[:min(len(output), most)]
}

// last returns the last n lines of text.
func last(text []byte, n int) string {
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// remove removes what a child has left.
func remove(dir string) {
	_ = os.RemoveAll(dir) // a temporary directory
	left, _ := filepath.Glob("/dev/shm/" + prefix + "*")
	for _, name := range left {
		_ = os.Remove(name)
	}
}
