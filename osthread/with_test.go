package osthread

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWithGivesBackHoweverTheFunctionEnds(t *testing.T) {
	var l Lock
	var r RLock
	var rw RWLock
	s := NewSemaphore(3)
	ends := func(with func(f func()), held func() bool) {
		called := false
		with(func() { called = true; assert.True(t, held()) })
		assert.True(t, called)
		assert.False(t, held())
		assert.Equal(t, errWhy, panicOf(func() { with(func() { panic(errWhy) }) }))
		assert.False(t, held())
		th, err := Go(func() error { with(runtime.Goexit); return nil })
		assert.NoError(t, err)
		assert.Equal(t, ErrGoexit, th.Join())
		assert.False(t, held())
	}
	for l, held := range map[sync.Locker]func() bool{
		&l: l.Locked, &r: r.Locked, &rw: rw.Locked, rw.RLocker(): rw.Locked,
	} {
		ends(func(f func()) { With(l, f) }, held)
	}
	ends(func(f func()) { s.With(2, f) }, func() bool { return s.Value() == 1 })
	assert.ErrorIs(t, panicOf(func() { s.With(0, func() {}) }), ErrCount)
}

func TestStartWithAttributes(t *testing.T) {
	var name string
	th, err := Start(func() error { name = Current().Name(); return errWhy }, &Attr{Name: "worker"})
	assert.NoError(t, err)
	assert.Equal(t, errWhy, th.Join())
	assert.Equal(t, "worker", name)
	th, err = Start(nil, &Attr{StackSize: -1})
	assert.Error(t, err)
	assert.Equal(t, ErrNotStarted, th.Join(), "it may be started later")
}

func TestPanicHookCanBeSavedAndPutBack(t *testing.T) {
	assert.Nil(t, PanicHook())
	var got []string
	say := func(s string) func(*Thread, *PanicError) { return func(*Thread, *PanicError) { got = append(got, s) } }
	SetPanicHook(say("outer"))
	outer := PanicHook()
	SetPanicHook(func(th *Thread, e *PanicError) { say("inner")(th, e); outer(th, e) })
	ReportPanic(&PanicError{})
	SetPanicHook(outer)
	ReportPanic(&PanicError{})
	SetPanicHook(nil)
	assert.Nil(t, PanicHook())
	assert.Equal(t, []string{"inner", "outer", "outer"}, got)
}

func TestThreadNameIsTheBareNameOfItsFunction(t *testing.T) {
	for name, want := range map[string]string{
		"main.task":                               "task",
		"main.main.func1":                         "main",
		"main.(*crawler).worker-fm":               "worker",
		"main.crawler.worker-fm":                  "worker",
		"example.com/a/b.(*T).Run":                "Run",
		"example.com/a/b.(*T[...]).Run.func1":     "Run",
		"example.com/a/b.f[...]":                  "f",
		"example.com/a/b.f[...].func2":            "f",
		"main.glob..func1":                        "",
		"main.main.func1.2":                       "main",
		"main.serve.gowrap1":                      "serve",
		"main.serve-range1":                       "serve",
		"main.(*T).Run.func2-range1":              "Run",
		"main.(*T).Run.func2.Once.func3":          "Once",
		"gopkg.in/x%2ev2.f":                       "f",
		"main.runner":                             "runner",
		"main.runner[map[string]example.com/a.T]": "runner",
		"main.func1s":                             "func1s",
		"main.function":                           "function",
		"int":                                     "int",
		"":                                        "",
		"(":                                       "(",
		"][":                                      "][",
	} {
		assert.Equal(t, want, bareName(name), name)
	}
}
