package osthread

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/internal/park"
)

// A Group's threads are running, and over when their function has ended: on the
// thread itself, or in Join if C code has ended it (onEnd). They leave the map
// when they have been joined. Those that are over are joined by the next start,
// so that a Group that lives for long keeps no ended threads; it takes no
// longer than the rest of their end. Wait joins all, those that run as well.
// The lock is held until a thread has started, so there is none in between.
//
// A place is taken from before the start of a thread to the end of its
// function. A caller that finds none clears freed, under the lock, and waits
// for it; an end gives the place back, under the lock, and sets it after. So it
// is set while there is a place that was given back since the last caller
// cleared it. It is an Event of threads: the sleep in a bubble of
// testing/synctest is not durable, as that of Join.

// A Group is a number of threads that belong together (Python: TaskGroup; Java:
// StructuredTaskScope; C++: jthread). The first that fails cancels the context
// of the others, and Wait joins them all. With [Scope] no thread outlives the
// function that it was started in.
//
// A Group comes from NewGroup. All methods may be called from any goroutine.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	attr   Attr
	limit  int // 0: none
	freed  Event

	mu      sync.Mutex
	taken   int                  // places
	threads map[*Thread]struct{} // that have not been joined
	over    []*Thread            // of those, for the next start
	started int
	err     error // the first
	waited  bool
}

// GroupOptions are the options of a Group. The zero value stands for the
// defaults.
type GroupOptions struct {
	// Attr holds the attributes of each thread; nil stands for the defaults.
	// Its Name is a prefix: the threads are PREFIX_0, PREFIX_1 and so on; "" is
	// the default name of a thread.
	Attr *Attr
	// Limit is the number of functions at a time; 0 stands for any number. A
	// thread whose function has ended does not count.
	Limit int
}

// NewGroup returns a Group whose context is ctx's child. It returns the error
// of Attr.Check, or one that is ErrCount for a negative Limit. The caller must
// call Wait: until then the Group occupies memory of ctx.
func NewGroup(ctx context.Context, o GroupOptions) (*Group, error) {
	if o.Limit < 0 {
		return nil, fmt.Errorf("osthread: a group of %d threads at a time: %w", o.Limit, ErrCount)
	}
	if err := o.Attr.Check(); err != nil {
		return nil, err
	}
	g := &Group{limit: o.Limit, freed: Event{byThread: true}, threads: map[*Thread]struct{}{}}
	if o.Attr != nil {
		g.attr = *o.Attr.Clone()
	}
	own := newContext(ctx)
	g.ctx, g.cancel = own.Context, own.cancel
	return g, nil
}

// Context returns the context that the functions get. It is done when a thread
// has failed, by Cancel, when Wait returns, and with the context of NewGroup.
func (g *Group) Context() context.Context { return g.ctx }

// Cancel cancels the context with that cause, nil for context.Canceled. Wait
// then returns it, unless a thread has failed before. The threads end as soon
// as their functions notice.
func (g *Group) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	g.fail(cause)
}

// Go starts f on a thread of its own, waiting until there are fewer than Limit.
// f's context is the Group's. A thread fails, and cancels the context, if f
// returns an error, panics, which is reported as for any thread, or does not
// return; the error is that of Thread.Join.
//
// Go returns the context's cause if that is done, which is no failure, and an
// error that is ErrShutdown after Wait; f does not run then. If no thread can
// be started it returns what Thread.Start returns, and the Group has failed
// with that. A function of the Group may call Go, even while Wait waits; with a
// Limit it may so wait for itself.
func (g *Group) Go(f func(ctx context.Context) error) (*Thread, error) {
	return g.goAs(functionName(f), f)
}

// goAs is Go for a function that is called what.
func (g *Group) goAs(what string, f func(ctx context.Context) error) (*Thread, error) {
	if err := g.awaitPlace(); err != nil {
		return nil, err
	}
	// A thread that fails cancels before it gives its place back.
	err := context.Cause(g.ctx)
	var t *Thread
	if err == nil {
		t, err = g.start(what, f)
	}
	if err != nil {
		g.givePlace()
	}
	return t, err
}

// groupCheck is how often Go, while it waits, checks for threads that C code
// has ended, which leaves their places occupied.
const groupCheck = 250 * time.Millisecond

