//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// requireRoot skips the test if err says that this process may not make a
// namespace.
func requireRoot(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, syscall.EPERM) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

// namespaces returns the network namespace of each thread of the process, by
// the thread's id.
func namespaces(t *testing.T) map[string]string {
	entries, err := os.ReadDir("/proc/self/task")
	assert.NoError(t, err)
	all := map[string]string{}
	for _, e := range entries {
		ns, err := namespace("self/task/" + e.Name())
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // has ended meanwhile
		}
		if assert.NoError(t, err) {
			all[e.Name()] = ns
		}
	}
	return all
}

// requireAllIn waits until all threads are in the namespace home: the kernel
// wakes joiners a moment before it removes the thread from /proc.
func requireAllIn(t *testing.T, home string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, ns := range namespaces(t) {
			if ns != home {
				return false
			}
		}
		return true
	}, testutil.Timeout, time.Millisecond)
}

func TestInNewNetworkMovesNoOtherThread(t *testing.T) {
	home, err := namespace("self")
	require.NoError(t, err)
	requireAllIn(t, home) // also what is left of the tests before

	var id, away string
	var during map[string]string
	requireRoot(t, inNewNetwork(func() (err error) {
		id = fmt.Sprint(thread.NativeID())
		away, err = namespace("thread-self")
		during = namespaces(t)
		return err
	}))
	assert.NotEqual(t, home, away)
	assert.Equal(t, away, during[id])
	delete(during, id)
	assert.NotEmpty(t, during)
	for other, ns := range during {
		assert.Equal(t, home, ns, other)
	}

	requireAllIn(t, home)
	assert.NotContains(t, namespaces(t), id, "the thread is left")
}

// Go makes threads when it needs them; it must not make them from the one that
// has moved.
func TestInNewNetworkMovesNoThreadThatGoMakesMeanwhile(t *testing.T) {
	const goroutines = 16
	home, err := namespace("self")
	require.NoError(t, err)
	requireRoot(t, inNewNetwork(func() error {
		var all, looked sync.WaitGroup
		looked.Add(goroutines)
		for range goroutines {
			all.Go(func() {
				runtime.LockOSThread() // so that each needs a thread of its own
				defer runtime.UnlockOSThread()
				ns, err := namespace("thread-self")
				assert.NoError(t, err)
				assert.Equal(t, home, ns)
				looked.Done()
				looked.Wait()
			})
		}
		all.Wait()
		return nil
	}))
}

func TestInNewNetworkMovesNoOtherThreadHoweverFnEnds(t *testing.T) {
	home, err := namespace("self")
	require.NoError(t, err)
	requireRoot(t, inNewNetwork(func() error { return nil }))
	wrong := errors.New("wrong")
	assert.ErrorIs(t, inNewNetwork(func() error { return wrong }), wrong)
	assert.ErrorIs(t, inNewNetwork(func() error { runtime.Goexit(); return nil }), thread.ErrGoexit)
	osthread.SetPanicHook(func(*osthread.Thread, *osthread.PanicError) {}) // the result has it as well
	defer osthread.SetPanicHook(nil)
	var panicked *osthread.PanicError
	assert.ErrorAs(t, inNewNetwork(func() error { panic("wrong") }), &panicked)
	requireAllIn(t, home)
}

func TestRunShowsWhereItIs(t *testing.T) {
	var w strings.Builder
	requireRoot(t, run(&w))
	var seen []string
	for line := range strings.Lines(w.String()) {
		_, what, _ := strings.Cut(line, ": ")
		seen = append(seen, strings.TrimSpace(what))
	}
	require.Len(t, seen, 4, w.String())
	assert.Equal(t, seen[0], seen[2], "in a goroutine")
	assert.Equal(t, seen[0], seen[3], "after")
	assert.NotEqual(t, seen[0], seen[1])
	assert.Regexp(t, `^net:\[\d+\] with lo$`, seen[1])
}
