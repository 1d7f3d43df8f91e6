package osthread

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

func newGroup(t *testing.T, o GroupOptions) *Group {
	t.Helper()
	g, err := NewGroup(t.Context(), o)
	require.NoError(t, err)
	return g
}

// goes starts f, which must work.
func goes(t *testing.T, g *Group, f func(ctx context.Context) error) *Thread {
	t.Helper()
	th, err := g.Go(f)
	require.NoError(t, err)
	return th
}

// untilDone waits for the context and returns its cause.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestGroupWaitsForAll(t *testing.T) {
	g := newGroup(t, GroupOptions{})
	var ran atomic.Int32
	for range 50 {
		goes(t, g, func(context.Context) error { ran.Add(1); return nil })
	}
	assert.NoError(t, g.Wait())
	assert.EqualValues(t, 50, ran.Load())
	assert.Empty(t, g.threads)
	assert.Error(t, g.Context().Err())
	assert.NoError(t, g.Wait(), "again")
	_, err := g.Go(func(context.Context) error { t.Error("ran"); return nil })
	assert.Error(t, err)
}

func TestGroupWithoutThreads(t *testing.T) {
	g := newGroup(t, GroupOptions{Limit: 1})
	assert.NoError(t, g.Wait())
	_, err := g.start("x", func(context.Context) error { t.Error("ran"); return nil })
	assert.ErrorIs(t, err, ErrShutdown)
}

func TestGroupFirstErrorCancelsTheOthers(t *testing.T) {
	first := errors.New("first")
	for name, fails := range map[string]struct {
		f    func() error
		want error
	}{
		"error":  {func() error { return first }, first},
		"goexit": {func() error { runtime.Goexit(); return nil }, ErrGoexit},
		"exit":   {func() error { thread.Exit(); return nil }, ErrExit},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, GroupOptions{})
			for range 5 {
				goes(t, g, untilDone)
			}
			goes(t, g, func(context.Context) error { return fails.f() })
			assert.ErrorIs(t, g.Wait(), fails.want)
			assert.ErrorIs(t, context.Cause(g.Context()), fails.want)
			_, err := g.Go(untilDone)
			assert.ErrorIs(t, err, fails.want)
		})
	}
}

func TestGroupPanicIsAnErrorAndReported(t *testing.T) {
	reported := make(chan any, 1)
	defer SetPanicHook(PanicHook())
	SetPanicHook(func(_ *Thread, e *PanicError) { reported <- e.Value })
	g := newGroup(t, GroupOptions{})
	goes(t, g, untilDone)
	goes(t, g, func(context.Context) error { panic("value") })
	var p *PanicError
	require.ErrorAs(t, g.Wait(), &p)
	assert.Equal(t, "value", p.Value)
	assert.Equal(t, "value", <-reported)
}

func TestGroupCancelAndItsParent(t *testing.T) {
	cause := errors.New("cause")
	g := newGroup(t, GroupOptions{})
	goes(t, g, untilDone)
	g.Cancel(cause)
	g.Cancel(errors.New("later"))
	assert.Equal(t, cause, g.Wait())

	g = newGroup(t, GroupOptions{})
	g.Cancel(nil)
	assert.Equal(t, context.Canceled, g.Wait())

	ctx, cancel := context.WithCancelCause(t.Context())
	g, err := NewGroup(ctx, GroupOptions{})
	require.NoError(t, err)
	goes(t, g, func(ctx context.Context) error { <-ctx.Done(); return nil })
	cancel(cause)
	assert.NoError(t, g.Wait(), "no thread has failed")
	_, err = g.Go(untilDone)
	assert.Equal(t, cause, err)
}

func TestGroupLimit(t *testing.T) {
	g := newGroup(t, GroupOptions{Limit: 3})
	var now, most atomic.Int32
	for range 100 {
		goes(t, g, func(context.Context) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Gosched()
			now.Add(-1)
			return nil
		})
		g.mu.Lock()
		assert.LessOrEqual(t, len(g.threads), 3+3, "ended threads are not kept")
		g.mu.Unlock()
	}
	assert.NoError(t, g.Wait())
	assert.LessOrEqual(t, most.Load(), int32(3))

	g = newGroup(t, GroupOptions{Limit: 1}) // a call that waits for a place ends with the context
	goes(t, g, untilDone)
	got := make(chan error)
	go func() { _, err := g.Go(untilDone); got <- err }()
	await(func() bool { return g.freed.Waiting() == 1 })
	g.Cancel(nil)
	assert.ErrorIs(t, <-got, context.Canceled)
	assert.ErrorIs(t, g.Wait(), context.Canceled)
}

func TestGroupOptionsAreChecked(t *testing.T) {
	_, err := NewGroup(t.Context(), GroupOptions{Limit: -1})
	assert.ErrorIs(t, err, ErrCount)
	bad := &Attr{StackSize: -1}
	_, err = NewGroup(t.Context(), GroupOptions{Attr: bad})
	assert.Equal(t, bad.Check(), err)
	err = Scope(t.Context(), GroupOptions{Attr: bad}, func(*Group) error { t.Error("ran"); return nil })
	assert.Equal(t, bad.Check(), err)
}

func TestGroupNamesAndAttributes(t *testing.T) {
	attr := &Attr{Name: "crawl", Daemon: true}
	g := newGroup(t, GroupOptions{Attr: attr})
	attr.Name = "changed"
	for i := range 3 {
		th := goes(t, g, func(context.Context) error { return nil })
		assert.Equal(t, fmt.Sprintf("crawl_%d", i), th.Name())
		assert.True(t, th.Daemon())
	}
	assert.NoError(t, g.Wait())
	g = newGroup(t, GroupOptions{})
	assert.Contains(t, goes(t, g, untilDone).Name(), "(untilDone)")
	g.Cancel(nil)
	assert.Error(t, g.Wait())
}

