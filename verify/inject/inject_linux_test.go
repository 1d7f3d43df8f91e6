//go:build amd64 || arm64

// Package inject_test has each system call of each operation of the library
// fail, one at a time, with each errno. After each failure the operation has
// succeeded in another way, or returned an error that is the errno; it has
// changed nothing then, and left nothing; and it succeeds without a failure.
//
// docs/faults.md says which calls are left out, and why.
package inject_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/inject"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/stranded"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(operationEnv); name != "" {
		child(name)
		os.Exit(0)
	}
	leak.Main(m, func() string { return "" })
}

// operationEnv names the operation of a child.
const operationEnv = "OSTHREAD_TEST_OPERATION"

// shortEnv says that calls fail with two errnos each.
const shortEnv = "OSTHREAD_TEST_OPERATION_SHORT"

// mostCalls is how far an operation's calls of a kind are counted: some read a
// file for each process of the system.
const mostCalls = 12

// childTime bounds a child.
const childTime = 2 * time.Minute

// An operation is what is done again and again. It returns what the failure
// made of it.
type operation struct {
	name string
	do   func() error
	// state returns what do must leave as it was if it fails; nil for nothing.
	state func() string
	// also says which errors besides the errno may be the result.
	also []error
	// prepare is called first; nil for nothing. It returns why the operation
	// cannot be had here.
	prepare func() error
	signals bool   // it is interrupted by signals
	end     func() // undoes prepare, if there is something to undo
}

func TestOperationSurvivesOrReturnsEachFailure(t *testing.T) {
	if err := inject.Available(); err != nil {
		t.Skip(err)
	}
	if buildinfo.Sanitized {
		t.Skip("a sanitizer ends the process when its own calls fail")
	}
	if os.Getenv(leak.ExecEnv) != "" {
		t.Skip("an emulator's calls are not the program's")
	}
	failures := 0
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			n, out := run(t, o.name)
			failures += n
			t.Logf("%s: %d failures\n%s", o.name, n, out)
		})
	}
	t.Logf("%d operations, %d kinds of calls, %d failures", len(operations), len(calls), failures)
	if failures == 0 && !testing.Short() {
		t.Skip("no operation could be had")
	}
}

// run has a child do the operation, and returns how many calls failed, and what
// the child wrote.
func run(t *testing.T, name string) (injected int, out string) {
	t.Helper()
	here, there := sockets(t)
	ctx, cancel := context.WithTimeout(t.Context(), childTime)
	defer cancel()
	cmd := leak.Command(ctx, "-test.run=^$")
	cmd.Env = append(os.Environ(), operationEnv+"="+name)
	if testing.Short() {
		cmd.Env = append(cmd.Env, shortEnv+"=1")
	}
	cmd.ExtraFiles = []*os.File{there} // descriptor 3
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = childTime // then it is killed
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	there.Close()
	var s inject.Server
	served := make(chan error)
	go func() { served <- s.Serve(here, calls) }()
	err := cmd.Wait()
	here.Close() // of a child that ended before it sent anything
	serr := <-served
	if e := new(exec.ExitError); errors.As(err, &e) && e.ExitCode() == skipped {
		t.Skip(b.String())
	}
	if err != nil {
		t.Fatalf("%v; %s\n%s", err, s.Current(), b.String())
	}
	if serr != nil {
		t.Fatal(serr)
	}
	return s.Injected, b.String()
}

func sockets(t *testing.T) (here *net.UnixConn, there *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "here")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "there")
}

// skipped is the status of a child that cannot do its operation.
const skipped = 3

