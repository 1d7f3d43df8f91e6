//go:build linux

// Ledger has several processes that share two balances, and survives the kill
// of one of them in the middle of a change: its robust mutex notifies the next
// process, which undoes what is half done. Note:
//
//   - The memory is a segment by memfd, which a child inherits as descriptor 3,
//     and which no process can shrink.
//   - What is shared has no pointer in it: a Go pointer means nothing in another
//     process.
//   - A change of more than one word can be left half done. So it says in the
//     shared memory what was there before, and then that this is valid, by an
//     atomic store: the compiler may reorder plain ones.
//
// It starts itself as its children.
//
//	go run ./examples/ledger
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"

	"example.com/thread/osthread/shared"
)

func main() {
	err := errors.New("usage: ledger")
	switch {
	case len(os.Args) == 1:
		err = parent(os.Stdout)
	case len(os.Args) == 3 && os.Args[1] == "child":
		err = child(os.Args[2] == "victim")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

// version is that of the type ledger. Processes with another one are refused.
const version = 1

// A ledger is what the processes share. Outside the mutex the balances add up
// to 0.
type ledger struct {
	mutex    shared.Mutex
	balances [2]int64
	repairs  int64
	undo     struct {
		valid    atomic.Bool // balances is what the ledger's were
		balances [2]int64
	}
}

// create makes a segment with a ledger in it.
func create() (*shared.Segment, *ledger, error) {
	s, err := shared.CreateSegment(4096, version)
	if err != nil {
		return nil, nil, err
	}
	l, err := shared.SegmentAt[ledger](s, 0)
	if err == nil {
		err = l.mutex.Init(shared.MutexAttr{Robust: true, ProcessShared: true})
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.Detach())
	}
	return s, l, nil
}

// attach maps the segment that the parent has passed.
func attach() (*shared.Segment, *ledger, error) {
	s, err := shared.AttachSegment(os.NewFile(3, "ledger"), version)
	if err != nil {
		return nil, nil, err
	}
	l, err := shared.SegmentAt[ledger](s, 0)
	return s, l, err
}

// lock locks the ledger and repairs it, if a process was killed that had locked
// it.
func (l *ledger) lock() error {
	err := l.mutex.Lock()
	if !errors.Is(err, shared.ErrOwnerDead) {
		return err
	}
	if l.undo.valid.Load() {
		l.balances = l.undo.balances
		l.undo.valid.Store(false)
	}
	l.repairs++
	if err := l.mutex.Consistent(); err != nil {
		return errors.Join(err, l.mutex.Unlock())
	}
	return nil
}

// transfer moves n from one balance to the other. It calls between when half of
// that is done.
func (l *ledger) transfer(n int64, between func()) error {
	if err := l.lock(); err != nil {
		return err
	}
	l.undo.balances = l.balances
	l.undo.valid.Store(true)
	l.balances[0] -= n
	between()
	l.balances[1] += n
	l.undo.valid.Store(false)
	return l.mutex.Unlock()
}

const transfers = 10_000

// child makes transfers. A victim ends in the middle of the last one.
func child(victim bool) error {
	s, l, err := attach()
	if err != nil {
		return err
	}
	for i := range int64(transfers) {
		between := func() {}
		if victim && i == transfers-1 {
			between = func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }
		}
		if err := l.transfer(i, between); err != nil {
			return err
		}
	}
	return s.Detach()
}

// parent starts children, and prints what they leave.
func parent(out io.Writer) error {
	s, l, err := create()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var children []*exec.Cmd
	for _, role := range []string{"worker", "victim", "worker"} {
		c := exec.Command(self, "child", role)
		c.ExtraFiles = []*os.File{s.File()} // descriptor 3
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return err // the others end by themselves
		}
		children = append(children, c)
	}
	for _, c := range children {
		fmt.Fprintln(out, c.Args[2], wait(c))
	}
	if err := l.lock(); err != nil {
		return err
	}
	fmt.Fprintf(out, "the balances add up to %d; repairs: %d\n", l.balances[0]+l.balances[1], l.repairs)
	return errors.Join(l.mutex.Unlock(), s.Detach())
}

// wait waits for c, and says how it ended.
func wait(c *exec.Cmd) string {
	if err := c.Wait(); err != nil {
		return err.Error()
	}
	return "has ended"
}
