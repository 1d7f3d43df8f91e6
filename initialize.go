package thread

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// Go's runtime lets no thread made by C into Go until package initialization is
// over (cgocallbackg1 in runtime/cgocall.go). A native thread started by an
// init function, by the initializer of a package variable, or by a goroutine
// that one of them waits for, would never begin, and Start would never return.
// So until initialization is known to be over, Start checks, and makes pinned
// threads in the meantime.
//
// There is no call that reports it. It is known from the stack of the main
// goroutine, whose outermost function is first an init function and later
// main.main. The caller's own stack is checked first. To see another
// goroutine's stack all goroutines are stopped, for half a second if there are
// 100,000. So that is done only if a probe, a thread of C that calls Go once,
// is not let in soon. Once the probe is in, or main.main has been seen,
// initialized skips all of this for good.

// initialized is set once package initialization is known to be over.
var initialized atomic.Bool

// probe is the thread of C that initializing makes, at most once.
var probe struct {
	mu      sync.Mutex
	made    bool
	entered park.Waiter
}

// probed runs on a thread of C when it enters Go for the first time.
func probed() {
	initialized.Store(true)
	probe.entered.Unpark()
}

// How long initializing waits for the probe before it reads stacks: as long as
// a loaded system takes to begin a thread, or as long as reading them takes.
const (
	probeWait         = time.Millisecond
	probePerGoroutine = 5 * time.Microsecond
)

// initializing reports whether package initialization is in progress. It does
// not call Current, which calls it.
func initializing() bool {
	if initialized.Load() {
		return false
	}
	switch mainStage(false) {
	case stageInit:
		return true
	case stageMain:
		initialized.Store(true)
		return false
	}
	probe.mu.Lock()
	defer probe.mu.Unlock()
	wait := time.Duration(0)
	if !probe.made && osProbe() == nil {
		probe.made = true
		wait = probeWait + time.Duration(runtime.NumGoroutine())*probePerGoroutine
	}
	for !initialized.Load() {
		if l := park.For(wait).Unasked(); wait > 0 && probe.entered.ParkAs(false, &l) == park.Unparked {
			return false
		}
		stage := mainStage(true)
		if stage == stageInit {
			return true
		}
		if stage == stageMain || !probe.made {
			initialized.Store(true)
			return false
		}
		// The main goroutine is between two functions; or it has ended, as in a
		// library that C programs load, and then the probe is let in.
		wait = max(2*wait, probeWait)
	}
	return false
}

// A stage is what the main goroutine runs.
type stage int

const (
	stageUnseen stage = iota
	stageInit         // package initialization
	stageMain         // main.main
)

// mainStage finds the stack of the main goroutine among those of all
// goroutines, or checks only the caller's.
func mainStage(all bool) stage {
	const most = 4 << 20 // the main goroutine's stack comes first or second
	for size := 8 << 10; ; size *= 2 {
		b := make([]byte, size)
		n := runtime.Stack(b, all)
		s, whole := stageOf(string(b[:n]), n < size)
		if whole || !all && s == stageUnseen && !strings.HasPrefix(string(b[:n]), mainHeader) || size >= most {
			return s
		}
	}
}

// mainHeader begins the stack of the main goroutine, which is the first that
// the runtime makes, in each build mode.
const mainHeader = "goroutine 1 ["

// stageOf finds the main goroutine's stack in the output of runtime.Stack. It
// reports false if the output is cut off before the end of that stack. whole
// says that nothing is cut off.
func stageOf(stacks string, whole bool) (stage, bool) {
	if !strings.HasPrefix(stacks, mainHeader) {
		_, after, found := strings.Cut(stacks, "\n\n"+mainHeader)
		if !found {
			return stageUnseen, whole
		}
		stacks = after
	}
	stack, _, ended := strings.Cut(stacks, "\n\n")
	if !ended && !whole {
		return stageUnseen, false
	}
	// The outermost function is the last line that is not indented. Functions
	// of the runtime are omitted.
	s := stageUnseen
	_, calls, _ := strings.Cut(stack, "\n")
	for line := range strings.Lines(calls) {
		name, _, isCall := strings.Cut(line, "(")
		switch {
		case !isCall || line[0] == '\t' || strings.HasPrefix(name, "runtime."):
		case strings.Contains(name+".", ".init."):
			s = stageInit
		default:
			s = stageMain
		}
	}
	return s, true
}
