package thread

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// Go's runtime lets a thread that C made into Go only when package
// initialization is over (cgocallbackg1 in runtime/cgocall.go). A native thread
// started by an init function, or by the initializer of a package variable, or
// by a goroutine that one of them waits for, would never begin, and Start would
// never return. So until initialization is known to be over Start finds out,
// and while it goes on makes pinned threads.
//
// There is no call that tells. It is known from the stack of the main
// goroutine: its outermost function is an init function at first, and main.main
// after. The caller's own stack is looked at first. For another goroutine's all
// goroutines are stopped, for half a second where there are 100,000. So that is
// for when a thread of C, which does nothing but call Go once, is not let in
// soon. Once it is, or main.main has been seen, initialized spares all of this
// for good.

// initialized is set once package initialization is known to be over.
var initialized atomic.Bool

// knock is the thread of C that calls Go for initializing, the only one ever.
var knock struct {
	mu    sync.Mutex
	made  bool
	letIn park.Waiter
}

// knocked runs on a thread of C that is let into Go for the first time.
func knocked() {
	initialized.Store(true)
	knock.letIn.Unpark()
}

// How long initializing waits for the thread of C before it looks at stacks:
// the time that a loaded system takes to begin a thread, or what the look
// costs.
const (
	knockWait   = time.Millisecond
	lookPerGoro = 5 * time.Microsecond
)

// initializing reports whether package initialization goes on. It does not call
// Current, which calls it.
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
	knock.mu.Lock()
	defer knock.mu.Unlock()
	wait := time.Duration(0)
	if !knock.made && osKnock() == nil {
		knock.made = true
		wait = knockWait + time.Duration(runtime.NumGoroutine())*lookPerGoro
	}
	for !initialized.Load() {
		if l := park.For(wait); wait > 0 && knock.letIn.ParkAs(false, &l) == park.Unparked {
			return false
		}
		stage := mainStage(true)
		if stage == stageInit {
			return true
		}
		if stage == stageMain || !knock.made {
			initialized.Store(true)
			return false
		}
		// The main goroutine is between two functions, or has ended, as in a
		// library that C programs load. The thread is let in if it has.
		wait = max(2*wait, knockWait)
	}
	return false
}

// A stage is what the main goroutine is seen to run.
type stage int

const (
	stageUnseen stage = iota
	stageInit         // package initialization
	stageMain         // main.main
)

// mainStage looks at the stacks of all goroutines for that of the main one, or
// only whether it is the caller.
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

// stageOf finds the main goroutine's stack in stacks as runtime.Stack writes
// them. It reports false for what is cut off before that stack's end; whole
// says that nothing is.
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
	// The outermost function is the last line that is not indented. The runtime
	// leaves out its own.
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
