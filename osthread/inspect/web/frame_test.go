package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// crowd returns a snapshot of n threads that wait for one lock, which the first
// holds.
func crowd(n int) *inspect.Snapshot {
	s := &inspect.Snapshot{Taken: time.Unix(1000, 0), Objects: []inspect.Object{
		{Type: "osthread.Lock", Text: "Lock(0x1, locked, 9 waiting)", Name: "hot", Holders: []int{0}},
	}}
	for i := range n {
		p := inspect.Party{
			Kind: inspect.KindThread, Origin: inspect.OriginNative, Name: fmt.Sprintf("thread %05d", i),
			Serial: uint64(1_000_000 + i), NativeID: 2_000_000 + i, CPUTime: time.Duration(i) * time.Millisecond,
		}
		if i > 0 {
			p.Wait = &inspect.Wait{Needs: inspect.NeedsAll, Servers: []int{0}, For: time.Duration(n-i) * time.Second}
			s.Objects[0].Waiters = append(s.Objects[0].Waiters, i)
		} else {
			p.Holds = []inspect.Hold{{Object: 0}}
		}
		s.Parties = append(s.Parties, p)
	}
	return s
}

// ring returns a snapshot of n threads in a cycle, and two behind.
func ring(n int) *inspect.Snapshot {
	s := &inspect.Snapshot{Taken: time.Unix(1000, 0)}
	d := inspect.Deadlock{Behind: []int{n, n + 1}}
	for i := range n + 2 {
		object := i % n
		s.Parties = append(s.Parties, inspect.Party{
			Kind: inspect.KindThread, Origin: inspect.OriginNative,
			Name: fmt.Sprintf("p%d", i), Serial: uint64(1_000_000 + i),
			Wait: &inspect.Wait{Object: object, Needs: inspect.NeedsAll, Servers: []int{(object + 1) % n}},
		})
		if i < n {
			s.Objects = append(s.Objects, inspect.Object{
				Type: "osthread.Lock", Text: "Lock", Name: fmt.Sprintf("l%d", i),
				Holders: []int{(i + 1) % n}, Waiters: []int{i},
			})
			d.Cycle = append(d.Cycle, i)
		}
	}
	s.Deadlocks = []inspect.Deadlock{d}
	return s
}

func viewOf(t *testing.T, f *frame, raw string) (v view, size int) {
	t.Helper()
	q, err := parse(raw)
	require.NoError(t, err)
	text, err := f.render(q)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &v))
	return v, len(text)
}

// What a page gets does not grow with the number of threads.
func TestViewOfManyThreadsIsAPage(t *testing.T) {
	f := newFrame(crowd(10_000), nil)
	for _, row := range []struct {
		query               string
		page, matched, rows int
		first               string
	}{
		{"", 1, 10_000, 50, "thread 00001"},
		{"page=2&size=200", 2, 10_000, 200, "thread 00201"},
		{"page=1000000", 200, 10_000, 50, "thread 09951"},
		{"sort=start&page=200", 200, 10_000, 50, "thread 09950"},
		{"sort=start&desc=1", 1, 10_000, 50, "thread 09999"},
		{"sort=name&q=THREAD+0999", 1, 10, 10, "thread 09990"},
		{"q=2000007", 1, 1, 1, "thread 00007"},
		{"q=hot&sort=start", 1, 10_000, 50, "thread 00000"}, // its holder, too
		{"state=running", 1, 1, 1, "thread 00000"},
		{"state=ended", 1, 0, 0, ""},
		{"sort=since&desc=1&state=waiting", 1, 9_999, 50, "thread 09999"},
	} {
		v, size := viewOf(t, f, row.query)
		assert.Equal(t, row.page, v.Page, row.query)
		assert.Equal(t, row.matched, v.Matched, row.query)
		assert.Len(t, v.Rows, row.rows, row.query)
		assert.Equal(t, 10_000, v.Total)
		assert.Less(t, size, 96<<10, row.query)
		if row.rows > 0 {
			assert.Equal(t, row.first, v.Rows[0].Name, row.query)
		}
		assert.LessOrEqual(t, len(v.Graph.Nodes), 2*mostNodes)
	}
}

func TestGraphFoldsManyWaitersForOneObject(t *testing.T) {
	v, _ := viewOf(t, newFrame(crowd(1000), nil), "")
	require.Len(t, v.Graph.Nodes, 1+mostWaiters+1)
	assert.Equal(t, fmt.Sprintf("%d more", 999-mostWaiters), v.Graph.Nodes[len(v.Graph.Nodes)-1].Name)
	for _, e := range v.Graph.Edges {
		assert.Equal(t, `Lock "hot"`, e.Object)
		assert.Equal(t, "t1000000", e.To)
	}
	assert.Len(t, v.Graph.Edges, mostWaiters+1)
}

func TestGraphHasTheCycleOfADeadlock(t *testing.T) {
	for _, n := range []int{1, 2, 3, mostCycle, 100} {
		v, _ := viewOf(t, newFrame(ring(n), nil), "")
		require.Len(t, v.Graph.Cycles, 1, n)
		cycle := v.Graph.Cycles[0]
		assert.Len(t, cycle, min(n, mostCycle), n)
		ids := map[string]bool{}
		for _, node := range v.Graph.Nodes {
			assert.False(t, ids[node.ID], "%s twice", node.ID)
			ids[node.ID] = true
		}
		for k, from := range cycle {
			to := cycle[(k+1)%len(cycle)]
			found := false
			for _, e := range v.Graph.Edges {
				found = found || e.Dead && e.From == from && e.To == to
			}
			assert.True(t, found, "%d: no edge from %s to %s", n, from, to)
		}
		for _, e := range v.Graph.Edges {
			assert.True(t, ids[e.From] && ids[e.To], "an edge without a node: %v", e)
		}
		require.Len(t, v.Deadlocks, 1)
		assert.Equal(t, n, v.Deadlocks[0].Size)
		assert.Len(t, v.Deadlocks[0].Steps, min(n, mostSteps))
		assert.Equal(t, []string{fmt.Sprintf("p%d", n), fmt.Sprintf("p%d", n+1)}, v.Deadlocks[0].Behind)
		assert.Equal(t, deadlocked, v.Rows[0].State)
		stuckRows, _ := viewOf(t, newFrame(ring(n), nil), "state=stuck")
		assert.Equal(t, 2, stuckRows.Matched)
	}
}

