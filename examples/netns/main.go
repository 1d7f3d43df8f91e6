//go:build linux

// Netns does something in a network namespace of its own, as root. A namespace
// belongs to a thread. inNewNetwork, below, leaves the process's namespace on a
// thread that runs nothing else, before or after.
//
// A goroutine that calls unshare under runtime.LockOSThread must end locked,
// or restore the namespace. Otherwise any goroutine may later run on the
// changed thread, with other interfaces and without notice.
//
//	sudo go run ./examples/netns
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "netns:", err)
		os.Exit(1)
	}
}

// inNewNetwork calls fn on a thread with a network namespace of its own, and
// returns when that thread is gone. Sockets that fn makes stay in the namespace
// and can be used anywhere; the goroutines that it starts do not.
func inNewNetwork(fn func() error) error {
	return executor.RunIsolated(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("a network namespace needs root (CAP_SYS_ADMIN): %w", os.NewSyscallError("unshare", err))
		}
		return fn()
	})
}

func run(w io.Writer) error {
	if err := look(w, "before"); err != nil {
		return err
	}
	err := inNewNetwork(func() error {
		if err := look(w, "on the thread"); err != nil {
			return err
		}
		looked := make(chan error)
		go func() { looked <- look(w, "in a goroutine of its") }()
		return <-looked
	})
	if err != nil {
		return err
	}
	return look(w, "after")
}

// look shows what the calling thread sees of the network.
func look(w io.Writer, where string) error {
	ns, err := namespace("thread-self")
	if err != nil {
		return err
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	var names []string
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	_, err = fmt.Fprintf(w, "%-22s %s with %s\n", where+":", ns, strings.Join(names, ", "))
	return err
}

// namespace returns the name that the kernel has for the network namespace of a
// task: a folder of /proc.
func namespace(task string) (string, error) { return os.Readlink("/proc/" + task + "/ns/net") }
