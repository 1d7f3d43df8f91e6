package threadtest

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

func TestKeyHasAValueAThread(t *testing.T) {
	var k thread.Key[string]
	assert.Equal(t, thread.ErrNotAttached, k.Set("x"))
	_, ok := k.Get()
	assert.False(t, ok)
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{}), func() {
			_, ok := k.Get()
			assert.False(t, ok)
			assert.NoError(t, k.Set("outer"))
			run(t, attr(thread.Attr{}), func() {
				_, ok := k.Get()
				assert.False(t, ok)
				assert.NoError(t, k.Set("inner"))
			})
			v, ok := k.Get()
			assert.True(t, ok)
			assert.Equal(t, "outer", v)
			assert.NoError(t, k.Set("again"))
			v, _ = k.Get()
			assert.Equal(t, "again", v)
			k.Clear()
			_, ok = k.Get()
			assert.False(t, ok)
		})
	})
}

func TestKeyDestructorRunsOnItsThread(t *testing.T) {
	for name, end := range map[string]func(){
		"return": func() {}, "Exit": thread.Exit, "Goexit": runtime.Goexit, "panic": func() { panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
				var th *thread.Thread
				destroyed := map[string]*thread.Thread{}
				k := thread.Key[string]{Destructor: func(v string) { destroyed[v] = thread.Current() }}
				cleared := thread.Key[string]{Destructor: func(v string) { t.Error("a cleared value was destroyed") }}
				var none thread.Key[int]
				ready := make(chan struct{})
				th, err := thread.Start(func() {
					<-ready
					assert.NoError(t, k.Set("replaced"))
					assert.NoError(t, k.Set("a"))
					assert.NoError(t, cleared.Set("b"))
					assert.NoError(t, none.Set(1))
					cleared.Clear()
					end()
				}, attr(thread.Attr{}))
				require.NoError(t, err)
				close(ready)
				_ = th.Join() // the ways to end are another test's
				assert.Equal(t, map[string]*thread.Thread{"a": th}, destroyed)
			})
		})
	}
}

// POSIX (pthread_exit): "After all cancellation cleanup handlers have been
// executed, if the thread has any thread-specific data, appropriate destructor
// functions shall be called".
func TestKeyDestructorsRunAfterDeferredCalls(t *testing.T) {
	for name, end := range map[string]func(){
		"return": func() {}, "Exit": thread.Exit, "Goexit": runtime.Goexit, "panic": func() { panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
				var calls []string
				k := thread.Key[string]{Destructor: func(v string) { calls = append(calls, v) }}
				th, err := thread.Start(func() {
					defer func() { calls = append(calls, "first deferred") }()
					defer func() { calls = append(calls, "last deferred") }()
					assert.NoError(t, k.Set("destructor"))
					end()
				}, attr(thread.Attr{}))
				require.NoError(t, err)
				_ = th.Join() // the ways to end are another test's
				assert.Equal(t, []string{"last deferred", "first deferred", "destructor"}, calls)
			})
		})
	}
}

func TestKeyDestructorsGetFourRounds(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		var calls []int
		var k thread.Key[int]
		k.Destructor = func(v int) {
			calls = append(calls, v)
			assert.NoError(t, k.Set(v+1))
		}
		run(t, attr(thread.Attr{}), func() { assert.NoError(t, k.Set(1)) })
		assert.Equal(t, []int{1, 2, 3, 4}, calls)
	})
}