func TestGraphIsBoundedWithManyDeadlocks(t *testing.T) {
	s := &inspect.Snapshot{}
	for i := range 200 {
		one := ring(2)
		base := len(s.Parties)
		for j, p := range one.Parties {
			p.Serial = uint64(1_000_000 + base + j)
			p.Wait.Object += 2 * i
			p.Wait.Servers[0] += base
			s.Parties = append(s.Parties, p)
		}
		s.Objects = append(s.Objects, one.Objects...)
		d := inspect.Deadlock{Cycle: []int{base, base + 1}, Behind: []int{base + 2, base + 3}}
		s.Deadlocks = append(s.Deadlocks, d)
	}
	v, size := viewOf(t, newFrame(s, nil), "")
	assert.LessOrEqual(t, len(v.Graph.Nodes), 2*mostNodes)
	assert.Positive(t, v.Graph.Omitted)
	assert.Len(t, v.Deadlocks, mostDeadlocks)
	assert.Equal(t, 200-mostDeadlocks, v.MoreDead)
	assert.Less(t, size, 96<<10)
}

func TestCPUIsThatSinceTheLastFrame(t *testing.T) {
	before := newFrame(crowd(3), nil)
	v, _ := viewOf(t, before, "")
	assert.Nil(t, v.Rows[0].CPU, "not known yet")
	s := crowd(3)
	s.Taken = s.Taken.Add(2 * time.Second)
	s.Parties[2].CPUTime += time.Second
	v, _ = viewOf(t, newFrame(s, before), "sort=cpu")
	require.NotNil(t, v.Rows[0].CPU)
	assert.Equal(t, "thread 00002", v.Rows[0].Name)
	assert.InDelta(t, 50, *v.Rows[0].CPU, 0.01)
	assert.InDelta(t, 0, *v.Rows[1].CPU, 0.01)
}

func TestStackUseIsAskedOnceInAWhile(t *testing.T) {
	c := &stackCache{uses: map[uint64]stackUse{}}
	asked := 0
	ask := func() thread.StackUse { asked++; return thread.StackUse{Used: asked} }
	assert.Equal(t, 1, c.get(7, ask).Used)
	assert.Equal(t, 1, c.get(7, ask).Used)
	assert.Equal(t, 2, c.get(8, ask).Used)
	c.uses[7] = stackUse{c.uses[7].StackUse, time.Now().Add(-2 * stackAge)}
	c.swept = time.Time{}
	assert.Equal(t, 3, c.get(7, ask).Used)
	assert.Len(t, c.uses, 2)
}

func TestObjectsAreShort(t *testing.T) {
	for _, row := range []struct {
		object inspect.Object
		want   string
	}{
		{inspect.Object{Type: "osthread.Lock", Text: "Lock(0x1, locked)", Name: "a"}, `Lock "a"`},
		{inspect.Object{Type: "osthread.Lock", Text: "Lock(0x1, locked)"}, "Lock(0x1)"},
		{
			inspect.Object{Type: "osthread.Lock", FirstUse: &inspect.Frame{File: `C:\src/b.go`, Line: 3}},
			"Lock of b.go:3",
		},
		{inspect.Object{Type: "queue.Queue[main.T]", Name: "q"}, `Queue[main.T] "q"`},
		{inspect.Object{Type: "[]osthread.Waitable", Text: "[a b]"}, "[a b]"},
		{inspect.Object{Type: "task", Text: "task"}, "task"},
		{inspect.Object{Text: strings.Repeat("é", 100)}, strings.Repeat("é", 60) + "…"},
	} {
		assert.Equal(t, row.want, short(row.object))
	}
}

// What a page costs in a second, with threads that wait, half of them for an
// object of their own: the snapshot, and its view.
func BenchmarkSecond(b *testing.B) {
	const threads = 1000
	var done osthread.Event
	var own [threads]osthread.Event
	var all []*osthread.Thread
	for i := range threads {
		e := &done
		if i%2 == 0 {
			e = &own[i]
		}
		t, err := osthread.Go(func() error { e.Wait(); return nil })
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, t)
	}
	await(func() bool {
		waiting := 0
		for _, p := range inspect.Take().Parties {
			if p.Wait != nil {
				waiting++
			}
		}
		return waiting == threads
	})
	var last *frame
	b.ReportAllocs()
	for b.Loop() {
		last = newFrame(inspect.Take(), last)
		if _, err := last.render(query{sort: "state", page: 1, size: defaultSize}); err != nil {
			b.Fatal(err)
		}
	}
	done.Set()
	for i, t := range all {
		own[i].Set()
		if err := t.Join(); err != nil {
			b.Error(err)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("threads=%d", n), func(b *testing.B) {
			s := crowd(n)
			var last *frame
			b.ReportAllocs()
			for b.Loop() {
				last = newFrame(s, last)
				if _, err := last.render(query{sort: "state", page: 1, size: defaultSize}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
