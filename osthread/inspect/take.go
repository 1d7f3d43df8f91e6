package inspect

import (
	"io"
	"os"
	"strconv"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
)

// Options are what a snapshot has beyond what is always in it. The zero value
// stands for nothing more.
type Options struct {
	// Stacks are the stacks of all parties. Without watch mode they are found
	// by the label thread=NAME that threads have in profiles, which stops the
	// world for microseconds. In watch mode, all goroutines are stopped while
	// Go writes their stacks, which takes some 10 us for each.
	Stacks bool
}

// Take returns a snapshot without stacks. Nothing is stopped for it.
func Take() *Snapshot { return TakeWith(Options{}) }

// TakeWith is Take with options.
func TakeWith(o Options) *Snapshot {
	t := taker{snapshot: &Snapshot{Taken: time.Now(), Process: os.Getpid()}}
	t.threads()
	if o.Stacks {
		t.stacks()
	}
	return t.snapshot
}

// Dump writes a snapshot with stacks for a person; see Snapshot.WriteTo. It
// returns w's error.
func Dump(w io.Writer) error {
	_, err := TakeWith(Options{Stacks: true}).WriteTo(w)
	return err
}

type taker struct {
	snapshot *Snapshot
}

// threads adds the living threads: those of package osthread in the order of
// their starts, and then those that only package thread knows.
func (t *taker) threads() {
	known := make(map[*thread.Thread]bool)
	for th := range osthread.Threads() {
		record, _ := th.OSThread() // it has none, or not yet
		known[record] = true
		t.add(record, th)
	}
	for _, record := range thread.Threads() {
		if !known[record] {
			t.add(record, nil)
		}
	}
}

// add adds a thread, of which one of record and th may be nil.
func (t *taker) add(record *thread.Thread, th *osthread.Thread) {
	p := Party{Kind: KindThread}
	if th != nil {
		p.Name, p.Daemon = th.Name(), th.Daemon()
		if record == nil {
			p.NativeID = th.NativeID()
		}
	}
	if record != nil {
		p.Serial, p.NativeID = record.Serial(), record.NativeID()
		p.CPUTime, _ = record.CPUTime() // 0: the system does not tell
		if th == nil {
			p.Name, p.Daemon = record.Name(), true
		}
	}
	if p.Name == "" {
		p.Name = "thread " + strconv.Itoa(p.NativeID)
	}
	t.snapshot.Parties = append(t.snapshot.Parties, p)
}

func (t *taker) stacks() {
	byName := stacksByName()
	for i := range t.snapshot.Parties {
		p := &t.snapshot.Parties[i]
		p.Stacks = byName[p.Name]
	}
}