// A thread of the group may start others while it is waited for, and cannot
// wait for itself.
func TestGroupFromWithin(t *testing.T) {
	g := newGroup(t, GroupOptions{})
	var ran atomic.Int32
	var tree func(depth int) func(context.Context) error
	tree = func(depth int) func(context.Context) error {
		return func(context.Context) error {
			ran.Add(1)
			if depth == 0 {
				return nil
			}
			for range 2 {
				if _, err := g.Go(tree(depth - 1)); err != nil {
					return err
				}
			}
			if err := g.Wait(); !errors.Is(err, ErrDeadlock) {
				return fmt.Errorf("wait: %w", err)
			}
			return nil
		}
	}
	goes(t, g, tree(5))
	assert.NoError(t, g.Wait())
	assert.EqualValues(t, 63, ran.Load())
}

func TestScopeWaitsHoweverItsFunctionEnds(t *testing.T) {
	sentinel := errors.New("sentinel")
	for name, ends := range map[string]func() error{
		"returns": func() error { return nil },
		"fails":   func() error { return sentinel },
		"panics":  func() error { panic(sentinel) },
		"goexits": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var ended atomic.Int32
			var err error
			var recovered any
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() {
					recovered = recover()
					assert.EqualValues(t, 5, ended.Load(), "no thread outlives the scope")
				}()
				err = Scope(t.Context(), GroupOptions{}, func(g *Group) error {
					for range 5 {
						goes(t, g, func(ctx context.Context) error {
							if name != "returns" {
								<-ctx.Done()
							}
							ended.Add(1)
							return nil
						})
					}
					return ends()
				})
			}()
			<-done
			assert.EqualValues(t, 5, ended.Load())
			switch name {
			case "fails":
				assert.Equal(t, sentinel, err)
			case "panics":
				assert.Equal(t, sentinel, recovered)
			default:
				assert.NoError(t, err)
				assert.Nil(t, recovered)
			}
		})
	}
}

func TestGatherHasResultsInOrder(t *testing.T) {
	var fs []func(context.Context) (int, error)
	for i := range 20 {
		fs = append(fs, func(context.Context) (int, error) { return i * i, nil })
	}
	got, err := Gather(t.Context(), GroupOptions{Limit: 4}, fs...)
	require.NoError(t, err)
	for i, v := range got {
		assert.Equal(t, i*i, v)
	}
	sentinel := errors.New("sentinel")
	words, err := Gather(t.Context(), GroupOptions{Limit: 1},
		func(context.Context) (string, error) { return "one", nil },
		func(context.Context) (string, error) { return "two", sentinel },
		func(context.Context) (string, error) { return "three", nil },
	)
	assert.Equal(t, sentinel, err)
	assert.Equal(t, "one,,", strings.Join(words, ","))
	none, err := Gather[int](t.Context(), GroupOptions{})
	assert.NoError(t, err)
	assert.Empty(t, none)
}

// A Start that the system refuses is an error of Go and of Wait, and the others
// are canceled.
func TestGroupStartThatIsRefused(t *testing.T) {
	g := newGroup(t, GroupOptions{Limit: 2})
	goes(t, g, untilDone)
	g.attr.Nice = 1000 // found by Start alone
	_, err := g.Go(untilDone)
	assert.Error(t, err)
	assert.Equal(t, err, g.Wait())
	assert.Zero(t, g.taken)
}

// A destructor at the end of a thread of the group may start another one.
func TestGroupFromADestructor(t *testing.T) {
	g := newGroup(t, GroupOptions{})
	var last atomic.Int32
	key := thread.Key[int]{Destructor: func(int) {
		goes(t, g, func(context.Context) error { last.Add(1); return nil })
	}}
	goes(t, g, func(context.Context) error { return key.Set(1) })
	assert.NoError(t, g.Wait())
	assert.EqualValues(t, 1, last.Load())
	assert.Empty(t, g.threads)
}

func TestGroupInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sentinel := errors.New("sentinel")
		err := Scope(t.Context(), GroupOptions{Limit: 2}, func(g *Group) error {
			goes(t, g, untilDone)
			goes(t, g, func(context.Context) error { return sentinel })
			return nil
		})
		assert.Equal(t, sentinel, err)
	})
}

// In a bubble a wait for a place is one for a thread, which is in no bubble.
func TestGroupLimitInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var n atomic.Int32
		err := Scope(t.Context(), GroupOptions{Limit: 1}, func(g *Group) error {
			for range 20 {
				goes(t, g, func(context.Context) error {
					n.Add(1)
					_ = thread.ParkTimeout(2 * time.Millisecond) // the callers of Go wait meanwhile
					return nil
				})
			}
			return nil
		})
		assert.NoError(t, err)
		assert.EqualValues(t, 20, n.Load())
		assert.Zero(t, time.Since(begin), "the bubble's clock stands still")
	})
}

func TestGroupWaitFromADestructor(t *testing.T) {
	g := newGroup(t, GroupOptions{})
	errs := make(chan error, 1)
	key := thread.Key[int]{Destructor: func(int) { errs <- g.Wait() }}
	goes(t, g, func(context.Context) error { return key.Set(1) })
	assert.NoError(t, g.Wait())
	assert.Equal(t, ErrDeadlock, <-errs)
}

func TestGroupString(t *testing.T) {
	g := newGroup(t, GroupOptions{})
	goes(t, g, untilDone)
	assert.Contains(t, g.String(), "1 threads")
	g.Cancel(nil)
	assert.Error(t, g.Wait())
	assert.Contains(t, g.String(), "0 threads")
}