// child does the operation with every failure. A pinned goroutine is what the
// runtime makes no thread from.
func child(name string) {
	runtime.LockOSThread()
	var o operation
	for _, o = range operations {
		if o.name == name {
			break
		}
	}
	if o.prepare != nil {
		skipIf(o.prepare())
	}
	skipIf(o.do()) // what it needs for the first time
	followed := calls
	if o.signals {
		followed = withoutFutex()
	}
	must(inject.Follow(3, followed))
	must(syscall.Close(3))
	must(o.do())
	before := take()
	for call := range calls {
		inject.Arm(call, 0, 0)
		must(o.do())
		if n := inject.Disarm(); n > 0 {
			fmt.Printf("%s: %d calls\n", calls[call].Name, n)
			o.fail(call)
		}
	}
	o.settle(before)
	if o.end != nil {
		o.end()
	}
}

func skipIf(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(skipped)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fail has each call of that index fail with each errno.
func (o *operation) fail(call int) {
	before := take()
	errnos := possible(calls[call].Name)
	if os.Getenv(shortEnv) != "" {
		errnos = errnos[:min(2, len(errnos))]
	}
	for _, errno := range errnos {
		for nth := 1; nth <= mostCalls; nth++ {
			var state string
			if o.state != nil {
				state = o.state()
			}
			inject.Arm(call, nth, errno)
			err := o.do()
			had := inject.Disarm()
			if had < nth {
				must(err)
				break
			}
			what := fmt.Sprintf("%s no. %d: %s: ", calls[call].Name, nth, unix.ErrnoName(errno))
			if err != nil {
				o.expect(err, errno, what)
				if o.state != nil && o.state() != state {
					panic(fmt.Sprintf("%schanged %s to %s", what, state, o.state()))
				}
			}
			o.works(what)
		}
	}
	o.settle(before)
}

// expect holds that err is the errno that was injected.
func (o *operation) expect(err error, errno syscall.Errno, what string) {
	if errors.Is(err, errno) {
		return
	}
	for _, e := range o.also {
		if errors.Is(err, e) {
			return
		}
	}
	panic(what + err.Error())
}

// works holds that the operation works without a failure. Start counts a
// refusal as a limit for a while.
func (o *operation) works(what string) {
	end := time.Now().Add(childTime / 4)
	for {
		err := o.do()
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EAGAIN) || time.Now().After(end) {
			panic(what + "afterwards: " + err.Error())
		}
		runtime.Gosched()
	}
	var l thread.Lock
	l.Lock()
	if l.TryLock() {
		panic(what + "a Lock is locked twice")
	}
	l.Unlock()
}

// A footprint is what must not grow.
type footprint struct{ goroutines, threads, records, descriptors, places, tasks, mappings int }

func take() footprint {
	runtime.GC()
	thread.Threads() // drops the records of threads that are gone
	return footprint{
		goroutines:  runtime.NumGoroutine() - int(stranded.Threads.Load()),
		threads:     thread.NumThread(),
		records:     keep.Records(),
		descriptors: entries("/proc/self/fd"),
		places:      runtime.GOMAXPROCS(0),
		tasks:       entries("/proc/self/task"),
		mappings:    lines("/proc/self/maps"),
	}
}

// What the runtime makes once for reuse: a thread for each blocked goroutine,
// and its stacks, of two mappings each.
const (
	spareTasks    = 8
	spareMappings = 6 * spareTasks
)

// settle waits until there is no more than before.
func (o *operation) settle(before footprint) {
	end := time.Now().Add(childTime / 4)
	for {
		n := take()
		if n.goroutines <= before.goroutines && n.threads <= before.threads && n.records <= before.records &&
			n.descriptors <= before.descriptors && n.places <= before.places && n.tasks <= before.tasks+spareTasks &&
			n.mappings <= before.mappings+spareMappings {
			return
		}
		if time.Now().After(end) {
			panic(fmt.Sprintf("left behind: %+v, before: %+v", n, before))
		}
		runtime.Gosched()
	}
}

func entries(dir string) int {
	e, err := os.ReadDir(dir)
	must(err)
	return len(e)
}

func lines(file string) int {
	b, err := os.ReadFile(file)
	must(err)
	return strings.Count(string(b), "\n")
}
