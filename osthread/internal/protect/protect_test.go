package protect

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

var errTest = errors.New("test")

// onThread runs f on a thread of its own and waits for its end.
func onThread(t *testing.T, f func()) error {
	t.Helper()
	th, err := thread.Start(f, nil)
	require.NoError(t, err)
	return th.Join()
}

func TestCallReportsHowAFunctionEnded(t *testing.T) {
	for name, c := range map[string]struct {
		fn       func() error
		want     error
		returned bool
	}{
		"return": {func() error { return nil }, nil, true},
		"error":  {func() error { return errTest }, errTest, true},
		"panic":  {func() error { panic(errTest) }, errTest, false},
		"goexit": {func() error { runtime.Goexit(); return nil }, thread.ErrGoexit, false},
		"exit":   {func() error { thread.Exit(); return nil }, thread.ErrExit, false},
	} {
		t.Run(name, func(t *testing.T) {
			calls, after := 0, false
			end := onThread(t, func() {
				Call(c.fn, func(err error, returned bool) {
					calls++
					assert.ErrorIs(t, err, c.want)
					assert.Equal(t, c.returned, returned)
				})
				after = true
			})
			assert.Equal(t, 1, calls)
			goesOn := c.returned || c.want == errTest
			assert.Equal(t, goesOn, after, "a Goexit continues, a panic does not")
			if !goesOn {
				assert.ErrorIs(t, end, c.want)
			}
		})
	}
}

func TestRunReturnsAPanicAsAnError(t *testing.T) {
	var p *thread.PanicError
	assert.ErrorAs(t, Run(func() error { panic(errTest) }), &p)
	assert.ErrorIs(t, Run(func() error { return errTest }), errTest)
	assert.NoError(t, Run(nil))
}

func TestOnGoexitCallsRestAfterAGoexitAlone(t *testing.T) {
	rest := 0
	count := func() { rest++ }
	OnGoexit(count, func() {})
	assert.PanicsWithValue(t, errTest, func() { OnGoexit(count, func() { panic(errTest) }) })
	assert.Zero(t, rest)
	assert.ErrorIs(t, onThread(t, func() { OnGoexit(count, runtime.Goexit) }), thread.ErrGoexit)
	assert.Equal(t, 1, rest)
}
