package osthread

import (
	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/trace"
	"example.com/thread/osthread/internal/protect"
)

// Start starts t, once, and returns when the system has made the thread; Ident,
// NativeID and SetName wait until it runs. It returns ErrStarted if t was
// started before, ErrShutdown after Shutdown, and else what thread.Start
// returns. After an error other than ErrStarted t may be started later.
func (t *Thread) Start() error {
	t.mu.Lock()
	if t.state != initial {
		t.mu.Unlock()
		return ErrStarted
	}
	t.state = starting
	t.attr.Name = t.name
	t.mu.Unlock()

	if err := registry.add(t); err != nil {
		t.setState(initial)
		return err
	}
	th, err := thread.Start(t.main, &t.attr)
	if err != nil {
		registry.remove(t)
		t.setState(initial)
		return err
	}
	t.began(th)
	return nil
}

func (t *Thread) setState(s state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = s
}

// began is called by the thread itself and by Start, whichever comes first.
func (t *Thread) began(th *thread.Thread) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.osThread == nil {
		t.osThread, t.state = th, running
	}
}

// main is the body of the thread below.
func (t *Thread) main() {
	_ = self.Set(t) // fails only where there is no thread
	th := thread.Current()
	keep.Joinable(th) // before any other code can detach it
	t.began(th)
	t.beginWaits()
	t.takeHooks()
	run := t.run
	t.run = nil     // what it refers to must not outlive it
	if run == nil { // of the zero Thread
		run = func() error { return nil }
	}
	var err error
	defer func() { t.finish(err) }()
	t.runReported(run, &err)
}

// runReported calls run and reports to t's trace functions. *end is set before
// any of those is called, since it may call runtime.Goexit.
func (t *Thread) runReported(run func() error, end *error) {
	protect.Call(
		func() error {
			t.emit(TraceEvent{Action: TraceStart})
			return trace.Thread(run)
		},
		func(err error, returned bool) {
			*end = err
			if p, ok := err.(*PanicError); ok && !returned {
				defer t.report(p)
				t.emit(TraceEvent{Action: TracePanic})
			}
		},
	)
}

// finish ends t, once. It is called on t's thread, or on another one if t's
// thread has already ended.
func (t *Thread) finish(err error) {
	defer t.end(err)                        // even if a hook calls runtime.Goexit
	if t.origin != dummy && !t.hasEnded() { // finish of a dummy may run on another thread
		t.emit(TraceEvent{Action: TraceEnd})
	}
}

func (t *Thread) end(err error) {
	t.mu.Lock()
	if t.state == ended {
		t.mu.Unlock()
		return
	}
	t.state, t.err = ended, err
	atEnd, ctx := t.atEnd, t.ctx
	t.atEnd = nil
	t.endWaits()
	t.mu.Unlock()
	if ctx != nil {
		ctx.cancel(ErrEnded)
	}
	defer func() {
		t.dropHooks()
		registry.remove(t)
		t.done.Set()
	}()
	runEndings(atEnd)
}

// endIfGone ends t if C code has ended its thread under its function. Nothing
// of t's ran then, so the endings run on the caller's thread.
func (t *Thread) endIfGone() {
	if th, err := t.OSThread(); err == nil && keep.IsGone(th) {
		t.end(ErrPthreadExit)
	}
}

// runEndings runs all endings, even if one calls runtime.Goexit.
func runEndings(all []ending) {
	for i, e := range all {
		protect.OnGoexit(func() { runEndings(all[i+1:]) }, e.run)
	}
}
