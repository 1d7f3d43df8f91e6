// Package sched is a scheduler for callers that run one at a time.
//
// The code under test is built with the packages of shim in place of
// sync/atomic, sync, time, context and runtime. Their functions call this
// package before each access that other callers could see: [Step]. There, and
// where a caller blocks, yields or ends, a [Chooser] picks which caller goes
// on. So an execution is decided by the choices alone, and can be repeated.
//
// A caller is a coroutine (iter.Pull). A switch to another one takes a few
// hundred nanoseconds, and a step that does not switch only some.
//
// Time is virtual. It advances a little with each step, and to its deadline
// when a timer or a sleeper with a deadline is picked, which may be at any
// moment once it waits.
//
// Interleavings are sequentially consistent, as Go's atomics are. Plain
// accesses are no steps: they are between those of their caller, and the race
// detector checks that this makes no difference.
//
// While no execution is active, or outside of its callers, all functions do
// what the functions do that they stand for.
package sched

import (
	"fmt"
	"iter"
	"math/bits"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"
)

type state uint8

const (
	ready    state = iota // to run
	parked                // until Ready
	onFutex               // until FutexWake, or its deadline
	asleep                // until its deadline: in Sleep, or a timer that has not fired
	awaiting              // until its condition holds
	ended
)

var stateNames = [...]string{"ready", "parked", "on a futex", "asleep", "waiting for a condition", "ended"}

// never is the deadline of a sleep without one.
const never = 1<<63 - 1

// A Caller is one thread of control of an execution.
type Caller struct {
	name     string
	id       int
	f        func()
	helper   bool // a timer or a function of a context
	thread   bool // it has a thread of its own
	pins     int  // calls of LockOSThread
	slot     uintptr
	state    state
	slept    bool // it has been asleep
	cued     bool // it waits by Cue
	yielded  bool // since another caller ran last
	polls    int  // since another caller ran last
	started  bool
	late     bool // its deadline has ended its sleep
	deadline int64
	word     *uint32
	holds    func() bool
	priority float64 // for PCT

	resume func() (struct{}, bool)
	yield  func(struct{}) bool
}

const (
	stepTime  = 50 // ns
	stepLimit = 20_000
	firstSlot = 1 << (bits.UintSize - 24)
)

// A Run is one execution.
type Run struct {
	callers []*Caller
	current *Caller
	next    *Caller
	chooser Chooser
	now     int64
	steps   int
	procs   int
	rare    bool
	failure string
	events  []Event
	tracing bool
	options []Option
	order   []unsafe.Pointer
}

// run is the active execution, nil for none.
var run *Run

// resets are called before each execution.
var resets []func()

// number is how many executions there were, and taken what callers have taken
// out of pools in the last one and not put back.
var (
	number uint64
	taken  int
)

// Number returns the number of the execution.
func Number() uint64 { return number }

// Taken counts what is taken out of pools, or put back.
func Taken(n int) { taken += n }

// Kept returns how much was taken out of pools in the last execution and not
// put back.
func Kept() int { return taken }

// OnReset makes f be called before each execution: it restores the state that
// the code under test keeps in package variables.
func OnReset(f func()) { resets = append(resets, f) }

// leaks are checked after each execution that has not failed.
var leaks []func() string

// OnEnd makes f be called after each execution. It returns what the code under
// test has not released, "" for nothing.
func OnEnd(f func() (leaked string)) { leaks = append(leaks, f) }

// Leaked returns what the functions of OnEnd do.
func Leaked() (all string) {
	for _, f := range leaks {
		all += f()
	}
	return all
}

// On reports whether a caller of an execution runs.
func On() bool { return run != nil && run.current != nil }

// Do makes an execution: set calls Go to make the callers. It returns what went
// wrong, "" for nothing.
func Do(c Chooser, tracing bool, set func(*Run)) (*Run, string) {
	for _, f := range resets {
		f()
	}
	number++
	taken = 0
	r := &Run{chooser: c, tracing: tracing, procs: 2, now: 1_000_000_000}
	run = r
	defer func() { run = nil }()
	c.Begin()
	set(r)
	for r.next = r.pick(nil); r.next != nil && r.failure == ""; {
		r.current = r.next
		r.current.resume()
		r.current = nil
	}
	if r.failure == "" && !r.over() {
		r.failure = "deadlock: " + r.states()
	}
	return r, r.failure
}

// Finish calls f as the last caller, after all others have ended, and returns
// what went wrong.
func (r *Run) Finish(f func()) string {
	for _, c := range r.callers {
		c.state = ended // a timer that has not fired, too
	}
	run = r
	defer func() { run = nil }()
	c := r.Go("the check", false, f)
	r.current = c
	c.resume()
	r.current = nil
	if r.failure == "" && c.state != ended {
		r.failure = "at the end: a caller would block"
	}
	return r.failure
}

