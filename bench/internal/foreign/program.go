package foreign

// The life of a program: it is compiled once, started, asked for rounds, and
// ended, at the latest when this process ends.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// startTime limits how long a program may take to become ready; generous, for a
// machine under load.
const startTime = 5 * time.Minute

// answerTime limits how long a program may take to answer, beyond twenty times
// the round: generous as well, since a round of many threads takes a minute on
// a busy machine.
const answerTime = 5 * time.Minute

// A Program is a process that does rounds. All methods but Close must be called
// by one goroutine at a time.
type Program struct {
	ctx      context.Context // that of Start, also used by Fresh
	compiled *compiled
	process  *process
	version  string
	err      error // the error that all further calls return
	close    func() error
}

// compiled is a temporary folder, which its last user removes.
type compiled struct {
	name  string
	dir   string
	argv  []string
	users atomic.Int32
}

func (c *compiled) release() error {
	if c.users.Add(-1) > 0 {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// Start compiles and starts the program of one of [Languages], and waits until
// it is ready. It returns an [sample.AbsentError] if the tools are not
// installed. When ctx is done, the program and those that [Program.Fresh] made
// of it are killed.
func Start(ctx context.Context, name string) (*Program, error) {
	for _, l := range languages {
		if l.name == name {
			return l.start(ctx)
		}
	}
	return nil, fmt.Errorf("no program in %s", name)
}

func (l language) start(ctx context.Context) (*Program, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	c := &compiled{name: l.name, dir: dir}
	c.users.Add(1)
	source := filepath.Join(dir, l.file)
	err = os.WriteFile(source, l.source, 0o600)
	if err == nil {
		c.argv, err = l.build(ctx, dir, source)
	}
	if err != nil {
		return nil, errors.Join(err, c.release())
	}
	return open(ctx, c)
}

// Command starts argv, a program that speaks the protocol as [Serve] does, and
// waits until it is ready.
func Command(ctx context.Context, argv ...string) (*Program, error) {
	c := &compiled{name: filepath.Base(argv[0]), argv: argv}
	c.users.Add(1)
	return open(ctx, c)
}

// open starts a process of c and, if that succeeds, counts it as a user of c.
func open(ctx context.Context, c *compiled) (*Program, error) {
	p := &Program{ctx: ctx, compiled: c}
	process, err := startProcess(ctx, c.argv)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.name, err), c.release())
	}
	p.process = process
	p.close = sync.OnceValue(func() error {
		p.process.end()
		return c.release()
	})
	line, err := process.answer(startTime)
	version, ok := strings.CutPrefix(line, "ready ")
	if err == nil && !ok {
		err = fmt.Errorf("%q: want ready VERSION", line)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.name, err), p.Close())
	}
	p.version = version
	return p, nil
}

// Version returns the version of the language and its library.
func (p *Program) Version() string { return p.version }

// Run does one round. It returns an [sample.AbsentError] if the language has
// nothing that does this work; after any other error the program is unusable. A
// program that exits, or does not answer within some minutes, is such an error,
// which includes its standard error.
func (p *Program) Run(spec scenario.Spec, round sample.Round) (sample.Sample, error) {
	line, err := p.ask(Format(spec, round), answerTime+20*(round.Warm+round.Time))
	if err != nil {
		return sample.Sample{}, err
	}
	s, err := parseSample(line, round.Timed || spec.Kind == scenario.Lateness)
	if absent, ok := errors.AsType[*sample.AbsentError](err); ok {
		return s, absent
	}
	if err != nil {
		p.err = fmt.Errorf("%s: %s: %w", p.compiled.name, spec.Name(), err)
	}
	return s, p.err
}

// ask sends a line and returns the answer.
func (p *Program) ask(line string, limit time.Duration) (string, error) {
	if p.err != nil {
		return "", p.err
	}
	answer, err := p.process.ask(line, limit)
	if err != nil {
		p.err = fmt.Errorf("%s: %s: %w", p.compiled.name, line, err)
	}
	return answer, p.err
}

// Fresh starts another process of the same program. The caller must close both,
// in any order.
func (p *Program) Fresh() (*Program, error) {
	p.compiled.users.Add(1)
	return open(p.ctx, p.compiled)
}

// Close ends the process. The last process of a program to be closed removes
// what was compiled. Later calls return the same error.
func (p *Program) Close() error { return p.close() }

// A process is a child that answers each line with one line.
type process struct {
	cmd   *exec.Cmd
	in    *os.File
	lines chan string // closed at the end of the output
	ended chan struct{}
	err   error // what Wait returned; read after ended
	tail  tail
}

func startProcess(ctx context.Context, argv []string) (*process, error) {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inRead.Close(), inWrite.Close())
	}
	p := &process{in: inWrite, lines: make(chan string, 1), ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = inRead, outWrite, &p.tail
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = 5 * time.Second // a grandchild may hold the standard error open
	started := make(chan error)
	go func() {
		// The starting thread must live until the child ends: see attributes.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.ended)
		err := p.cmd.Start()
		closed := errors.Join(inRead.Close(), outWrite.Close()) // the child has its own
		started <- errors.Join(err, closed)
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(err, inWrite.Close(), outRead.Close())
	}
	go p.read(outRead)
	return p, nil
}

func (p *process) read(out *os.File) {
	defer out.Close()
	defer close(p.lines)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	lines.Split(wholeLines)
	for lines.Scan() {
		p.lines <- lines.Text()
	}
}

// wholeLines is [bufio.ScanLines] without a final unterminated line: a program
// that died may have written only part of a number.
func wholeLines(data []byte, _ bool) (advance int, line []byte, err error) {
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return 0, nil, nil
	}
	return i + 1, bytes.TrimSuffix(data[:i], []byte{'\r'}), nil
}

func (p *process) ask(line string, limit time.Duration) (string, error) {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return "", p.died()
	}
	return p.answer(limit)
}

// answer waits for a line, at most limit; a process that does not answer is
// killed.
func (p *process) answer(limit time.Duration) (string, error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case line, ok := <-p.lines:
		if !ok {
			return "", p.died()
		}
		return line, nil
	case <-late.C:
		p.end()
		return "", fmt.Errorf("no answer within %v%s", limit, p.tail.quote())
	}
}

// died waits for the end of a process that has closed its output, and returns
// how it ended.
func (p *process) died() error {
	p.end()
	if p.err == nil {
		return fmt.Errorf("the program ended%s", p.tail.quote())
	}
	return fmt.Errorf("the program ended: %w%s", p.err, p.tail.quote())
}

// end ends the process, which is idle or hangs and has no state to save.
func (p *process) end() {
	_ = p.in.Close()         // may be closed already
	_ = p.cmd.Process.Kill() // may have exited already
	go func() {
		for range p.lines { // unblocks the reader
		}
	}()
	<-p.ended
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const limit = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-limit):]
	return len(b), nil
}

// quote returns the text for the end of an error, "" if there is none.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return ""
	}
	return "; its standard error: " + text
}