// As with pthread keys: see pthread_key_create in POSIX.
func TestKeyDestructorFindsValuesNotYetDestroyed(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		var calls []string
		keys := make([]thread.Key[string], 3)
		state := func() string {
			s := ""
			for i := range keys {
				v, ok := keys[i].Get()
				s += fmt.Sprintf(" %s/%v", v, ok)
			}
			return s
		}
		keys[0].Destructor = func(v string) {
			calls = append(calls, v+":"+state())
			if v == "a" {
				assert.NoError(t, keys[0].Set("a2")) // its own: a next round
				assert.NoError(t, keys[1].Set("b2")) // to come: instead of b
				keys[2].Clear()                      // to come: never
			}
		}
		keys[1].Destructor = func(v string) { calls = append(calls, v+":"+state()) }
		keys[2].Destructor = keys[1].Destructor
		run(t, attr(thread.Attr{}), func() {
			for i, v := range []string{"a", "b", "c"} {
				assert.NoError(t, keys[i].Set(v))
			}
		})
		assert.Equal(t, []string{
			"a: /false b/true c/true",
			"b2: a2/true /false /false",
			"a2: /false /false /false",
		}, calls)
	})
}

func TestKeyDestructorDoesNotSkipOthers(t *testing.T) {
	quiet(t)
	for name, end := range map[string]func(){"panic": func() { panic("first") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
				calls := 0
				keys := make([]thread.Key[int], 5)
				for i := range keys {
					keys[i].Destructor = func(int) {
						calls++
						end()
					}
				}
				th, err := thread.Start(func() {
					for i := range keys {
						assert.NoError(t, keys[i].Set(i))
					}
				}, attr(thread.Attr{}))
				require.NoError(t, err)
				if err := th.Join(); name == "panic" {
					var e *thread.PanicError
					assert.ErrorAs(t, err, &e)
				}
				assert.Equal(t, len(keys), calls)
			})
		})
	}
}

func TestAttach(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.Equal(t, thread.ErrNotAttached, thread.Detach())
		outer, err := thread.Attach()
		if !assert.NoError(t, err) {
			return
		}
		destroyed := 0
		k := thread.Key[int]{Destructor: func(int) { destroyed++ }}
		assert.NoError(t, k.Set(1))
		inner, err := thread.Attach()
		assert.NoError(t, err)
		assert.Same(t, outer, inner)
		for range 10 {
			runtime.Gosched()
			assert.Same(t, outer, thread.Current())
		}
		assert.Equal(t, thread.ErrNotJoinable, outer.Join())
		assert.Equal(t, thread.ErrNotJoinable, outer.Detach())
		assert.NoError(t, thread.Detach())
		assert.Zero(t, destroyed)
		assert.NoError(t, thread.Detach())
		assert.Equal(t, 1, destroyed)
		assert.False(t, outer.Alive())
		assert.Nil(t, thread.Current())
		assert.Equal(t, thread.ErrEnded, outer.SetName("x"))
	}()
	<-done
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{}), func() {
			self := thread.Current()
			th, err := thread.Attach()
			assert.NoError(t, err)
			assert.Same(t, self, th)
			assert.NoError(t, thread.Detach())
			assert.Equal(t, thread.ErrNotAttached, thread.Detach())
			assert.True(t, th.Alive())
		})
	})
}

func TestKeyNewMakesAThreadsFirstValue(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		var made, destroyed []int
		k := thread.Key[int]{Destructor: func(v int) { destroyed = append(destroyed, v) }}
		k.New = func() int {
			made = append(made, len(made)+1)
			return len(made)
		}
		for n := 1; n <= 2; n++ {
			th, err := thread.Start(func() {
				for range 2 {
					v, ok := k.Get()
					assert.True(t, ok)
					assert.Equal(t, n, v)
				}
			}, attr(thread.Attr{}))
			require.NoError(t, err)
			require.NoError(t, th.Join())
		}
		assert.Equal(t, []int{1, 2}, made)
		assert.Equal(t, made, destroyed)
		k.New = func() int { panic("New") }
		th, err := thread.Start(func() {
			assert.Panics(t, func() { _, _ = k.Get() })
			assert.NoError(t, k.Set(3))
			v, _ := k.Get()
			assert.Equal(t, 3, v)
		}, attr(thread.Attr{}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
		done := make(chan struct{})
		go func() { // no thread of its own: New is not for it
			defer close(done)
			_, ok := k.Get()
			assert.False(t, ok)
		}()
		<-done
	})
}