// Go adds a caller, an ordinary goroutine or one with a thread of its own.
func (r *Run) Go(name string, thread bool, f func()) *Caller {
	c := &Caller{name: name, id: len(r.callers), f: f, thread: thread, deadline: never}
	c.slot = (firstSlot + uintptr(c.id)) << 22
	r.add(c)
	return c
}

func (r *Run) add(c *Caller) {
	r.callers = append(r.callers, c)
	r.chooser.Added(c)
	c.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		defer r.end(c)
		c.f()
	})
}

// end ends c, which has returned or panicked. A caller that returns has undone
// its calls of LockOSThread.
func (r *Run) end(c *Caller) {
	if v := recover(); v != nil && r.failure == "" {
		r.failure = fmt.Sprintf("%s panics: %v\n%s", c.name, v, debug.Stack())
	}
	if c.pins != 0 && r.failure == "" {
		r.failure = fmt.Sprintf("%s ends locked to its thread %d times", c.name, c.pins)
	}
	c.state = ended
	r.log(c, "ends")
	if r.failure == "" {
		r.next = r.pick(c)
	}
}

// Procs sets how many processors the execution has. The default is 2.
func (r *Run) Procs(n int) { r.procs = n }

// Rare makes decisions that the code under test makes by chance, once in many
// times, be explored.
func (r *Run) Rare() { r.rare = true }

// over reports whether all callers have ended, and all helpers that have begun.
func (r *Run) over() bool {
	for _, c := range r.callers {
		if c.state != ended && (!c.helper || c.started) {
			return false
		}
	}
	return true
}

func (r *Run) states() string {
	var s []string
	for _, c := range r.callers {
		if c.state != ended {
			s = append(s, c.name+" is "+stateNames[c.state])
		}
	}
	return strings.Join(s, ", ")
}

// Fail ends the execution as a failed one. It does not return in a caller.
func Fail(format string, args ...any) {
	r := run
	if r.failure == "" {
		r.failure = fmt.Sprintf(format, args...)
	}
	if c := r.current; c != nil {
		r.next = nil
		c.yield(struct{}{})
	}
}

// Step is called before an access that other callers can see.
func Step(what string, word any) {
	r := run
	if r == nil || r.current == nil {
		return
	}
	c := r.current
	r.tick(c, what, word)
	if r.chooser.Follows() {
		return
	}
	r.switchTo(c, r.pick(c))
}

func (r *Run) tick(c *Caller, what string, word any) {
	r.steps++
	r.now += stepTime
	for _, other := range r.callers {
		if other != c {
			other.yielded, other.polls = false, 0
		}
	}
	if r.tracing {
		r.record(c, what, word)
	}
	if r.steps > stepLimit {
		Fail("livelock: %d steps", r.steps)
	}
}

// switchTo makes next the one that runs. c may be that.
func (r *Run) switchTo(c, next *Caller) {
	if next != c {
		r.next = next
		c.yield(struct{}{})
	}
	if c.state != ready {
		r.wakes(c)
	}
	c.yielded = false
	if c.late {
		r.now = max(r.now, c.deadline)
	}
}

// wakes ends the sleep of c, which was picked without having been woken: its
// deadline has come, or its condition holds.
func (r *Run) wakes(c *Caller) {
	c.late = c.state == onFutex || c.state == asleep
	c.state = ready
}

// block blocks the running caller in the state s.
func block(s state, what string, word any) {
	r := run
	c := r.current
	c.state, c.late = s, false
	c.slept = c.slept || !c.cued
	if r.tracing {
		r.record(c, what, word)
	}
	r.switchTo(c, r.pick(c))
}

// Yield lets others run: the caller polls, and may give up.
func Yield() {
	if On() {
		run.current.polls++
		backoff("polls")
	}
}

// Backoff lets others run: the caller polls, and never gives up. So another
// caller always runs first.
func Backoff() {
	run.current.polls = pollLimit + 1
	backoff("backs off")
}

func backoff(what string) {
	r := run
	c := r.current
	r.tick(c, what, nil)
	c.yielded = true
	r.chooser.Polled(c)
	r.switchTo(c, r.pick(c))
}

// Current returns the running caller.
func Current() *Caller { return run.current }

// Park parks the running caller until Ready.
func Park() { block(parked, "parks", nil) }

// Ready ends Park of c. It is a failure if c is not parked. There is a step
// after it, as after a futex wake: what the waker then reads plainly the woken
// caller may have changed.
func Ready(c *Caller) {
	Step("wakes", c.name)
	if c.state != parked {
		Fail("%s wakes %s, which is %s", run.current.name, c.name, stateNames[c.state])
	}
	c.state = ready
	Step("has woken", c.name)
}

// Await blocks the running caller until holds returns true. holds must not
// change anything.
func Await(what string, holds func() bool) {
	Step(what, nil)
	c := run.current
	c.holds = holds
	if !run.asked(c) {
		block(awaiting, what, nil)
	}
}

