package inspect_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// start starts a thread that ends with the test.
func start(t *testing.T, name string, attr osthread.Attr, body func()) *osthread.Thread {
	t.Helper()
	attr.Name = name
	th, err := osthread.Start(func() error { body(); return nil }, &attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, th.Join()) })
	return th
}

// party returns the party of that name.
func party(t *testing.T, s *inspect.Snapshot, name string) inspect.Party {
	t.Helper()
	for _, p := range s.Parties {
		if p.Name == name {
			return p
		}
	}
	require.Fail(t, "no party "+name, "%v", s)
	panic("not reached")
}

// listen is a function of the caller's in a stack.
//
//go:noinline
func listen(ready chan<- bool, done <-chan bool) {
	ready <- true
	<-done
}

func TestTakeListsThreads(t *testing.T) {
	for _, kind := range []string{"native", "pinned", "attached"} {
		t.Run(kind, func(t *testing.T) {
			ready, done := make(chan bool), make(chan bool)
			var native int
			body := func() { native = thread.NativeID(); listen(ready, done) }
			switch kind {
			case "attached":
				ended := make(chan bool)
				go func() {
					defer close(ended)
					th, err := thread.Attach()
					if assert.NoError(t, err) {
						defer thread.Detach()
						assert.NoError(t, th.SetName("inspected"))
					}
					body()
				}()
				defer func() { close(done); <-ended }()
			default:
				th := start(t, "inspected", osthread.Attr{Daemon: true, Pinned: kind == "pinned"}, body)
				defer close(done)
				defer func() {
					p := party(t, inspect.Take(), "inspected")
					assert.True(t, p.Daemon)
					record, err := th.OSThread()
					assert.NoError(t, err)
					assert.Equal(t, record.Serial(), p.Serial)
				}()
			}
			<-ready
			s := inspect.Take()
			assert.Equal(t, os.Getpid(), s.Process)
			p := party(t, s, "inspected")
			assert.Equal(t, inspect.KindThread, p.Kind)
			assert.Equal(t, native, p.NativeID)
			assert.Nil(t, p.Wait)
			assert.Nil(t, p.Stacks)
			assert.Equal(t, "MainThread", s.Parties[0].Name)
		})
	}
}

func TestDumpShowsStacksOfThreads(t *testing.T) {
	ready, done := make(chan bool), make(chan bool)
	start(t, "listener", osthread.Attr{}, func() { listen(ready, done) })
	defer close(done)
	<-ready
	var b strings.Builder
	require.NoError(t, inspect.Dump(&b))
	_, text, found := strings.Cut(b.String(), "\n\"listener\" thread")
	require.True(t, found, b.String())
	text, _, _ = strings.Cut(text, "\n\n")
	if !strings.Contains(text, "\n    stack") {
		t.Skip("no labels on this platform")
	}
	assert.Contains(t, text, "inspect_test.listen  ")
	assert.NotContains(t, text, "goexit")
}
