package executor

import (
	"context"
	"runtime"
	"syscall"
	"testing"

	"example.com/thread"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
)

func TestRunIsolatedThreadIsNewAndGoneAfterwards(t *testing.T) {
	serials := map[uint64]bool{}
	for range 5 {
		var th *thread.Thread
		assert.NoError(t, RunIsolated(func() error { th = thread.Current(); return nil }))
		assert.False(t, th.Alive())
		assert.False(t, serials[th.Serial()])
		serials[th.Serial()] = true
	}
}

func TestRunIsolatedReturnsHowItEnded(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *PanicError) {})
	defer osthread.SetPanicHook(nil)
	assert.ErrorIs(t, RunIsolated(func() error { return errTest }), errTest)
	assert.ErrorIs(t, RunIsolated(func() error { panic(errTest) }), errTest)
	assert.ErrorIs(t, RunIsolated(func() error { runtime.Goexit(); return nil }), ErrGoexit)
	assert.ErrorIs(t, RunIsolated(func() error { thread.Exit(); return nil }), ErrExit)
	assert.NoError(t, RunIsolated(nil))
}

func TestRunIsolatedAttr(t *testing.T) {
	var name string
	assert.NoError(
		t,
		RunIsolatedAttr(&osthread.Attr{Name: "lamb"}, func() error { name = osthread.Current().Name(); return nil }),
	)
	assert.Equal(t, "lamb", name)
	assert.ErrorIs(
		t,
		RunIsolatedAttr(&osthread.Attr{Priority: 1}, func() error { t.Error("ran"); return nil }),
		syscall.EINVAL,
	)
}

func TestRunIsolatedContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var g gate
	ended := make(chan struct{})
	go func() {
		g.begun.Wait()
		cancel(errTest)
	}()
	assert.ErrorIs(
		t,
		RunIsolatedContext(ctx, nil, func() error { defer close(ended); _, err := g.run(); return err }),
		errTest,
	)
	g.open.Set()
	<-ended
	assert.ErrorIs(t, RunIsolatedContext(ctx, nil, func() error { t.Error("ran"); return nil }), errTest)
}
