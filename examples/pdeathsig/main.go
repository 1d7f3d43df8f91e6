//go:build linux

// Pdeathsig starts children that must not outlive their parent: the kernel
// sends them a signal when it ends (SysProcAttr.Pdeathsig). But to the kernel
// the parent is not the process, it is the thread that has started the child,
// and a thread may end long before (golang.org/issue/27505). Note:
//
//   - startOnThread keeps the thread until the child's Wait. If Start and Wait
//     may be one call, executor.RunIsolated(cmd.Run) does the same.
//   - abandoned starts a child on a thread that ends at once, and the child is
//     killed, although the process runs and waits for it.
//
// A goroutine may be on any of Go's threads when it calls Start, and Go ends
// the thread of each goroutine that ends locked to it, even if another
// goroutine has started a child there. Such a child is killed at random, far
// from the cause.
//
//	go run ./examples/pdeathsig
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "pdeathsig:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	for _, way := range []struct {
		title string
		run   func() (ended, err error)
	}{
		{"The thread that starts the child waits for it", kept},
		{"The thread that starts the child ends", abandoned},
	} {
		ended, err := way.run()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s; Wait says: %v\n", way.title, ended)
	}
	return nil
}

// kept returns how a child ends whose thread stays: when it has nothing to read
// any more.
func kept() (ended, err error) {
	cmd, stdin, cancel, err := child()
	if err != nil {
		return nil, err
	}
	defer cancel()
	wait, err := startOnThread(cmd)
	if err != nil {
		return nil, err
	}
	// The ends of other threads are nothing to the child.
	if err := executor.RunIsolated(func() error { return nil }); err != nil {
		return nil, err
	}
	if err := stdin.Close(); err != nil {
		return nil, err
	}
	return wait(), nil
}

// abandoned returns how a child ends whose thread goes first. Nobody closes
// what it reads before it has ended.
func abandoned() (ended, err error) {
	cmd, stdin, cancel, err := child()
	if err != nil {
		return nil, err
	}
	defer cancel()
	defer stdin.Close() // which Wait has done already
	if err := executor.RunIsolated(cmd.Start); err != nil {
		return nil, err
	}
	return cmd.Wait(), nil
}

// startOnThread starts cmd on a thread that lives until the child has ended,
// and returns what is to be called instead of cmd.Wait.
func startOnThread(cmd *exec.Cmd) (wait func() error, err error) {
	started := make(chan error, 1)
	t, err := osthread.Go(func() error {
		err := cmd.Start()
		started <- err
		if err == nil {
			err = cmd.Wait()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := <-started; err != nil {
		return nil, t.Join()
	}
	return t.Join, nil
}

// childTimeout is when a child is killed in any case, by another signal than
// the one that is shown.
const childTimeout = 2 * time.Minute

// child returns a command that lives until its standard input is closed, or its
// parent ends, or cancel is called.
func child() (cmd *exec.Cmd, stdin io.WriteCloser, cancel func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), childTimeout)
	cmd = exec.CommandContext(ctx, "cat")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	stdin, err = cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, nil, nil, err
	}
	return cmd, stdin, cancel, nil
}
