package inspect

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func bank() *Snapshot {
	transfer := func(line int) []Frame {
		return []Frame{{"main.transfer", "/src/bank.go", line}, {"main.main.func1", "/src/bank.go", 12}}
	}
	inner := []Frame{
		{module + "/internal/futex.wait", "futex.go", 1}, {module + "/osthread.(*Lock).Lock", "lock.go", 2},
	}
	outer := []Frame{{module + "/osthread.(*Thread).live", "lifecycle.go", 1}, {"runtime.goexit", "asm.s", 2}}
	stack := func(line int) [][]Frame {
		return [][]Frame{append(append(inner[:2:2], transfer(line)...), outer...)}
	}
	return &Snapshot{
		Taken: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Process: 7, Watched: true,
		Parties: []Party{
			{Kind: KindThread, Name: "MainThread", NativeID: 7},
			{
				Kind: KindThread, Name: "alice", NativeID: 8, CPUTime: 1234567, Goroutine: 18,
				StackUse: 9000, StackSize: 64 << 10,
				Wait:   &Wait{Object: 1, For: 3210 * time.Millisecond, Needs: NeedsAll, Servers: []int{2}},
				Holds:  []Hold{{Object: 0, Taken: transfer(40)}},
				Stacks: stack(41),
			},
			{
				Kind: KindThread, Name: "bob", NativeID: 9, Daemon: true,
				Wait:   &Wait{Object: 0, For: 3190 * time.Millisecond, Needs: NeedsAll, Servers: []int{1}},
				Holds:  []Hold{{Object: 1, Taken: transfer(50)}},
				Stacks: stack(51),
			},
			{
				Kind: KindGoroutine, Name: "goroutine 20", Goroutine: 20,
				Wait: &Wait{Object: 0, For: 5 * time.Microsecond, Ends: true, Needs: NeedsAll, Servers: []int{1}},
			},
			{
				Kind: KindThread, Name: "server", NativeID: 10,
				Wait: &Wait{Object: 2, For: time.Hour, Needs: NeedsUnknown},
			},
			{
				Kind: KindThread, Name: "client",
				Wait: &Wait{Object: 3, For: time.Second, Needs: NeedsAny, Servers: []int{4, 0}},
			},
		},
		Objects: []Object{
			{Text: "Lock(0x1, locked)", Name: "alice's account", Holders: []int{1}, Waiters: []int{2, 3}},
			{Text: "Lock(0x2, locked)", Name: "bob's account", Holders: []int{2}, Waiters: []int{1}},
			{Text: "Queue(0x3, empty)", Waiters: []int{4}},
			{Text: "Future(pending)", Waiters: []int{5}},
		},
		Deadlocks: []Deadlock{{Cycle: []int{1, 2}, Behind: []int{3}}},
	}
}

func TestDumpShowsWaitersAndHolders(t *testing.T) {
	want := `Process 7 at 2026-01-02T03:04:05Z: 5 threads, 1 goroutine, 5 waiting here; 1 deadlock

DEADLOCK 1: 2 parties wait for each other
  "alice" waits for 3.2s for Lock(0x2, locked) "bob's account", held by "bob"
  "bob" waits for 3.2s for Lock(0x1, locked) "alice's account", held by "alice"
  behind them, so stuck as well: goroutine 20

"MainThread" thread 7

"alice" thread 8, goroutine 18, 1ms on a processor, 9 of 64 KiB of stack for C
  waits for 3.2s for Lock(0x2, locked) "bob's account", held by "bob"
  holds Lock(0x1, locked) "alice's account"
    taken in
      main.transfer  /src/bank.go:40
      main.main.func1  /src/bank.go:12
    stack
      main.transfer  /src/bank.go:41
      main.main.func1  /src/bank.go:12
      in osthread.(*Lock).Lock (2 frames of the library)

"bob" thread 9, daemon
  waits for 3.2s for Lock(0x1, locked) "alice's account", held by "alice"
  holds Lock(0x2, locked) "bob's account"
    taken in
      main.transfer  /src/bank.go:50
      main.main.func1  /src/bank.go:12
    stack
      main.transfer  /src/bank.go:51
      main.main.func1  /src/bank.go:12
      in osthread.(*Lock).Lock (2 frames of the library)

goroutine 20
  waits for 5µs for Lock(0x1, locked) "alice's account", held by "alice"; the wait has a limit

"server" thread 10
  waits for 1h0m0s for Queue(0x3, empty)

"client" thread
  waits for 1s for Future(pending), which only "server" or "MainThread" can end
`
	assert.Equal(t, want, bank().String())
}

