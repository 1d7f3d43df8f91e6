package trace

import (
	"context"
	"reflect"
	rtrace "runtime/trace"
)

// In an execution trace a wait is a region whose type is "wait for" and what is
// waited for. A task of a pool and a call of a Worker are tasks, whose function
// runs in a region "run". The trace's format has no names of goroutines and
// threads, and readers show a native thread under its first Go function. So
// each of these regions is in another, whose type is "thread" and the name of
// the thread, and so is the thread's function.
//
// A trace may begin or end within a region. Its readers ignore the end of one
// that began before.

// A region is a region in one with the thread's name, either of which may be
// missing.
type region struct{ thread, inner *rtrace.Region }

var noTask = context.Background()

func begin(ctx context.Context, kind string) (r region) {
	r.thread = beginThread()
	r.inner = rtrace.StartRegion(ctx, kind)
	return r
}

func (r region) end() {
	if r.inner != nil {
		r.inner.End()
	}
	if r.thread != nil {
		r.thread.End()
	}
}

// beginThread begins the region with the name of the calling thread. It returns
// nil if the thread has none.
func beginThread() *rtrace.Region {
	if hooks.Name == nil {
		return nil
	}
	name := hooks.Name()
	if name == "" {
		return nil
	}
	return rtrace.StartRegion(noTask, "thread "+name)
}

// Thread calls f, the function of the calling thread, in a region with the
// thread's name, if an execution trace runs.
func Thread(f func() error) error {
	if rtrace.IsEnabled() {
		defer region{thread: beginThread()}.end()
	}
	return f()
}

// TypeOf returns the type of an object of trace events as users know it:
// osthread.Lock for a *Lock. A string stands for itself.
func TypeOf(obj any) string {
	if s, ok := obj.(string); ok {
		return s
	}
	t := reflect.TypeOf(obj)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.String()
}

// A Task is a task of an execution trace. Nil stands for none: its methods do
// nothing beside.
type Task struct {
	ctx  context.Context
	task *rtrace.Task
}

// NewTask begins a task of the kind if an execution trace runs, and otherwise
// returns nil.
func NewTask(kind string) *Task {
	if !rtrace.IsEnabled() {
		return nil
	}
	ctx, task := rtrace.NewTask(noTask, kind)
	return &Task{ctx, task}
}

// Run calls f in a region of t.
func (t *Task) Run(f func()) {
	if t != nil {
		defer begin(t.ctx, "run").end()
	}
	f()
}

// End ends t.
func (t *Task) End() {
	if t != nil {
		t.task.End()
	}
}
