// Lua drives an embedded Lua, whose C function recurses as deep as lists are
// nested, from many goroutines. Note:
//
//   - A Lua state is for one thread at a time. Here it lives on one
//     executor.Worker: all callers have the worker call a function, and neither
//     Lua nor the C code needs a lock.
//   - The worker's thread has a stack of 64 MiB. Go's own threads have what
//     ulimit -s says, mostly 8 MiB, and a goroutine does not know which of them
//     it is on: lists nested deeper than that would end the process.
//   - walk, in text.c, checks how much stack it has used, so a list that is too
//     deep is an error, and the worker continues.
//
// It needs Lua 5.4 (Debian: apt-get install liblua5.4-dev):
//
//	go run -tags lua ./examples/lua
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

const (
	stackSize = 64 << 20
	spare     = 256 << 10 // of the stack, for the callers of text and what it calls
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "lua:", err)
		os.Exit(1)
	}
}

// run has two machines write lists of different depths, each asked for by a
// goroutine of its own.
func run(w io.Writer) error {
	for _, size := range []int{8 << 20, stackSize} {
		m, err := newMachine(size)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "On a stack of %d MiB:\n", size>>20)
		for _, line := range askAll(m, 10, 10_000, 100_000, 300_000) {
			fmt.Fprintln(w, " ", line)
		}
		if err := m.close(); err != nil {
			return err
		}
	}
	return nil
}

func askAll(m *machine, depths ...int) []string {
	lines := make([]string, len(depths))
	var asking sync.WaitGroup
	for i, depth := range depths {
		asking.Go(func() {
			text, used, err := m.nested(depth)
			if err != nil {
				lines[i] = fmt.Sprintf("%d lists: %v", depth, err)
				return
			}
			lines[i] = fmt.Sprintf("%d lists: %d characters took %d KiB of it", depth, len(text), used>>10)
		})
	}
	asking.Wait()
	return lines
}

// A machine is a Lua state and the thread that it lives on. Anybody may use it.
type machine struct {
	worker *executor.Worker
	lua    *state
}

// newMachine returns a machine with so many bytes of stack.
func newMachine(stack int) (*machine, error) {
	worker, err := executor.NewWorker(&osthread.Attr{Name: "lua", StackSize: stack})
	if err != nil {
		return nil, err
	}
	m := &machine{worker: worker}
	err = worker.Call(func() (err error) { m.lua, err = newState(stack - spare); return err })
	if err != nil {
		return nil, errors.Join(err, shutdown(worker))
	}
	return m, nil
}

// eval returns what chunk returns, a string.
func (m *machine) eval(chunk string) (result string, err error) {
	err = m.worker.Call(func() (err error) { result, err = m.lua.eval(chunk); return err })
	return result, err
}

// nested returns the text of depth lists in each other, {1,{2,{3,{}}}}, and how
// many bytes of the stack it took to write.
func (m *machine) nested(depth int) (text string, used int, err error) {
	result, err := m.eval(fmt.Sprintf(`
		local list = {}
		for i = %d, 1, -1 do
			list = {i, list}
		end
		local s, used = text(list)
		return used .. ":" .. s`, depth))
	if err != nil {
		return "", 0, err
	}
	head, text, _ := strings.Cut(result, ":")
	used, err = strconv.Atoi(head)
	return text, used, err
}

func (m *machine) close() error {
	err := m.worker.Call(func() error { m.lua.close(); return nil })
	return errors.Join(err, shutdown(m.worker))
}

// shutdown waits for a worker that has nothing to do.
func shutdown(w *executor.Worker) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return w.Shutdown(ctx)
}
