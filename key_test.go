package thread

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyHasAValueAThread(t *testing.T) {
	var k Key[string]
	assert.Equal(t, ErrNotAttached, k.Set("x"))
	_, ok := k.Get()
	assert.False(t, ok)
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			_, ok := k.Get()
			assert.False(t, ok)
			assert.NoError(t, k.Set("outer"))
			run(t, attr(Attr{}), func() {
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

func TestDestructorsRunOnTheirThread(t *testing.T) {
	for name, end := range map[string]func(){
		"return": func() {}, "Exit": Exit, "Goexit": runtime.Goexit, "panic": func() { panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				var th *Thread
				destroyed := map[string]*Thread{}
				k := Key[string]{Destructor: func(v string) { destroyed[v] = Current() }}
				cleared := Key[string]{Destructor: func(v string) { t.Error("a cleared value was destroyed") }}
				var none Key[int]
				ready := make(chan struct{})
				th, err := Start(func() {
					<-ready
					assert.NoError(t, k.Set("replaced"))
					assert.NoError(t, k.Set("a"))
					assert.NoError(t, cleared.Set("b"))
					assert.NoError(t, none.Set(1))
					cleared.Clear()
					end()
				}, attr(Attr{}))
				require.NoError(t, err)
				close(ready)
				_ = th.Join() // the ways to end are another test's
				assert.Equal(t, map[string]*Thread{"a": th}, destroyed)
			})
		})
	}
}

func TestDestructorsThatSetValuesGetFourRounds(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var calls []int
		var k Key[int]
		k.Destructor = func(v int) {
			calls = append(calls, v)
			assert.NoError(t, k.Set(v+1))
		}
		run(t, attr(Attr{}), func() { assert.NoError(t, k.Set(1)) })
		assert.Equal(t, []int{1, 2, 3, 4}, calls)
	})
}

// As with pthread keys: see pthread_key_create in POSIX.
func TestDestructorsFindTheValuesNotYetDestroyed(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var calls []string
		keys := make([]Key[string], 3)
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
		run(t, attr(Attr{}), func() {
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

func TestADestructorDoesNotKeepOthersFromRunning(t *testing.T) {
	quiet(t)
	for name, end := range map[string]func(){"panic": func() { panic("first") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				calls := 0
				keys := make([]Key[int], 5)
				for i := range keys {
					keys[i].Destructor = func(int) {
						calls++
						end()
					}
				}
				th, err := Start(func() {
					for i := range keys {
						assert.NoError(t, keys[i].Set(i))
					}
				}, attr(Attr{}))
				require.NoError(t, err)
				if err := th.Join(); name == "panic" {
					var e *PanicError
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
		assert.Equal(t, ErrNotAttached, Detach())
		outer, err := Attach()
		if !assert.NoError(t, err) {
			return
		}
		destroyed := 0
		k := Key[int]{Destructor: func(int) { destroyed++ }}
		assert.NoError(t, k.Set(1))
		inner, err := Attach()
		assert.NoError(t, err)
		assert.Same(t, outer, inner)
		for range 10 {
			runtime.Gosched()
			assert.Same(t, outer, Current())
		}
		assert.Equal(t, ErrNotJoinable, outer.Join())
		assert.Equal(t, ErrNotJoinable, outer.Detach())
		assert.NoError(t, Detach())
		assert.Zero(t, destroyed)
		assert.NoError(t, Detach())
		assert.Equal(t, 1, destroyed)
		assert.False(t, outer.Alive())
		assert.Nil(t, Current())
		assert.Equal(t, ErrEnded, outer.SetName("x"))
	}()
	<-done
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			self := Current()
			th, err := Attach()
			assert.NoError(t, err)
			assert.Same(t, self, th)
			assert.NoError(t, Detach())
			assert.Equal(t, ErrNotAttached, Detach())
			assert.True(t, th.Alive())
		})
	})
}

func TestKeyNewMakesAThreadsFirstValue(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var made, destroyed []int
		k := Key[int]{Destructor: func(v int) { destroyed = append(destroyed, v) }}
		k.New = func() int {
			made = append(made, len(made)+1)
			return len(made)
		}
		for n := 1; n <= 2; n++ {
			th, err := Start(func() {
				for range 2 {
					v, ok := k.Get()
					assert.True(t, ok)
					assert.Equal(t, n, v)
				}
			}, attr(Attr{}))
			require.NoError(t, err)
			require.NoError(t, th.Join())
		}
		assert.Equal(t, []int{1, 2}, made)
		assert.Equal(t, made, destroyed)
		k.New = func() int { panic("New") }
		th, err := Start(func() {
			assert.Panics(t, func() { _, _ = k.Get() })
			assert.NoError(t, k.Set(3))
			v, _ := k.Get()
			assert.Equal(t, 3, v)
		}, attr(Attr{}))
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
