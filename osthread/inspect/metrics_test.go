package inspect_test

import (
	"encoding/json"
	"expvar"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/inspect"
	"example.com/thread/osthread/queue"
)

// value returns the value of a sample, and false if there is none.
func value(metric, label string) (float64, bool) {
	for _, s := range inspect.Metrics() {
		if s.Metric == metric && s.Label == label {
			return s.Value, true
		}
	}
	return 0, false
}

func must(t *testing.T, metric string) float64 {
	t.Helper()
	v, ok := value(metric, "")
	require.True(t, ok, metric)
	return v
}

func TestMetricsHaveDescriptions(t *testing.T) {
	all := inspect.AllMetrics()
	names := map[string]inspect.Metric{}
	for _, m := range all {
		names[m.Name] = m
		assert.Regexp(t, `^/[a-z]+(/[a-z]+)*:[a-z]+$`, m.Name)
		assert.True(t, strings.HasSuffix(m.Name, ":"+m.Unit), m.Name)
		assert.Regexp(t, `^[A-Z].*\.$`, m.Description, m.Name)
	}
	assert.Len(t, names, len(all), "two have one name")
	assert.True(t, slices.IsSortedFunc(all, func(a, b inspect.Metric) int { return strings.Compare(a.Name, b.Name) }))
	samples := map[string]int{}
	for _, s := range inspect.Metrics() {
		assert.Contains(t, names, s.Metric)
		samples[s.Metric]++
	}
	for name, m := range names {
		if m.Label == "" {
			assert.Equal(t, 1, samples[name], name)
		}
	}
}

func TestMetricsCountThreads(t *testing.T) {
	started, live := must(t, "/threads/started/total:threads"), must(t, "/threads/live/total:threads")
	ready, done := make(chan bool), make(chan bool)
	for range 3 {
		start(t, "counted", osthread.Attr{Daemon: true}, func() { listen(ready, done) })
	}
	defer close(done)
	for range 3 {
		<-ready
	}
	assert.Equal(t, started+3, must(t, "/threads/started/total:threads"))
	assert.Equal(t, live+3, must(t, "/threads/live/total:threads"))
	assert.GreaterOrEqual(t, must(t, "/threads/daemon:threads"), 3.0)
	sum := 0.0
	for _, origin := range []string{"native", "pinned", "attached", "alien", "go"} {
		sum += must(t, "/threads/live/"+origin+":threads")
	}
	assert.Equal(t, must(t, "/threads/live/total:threads"), sum)
}

// A wait counts once it has ended; while it lasts the lock is wanted.
func TestMetricsCountWaitsThatSlept(t *testing.T) {
	var l osthread.RLock
	l.Lock()
	waits, seconds := must(t, "/locks/contended:waits"), must(t, "/locks/contended:seconds")
	total := must(t, "/waits/total:waits")
	waiter, err := osthread.Go(func() error { pass(&l); return nil })
	require.NoError(t, err)
	await(func() bool { return party(t, inspect.Take(), waiter.Name()).Wait != nil })
	assert.Equal(t, 1.0, must(t, "/locks/wanted:locks"))
	assert.Equal(t, waits, must(t, "/locks/contended:waits"))
	l.Unlock()
	require.NoError(t, waiter.Join())
	assert.Equal(t, 0.0, must(t, "/locks/wanted:locks"))
	assert.GreaterOrEqual(t, must(t, "/locks/contended:waits"), waits+1)
	assert.Greater(t, must(t, "/locks/contended:seconds"), seconds)
	assert.Greater(t, must(t, "/waits/total:waits"), total)
}

func TestMetricsHavePoolsAndTheirBacklog(t *testing.T) {
	var gate osthread.Event
	pool, err := executor.New(executor.Options{Threads: 1, Attr: &osthread.Attr{Name: "metered"}})
	require.NoError(t, err)
	for range 3 {
		_, err := executor.Submit(pool, func() (int, error) { gate.Wait(); return 0, nil })
		require.NoError(t, err)
	}
	await(func() bool { v, ok := value("/pools/backlog:tasks", "metered"); return ok && v == 2 })
	gate.Set()
	await(func() bool { v, _ := value("/pools/idle:threads", "metered"); return v == 1 })
	v, _ := value("/pools/threads:threads", "metered")
	assert.Equal(t, 1.0, v)
	require.NoError(t, pool.Close())
	await(func() bool { _, ok := value("/pools/threads:threads", "metered"); return !ok })
}

func TestMetricsHaveWorkers(t *testing.T) {
	w, err := executor.NewWorker(&osthread.Attr{Name: "metered worker"})
	require.NoError(t, err)
	await(func() bool { v, _ := value("/pools/idle:threads", "metered worker"); return v == 1 })
	require.NoError(t, w.Close())
}

func TestMetricsHaveQueuesThatAreWaitedFor(t *testing.T) {
	q := queue.New[int](1)
	start(t, "getter", osthread.Attr{}, func() { _, _ = q.Get() })
	await(func() bool { v, _ := value("/queues/getters:waiters", ""); return v == 1 })
	s := inspect.Take()
	require.Len(t, s.Queues, 1)
	assert.Equal(t, 1, s.Queues[0].Max)
	require.NoError(t, q.Put(1))
}

func TestVarIsJSONForExpvar(t *testing.T) {
	var v expvar.Var = inspect.Var()
	var values map[string]any
	require.NoError(t, json.Unmarshal([]byte(v.String()), &values))
	assert.Len(t, values, len(inspect.AllMetrics()))
	assert.Greater(t, values["/threads/live/total:threads"], 0.0)
	assert.IsType(t, map[string]any{}, values["/pools/backlog:tasks"])
}

func TestSnapshotWithoutStacksIsPlainData(t *testing.T) {
	text, err := json.Marshal(inspect.Take())
	require.NoError(t, err)
	var back inspect.Snapshot
	require.NoError(t, json.Unmarshal(text, &back))
	again, err := json.Marshal(&back)
	require.NoError(t, err)
	assert.JSONEq(t, string(text), string(again))
}