// awaitPlace takes a place, waiting until there is one.
func (g *Group) awaitPlace() error {
	for !g.takePlace() {
		l, err := park.Until(g.ctx)
		if err != nil {
			return err
		}
		if check := l.AtMost(groupCheck); g.freed.wait(g, &check) {
			continue
		}
		if l.Asked() {
			return l.Err(nil)
		}
		for _, t := range g.all() {
			t.endIfGone()
		}
	}
	return nil
}

func (g *Group) takePlace() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit > 0 && g.taken == g.limit {
		g.freed.Clear()
		return false
	}
	g.taken++
	return true
}

func (g *Group) givePlace() {
	g.mu.Lock()
	g.taken--
	g.mu.Unlock()
	g.freed.Set()
}

// all returns the threads that have not been joined.
func (g *Group) all() []*Thread {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.threads))
}

func (g *Group) start(what string, f func(ctx context.Context) error) (*Thread, error) {
	g.mu.Lock()
	if g.waited {
		g.mu.Unlock()
		return nil, fmt.Errorf("osthread: group after Wait: %w", ErrShutdown)
	}
	attr := g.attr
	if attr.Name != "" {
		attr.Name = fmt.Sprintf("%s_%d", attr.Name, g.started)
	}
	t := newThread(func() error { return f(g.ctx) }, what, &attr)
	t.onEnd(ending{run: func() { g.end(t) }, void: func() bool { return false }})
	err := t.Start()
	if err == nil {
		g.started++
		g.threads[t] = struct{}{}
	}
	over := g.over
	g.over = nil
	if i := slices.IndexFunc(over, isUnder); i >= 0 { // a destructor calls
		g.over = []*Thread{over[i]}
		over = slices.Delete(over, i, i+1)
	}
	g.mu.Unlock()
	for _, t := range over {
		g.join(t)
	}
	if err != nil {
		g.fail(err)
		return nil, err
	}
	return t, nil
}

// end is called when the function of t has ended.
func (g *Group) end(t *Thread) {
	if err := t.result(); err != nil {
		g.fail(err)
	}
	g.mu.Lock()
	g.over = append(g.over, t)
	g.mu.Unlock()
	g.givePlace()
}

// isUnder reports whether the caller runs on t, which may have ended but for
// its destructors.
func isUnder(t *Thread) bool {
	th, err := t.OSThread()
	return err == nil && th == thread.Current()
}

func (g *Group) join(t *Thread) {
	_ = t.join(park.Forever()) // end gets its result; a request to the caller ends no Wait
	g.mu.Lock()
	delete(g.threads, t)
	g.mu.Unlock()
}

// fail makes err the Group's error if it is the first.
func (g *Group) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
	g.cancel(err)
}

// Wait waits until all threads have ended and are gone, and returns the error
// of the first that failed, if one did. It waits even if the context is done: a
// thread cannot be killed. On a thread of the Group, also in a destructor at
// its end, it returns ErrDeadlock.
//
// What the threads did synchronizes before the return from Wait.
func (g *Group) Wait() error {
	if slices.ContainsFunc(g.all(), isUnder) {
		return ErrDeadlock
	}
	for t := g.next(); t != nil; t = g.next() {
		g.join(t)
	}
	g.cancel(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// next returns a thread to join, nil if there is none: then none starts any
// more.
func (g *Group) next() *Thread {
	g.mu.Lock()
	defer g.mu.Unlock()
	for t := range g.threads {
		return t
	}
	g.waited = true
	return nil
}

// Scope calls f with a new Group, and returns Wait's result when f has returned
// and all threads of the Group are gone. An error of f counts as a failure. If
// f panics or calls runtime.Goexit, that goes on once the threads, whose
// context is done then, are gone. (Rust: thread::scope.)
func Scope(ctx context.Context, o GroupOptions, f func(g *Group) error) error {
	g, err := NewGroup(ctx, o)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned {
			g.Cancel(thread.ErrGoexit)
			_ = g.Wait() // what ended f is more important
		}
	}()
	if err := f(g); err != nil {
		g.fail(err)
	}
	returned = true
	return g.Wait()
}

// Gather runs each function on a thread of a Group, and returns their results
// in the order of the functions when all threads are gone, and the first error.
// What has failed or was not started has the zero result.
func Gather[T any](ctx context.Context, o GroupOptions, fs ...func(ctx context.Context) (T, error)) ([]T, error) {
	results := make([]T, len(fs))
	err := Scope(ctx, o, func(g *Group) error {
		for i, f := range fs {
			_, err := g.goAs(functionName(f), func(ctx context.Context) error {
				result, err := f(ctx)
				if err == nil {
					results[i] = result
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return results, err
}
