package executor

import (
	"context"
	"math"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newKeyed(t *testing.T, o Options) *Keyed {
	t.Helper()
	k, err := NewKeyed(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

func TestTheSameKeyHasTheSameThread(t *testing.T) {
	k := newKeyed(t, Options{Threads: 3, Attr: &osthread.Attr{Name: "k"}})
	var mu sync.Mutex
	threads := map[string]map[int]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 200 {
				key := strconv.Itoa(n % 20)
				f, err := SubmitKey(k, key, func() (int, error) { return osthread.Current().NativeID(), nil })
				if !assert.NoError(t, err) {
					return
				}
				id, err := f.Result()
				assert.NoError(t, err)
				mu.Lock()
				if threads[key] == nil {
					threads[key] = map[int]bool{}
				}
				threads[key][id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for key, ids := range threads {
		assert.Len(t, ids, 1, "key %s", key)
	}
	assert.NotEmpty(t, k.Threads())
	for _, th := range k.Threads() {
		assert.Regexp(t, "^k_[012]$", th.Name())
	}
}

func TestWorkWithOneKeyIsInOrder(t *testing.T) {
	k := newKeyed(t, Options{Threads: 2})
	var order []int
	var last *Future[int]
	for i := range 100 {
		f, err := SubmitKey(k, "key", func() (int, error) { order = append(order, i); return 0, nil })
		require.NoError(t, err)
		last = f
	}
	_, err := last.Result()
	assert.NoError(t, err)
	for i, got := range order {
		assert.Equal(t, i, got)
	}
}

func TestKeyedShapesAndShutdown(t *testing.T) {
	k := newKeyed(t, Options{Threads: 2, Backlog: NoBacklog, Attr: &osthread.Attr{Name: "k"}})
	var g gate
	f, err := SubmitKey(k, 1, g.run)
	require.NoError(t, err)
	g.begun.Wait()
	_, err = TrySubmitKey(k, 1, value(1))
	assert.ErrorIs(t, err, ErrFull)
	_, err = SubmitKeyTimeout(k, 1, value(1), time.Millisecond)
	assert.ErrorIs(t, err, ErrFull)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		awaitApplicants(poolOf(k, 1), 1)
		cancel(errTest)
	}()
	_, err = SubmitKeyContext(ctx, k, 1, value(1))
	assert.ErrorIs(t, err, errTest)
	_, err = SubmitKeyContext(ctx, k, 1, value(1))
	assert.ErrorIs(t, err, errTest)
	assert.Equal(t, "Keyed(k, 1 threads, 0 queued)", k.String())
	assert.Zero(t, k.Queued())
	running, err := k.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	assert.Len(t, running, 1)
	for key := range 10 {
		_, err = SubmitKey(k, key, value(1))
		assert.ErrorIs(t, err, ErrShutdown)
	}
	running, err = k.ShutdownNow(ctx)
	assert.ErrorIs(t, err, errTest)
	assert.Len(t, running, 1)
	g.open.Set()
	_, err = f.Result()
	assert.NoError(t, err)
	running, err = k.Shutdown(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, running)
}

func TestKeyedShutdownOnItsOwnThread(t *testing.T) {
	k := newKeyed(t, Options{Threads: 2})
	f, err := SubmitKey(k, 1, func() (int, error) { return 0, k.Close() })
	require.NoError(t, err)
	_, err = f.Result()
	assert.ErrorIs(t, err, ErrDeadlock)
}

func TestKeyedShutdownNowCancels(t *testing.T) {
	k := newKeyed(t, Options{Threads: 2})
	var g gate
	_, err := SubmitKey(k, 1, g.run)
	require.NoError(t, err)
	f, err := SubmitKey(k, 1, value(1))
	require.NoError(t, err)
	go func() {
		<-f.Done()
		g.open.Set()
	}()
	_, err = k.ShutdownNow(t.Context())
	assert.NoError(t, err)
	assert.True(t, f.Cancelled())
}

func TestKeyedThatIsForgottenEnds(t *testing.T) {
	p := func() *pool {
		k, err := NewKeyed(Options{Threads: 2})
		require.NoError(t, err)
		_, err = SubmitKey(k, 1, value(1))
		require.NoError(t, err)
		return poolOf(k, 1)
	}()
	await(func() bool { runtime.GC(); return p.end.f.IsDone() })
}

func TestKeyedRefusesMoreThreadsThanThereCanBe(t *testing.T) {
	for _, n := range []int{-1, maxThreads + 1, math.MaxInt} {
		_, err := NewKeyed(Options{Threads: n})
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func TestBacklogOfMaxIntIsNeverFull(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: math.MaxInt, Full: Reject})
	for range 100 {
		f, err := Submit(e, value(1)) // the first starts a thread, which is counted meanwhile
		require.NoError(t, err)
		_, err = f.Result()
		require.NoError(t, err)
	}
}