func TestSnapshotSurvivesJSON(t *testing.T) {
	text, err := json.Marshal(bank())
	require.NoError(t, err)
	var back Snapshot
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, bank(), &back)
}

func TestDumpOfDegenerateDeadlocks(t *testing.T) {
	s := Snapshot{
		Parties: []Party{
			{Kind: KindThread, Name: "self", Wait: &Wait{Needs: NeedsAll, Servers: []int{0}}},
			{Kind: KindThread, Name: "late", Ended: true, Holds: []Hold{{Object: 0, How: "shared"}}},
			{Kind: KindThread, Name: "heir", Wait: &Wait{Object: 1, Needs: NeedsAll, Servers: []int{1}}},
		},
		Objects:   []Object{{Text: "RWLock(1)", Holders: []int{0}}, {Text: "RLock(2)", Holders: []int{1}}},
		Deadlocks: []Deadlock{{Cycle: []int{0}}, {Cycle: []int{1}, Behind: []int{2}}},
	}
	text := s.String()
	assert.Contains(t, text, "DEADLOCK 1: \"self\" waits for itself\n")
	assert.Contains(t, text, "DEADLOCK 2: \"late\" has ended and holds what others wait for\n")
	assert.Contains(t, text, "held by \"late\" (ended)\n")
	assert.Contains(t, text, "holds RWLock(1) (shared)\n")
	assert.Contains(t, text, "OSTHREAD_WATCH=1")
}

func TestLongListsAreCut(t *testing.T) {
	s := Snapshot{Objects: []Object{{Text: "RWLock(1)"}}}
	w := &Wait{Needs: NeedsAll}
	for i := range 100 {
		s.Parties = append(s.Parties, Party{Kind: KindGoroutine, Name: "g"})
		w.Servers = append(w.Servers, i)
	}
	s.Parties[0].Wait = w
	assert.Contains(t, s.String(), "for which "+strings.Repeat("g, ", 9)+"g and 90 more must go on\n")
}

func TestFramesOfTheLibraryAreFolded(t *testing.T) {
	lib := Frame{Func: module + "/osthread/queue.(*Queue[...]).Get"}
	user, rt := Frame{Func: "main.f"}, Frame{Func: "runtime.gopark"}
	const get = "queue.(*Queue[...]).Get"
	example, test := module+"/examples/x.f", module+"/osthread_test.TestX"
	for _, row := range []struct {
		name   string
		frames []Frame
		want   []string
	}{
		{"a channel", []Frame{rt, user}, []string{"main.f"}},
		{
			"called by the library",
			[]Frame{rt, lib, user, lib, rt},
			[]string{"main.f", "in " + get + " (2 frames of the library)"},
		},
		{"between two of the caller's", []Frame{user, lib, lib, user}, []string{"main.f", "  by " + get, "main.f"}},
		{"idle", []Frame{rt, lib, rt}, []string{"in " + get + " (3 frames of the library)"}},
		{"an example, a test", []Frame{{Func: example}, {Func: test}}, []string{example, test}},
		{"another module of that prefix", []Frame{{Func: module + "s/x.f"}}, []string{module + "s/x.f"}},
		{
			"asleep without linknames",
			[]Frame{{Func: "syscall.Syscall6"}, lib, user},
			[]string{"main.f", "in " + get + " (2 frames of the library)"},
		},
		{"nothing", nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, fold(row.frames)) })
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, assert.AnError }

func TestDumpReturnsTheWritersError(t *testing.T) {
	_, err := bank().WriteTo(broken{})
	assert.ErrorIs(t, err, assert.AnError)
	var b strings.Builder
	n, err := bank().WriteTo(&b)
	assert.NoError(t, err)
	assert.EqualValues(t, b.Len(), n)
}
