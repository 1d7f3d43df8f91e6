package threadtest

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

func TestPanicErrorHasValueAndStack(t *testing.T) {
	quiet(t)
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		th, err := thread.Start(func() { panicHere() }, attr(thread.Attr{}))
		require.NoError(t, err)
		var e *thread.PanicError
		require.ErrorAs(t, th.Join(), &e)
		assert.Equal(t, 42, e.Value)
		assert.Contains(t, string(e.Stack), "panicHere")
		assert.NoError(t, errors.Unwrap(e))
	})
}

//go:noinline
func panicHere() { panic(42) }

func TestPanicHookDefaultWritesToStderr(t *testing.T) {
	stderr := os.Stderr
	r, w, err := os.Pipe()
	require.NoError(t, err)
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	th, err := thread.Start(func() { panic("boo") }, &thread.Attr{Name: "worker"})
	require.NoError(t, err)
	require.Error(t, th.Join())
	thread.SetPanicHook(func(*thread.Thread, *thread.PanicError) { panic("hook") })
	defer thread.SetPanicHook(nil)
	th, err = thread.Start(func() { panic("again") }, &thread.Attr{Name: "second"})
	require.NoError(t, err)
	require.Error(t, th.Join())
	require.NoError(t, w.Close())
	buf := make([]byte, 1<<16)
	var got strings.Builder
	for {
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
	}
	for _, want := range []string{
		"Panic in thread worker: boo\ngoroutine", "Panic in thread second: again\n", "Panic in thread second: hook\n",
	} {
		assert.Contains(t, got.String(), want)
	}
}

func TestPanicErrorNamesItsThread(t *testing.T) {
	quiet(t)
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		for name, want := range map[string]string{"": "panic in thread: boo", "wor\"ker": `panic in thread "wor\"ker": boo`} {
			th, err := thread.Start(func() { panic("boo") }, attr(thread.Attr{Name: name}))
			require.NoError(t, err)
			var e *thread.PanicError
			require.ErrorAs(t, th.Join(), &e)
			assert.Equal(t, name, e.Thread)
			assert.Equal(t, want, e.Error())

			var k thread.Key[int]
			k.Destructor = func(int) { panic("boo") }
			th, err = thread.Start(func() { _ = k.Set(1) }, attr(thread.Attr{Name: name}))
			require.NoError(t, err)
			assert.EqualError(t, th.Join(), want)
		}
	})
}

func TestPanicHookReturnsWhatWasSet(t *testing.T) {
	assert.Nil(t, thread.PanicHook())
	calls := ""
	thread.SetPanicHook(func(*thread.Thread, *thread.PanicError) { calls += "outer" })
	outer := thread.PanicHook()
	thread.SetPanicHook(func(t *thread.Thread, e *thread.PanicError) { calls += "inner "; outer(t, e) })
	th, err := thread.Start(func() { panic("boo") }, nil)
	require.NoError(t, err)
	require.Error(t, th.Join())
	assert.Equal(t, "inner outer", calls)
	thread.SetPanicHook(nil)
	assert.Nil(t, thread.PanicHook())
}