// Cue is Await for a caller that is to do something at a certain point, and so
// does not count as asleep.
func Cue(holds func() bool) {
	c := Current()
	c.cued = true
	Await("waits for its cue", holds)
	c.cued = false
}

// Slept reports whether c has gone to sleep, or has ended.
func (c *Caller) Slept() bool { return c.slept || c.state == ended }

// Ended reports whether c has ended.
func (c *Caller) Ended() bool { return c.state == ended }

// Now returns the virtual time in ns.
func Now() int64 { return run.now }

// Advance adds d ns to the virtual time.
func Advance(d int64) {
	Step("advances the clock", nil)
	run.now += d
}

// Sleep sleeps for d ns of virtual time.
func Sleep(d int64) {
	run.current.deadline = run.now + d
	block(asleep, "sleeps", nil)
}

// After starts a timer: f is called in d ns, or later.
func After(d int64, f func()) (stop func() bool) {
	Step("starts a timer", nil)
	r := run
	return r.helper(fmt.Sprintf("timer %d", len(r.callers)), asleep, r.now+d, nil, f)
}

// When makes f be called once holds returns true.
func When(holds func() bool, f func()) (stop func() bool) {
	Step("registers a function", nil)
	r := run
	return r.helper(fmt.Sprintf("function %d", len(r.callers)), awaiting, never, holds, f)
}

func (r *Run) helper(name string, s state, deadline int64, holds func() bool, f func()) (stop func() bool) {
	c := &Caller{name: name, id: len(r.callers), helper: true, state: s, deadline: deadline, holds: holds}
	c.f = func() {
		c.started = true
		r.wakes(c)
		if s == asleep {
			r.now = max(r.now, deadline)
		}
		f()
	}
	c.slot = (firstSlot + uintptr(c.id)) << 22
	r.add(c)
	return func() bool {
		Step("stops", name)
		if c.started || c.state == ended {
			return false
		}
		c.state = ended
		return true
	}
}

// FutexWait sleeps on w while it holds old, until FutexWake or the deadline.
func FutexWait(w *uint32, old uint32, deadline int64) (changed, late bool) {
	Step("futex wait", w)
	if atomic.LoadUint32(w) != old {
		return true, false
	}
	c := run.current
	c.word, c.deadline = w, deadline
	block(onFutex, "sleeps on", w)
	return false, c.late
}

// FutexWake wakes at most n callers that sleep on w, and returns how many.
func FutexWake(w *uint32, n int) (woken int) {
	Step("futex wake", w)
	for _, c := range run.callers {
		if c.state == onFutex && c.word == w && woken < n {
			c.state = ready
			woken++
		}
	}
	if woken > 0 {
		Step("has woken", w)
	}
	return woken
}

// OnThread reports whether the running caller has a thread of its own, or is
// locked to one and there is more than one processor.
func OnThread() bool {
	if !On() {
		return false
	}
	c := run.current
	return c.thread || c.pins > 0 && run.procs > 1
}

// Pin changes how often the running caller is locked to its thread.
func Pin(change int) { run.current.pins += change }

// Slot returns the running caller's slot, 0 if none runs.
func Slot() uintptr {
	if !On() {
		return 0
	}
	return run.current.slot
}

// SetSlot sets the slot of c.
func (c *Caller) SetSlot(slot uintptr) { c.slot = slot }

// Procs returns the number of processors.
func Procs() int { return run.procs }

// Rarely reports whether what happens rarely, by chance, happens here.
func Rarely() bool {
	r := run
	if !r.rare {
		return false
	}
	r.options = append(r.options[:0], Option{r.current, 0}, Option{r.current, 1})
	return r.chooser.Choose(r.options) == 1
}

// Send sends to a channel with room.
func Send(c chan<- struct{}) {
	Step("sends", nil)
	c <- struct{}{}
}

// Receive receives from c, and returns 0, or from done, and returns 1. It
// sleeps until it can.
func Receive(c, done <-chan struct{}) int {
	if !On() {
		select {
		case <-c:
			return 0
		case <-done:
			return 1
		}
	}
	Await("receives", func() bool { return len(c) > 0 || isClosed(done) })
	if len(c) > 0 && (!isClosed(done) || run.either()) {
		<-c
		return 0
	}
	return 1
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// either is a choice between two that both may happen.
func (r *Run) either() bool {
	r.options = append(r.options[:0], Option{r.current, 0}, Option{r.current, 0})
	return r.chooser.Choose(r.options) == 0
}

// Order returns a number for p that orders pointers as they come.
func Order(p unsafe.Pointer) uintptr {
	if !On() {
		return uintptr(p)
	}
	if i := slices.Index(run.order, p); i >= 0 {
		return uintptr(i)
	}
	run.order = append(run.order, p)
	return uintptr(len(run.order) - 1)
}
