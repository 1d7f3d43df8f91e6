package osthread

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
)

func TestLocalValuesArePerThread(t *testing.T) {
	made := 0
	l := Local[[]string]{New: func() []string { made++; return []string{"new"} }}
	th := start(t, func() error {
		assert.False(t, l.Has())
		assert.Equal(t, []string{"new"}, l.Get())
		l.Set(nil)
		assert.True(t, l.Has())
		assert.Nil(t, l.Get())
		l.Delete()
		assert.Equal(t, []string{"new"}, l.Get())
		for th, v := range l.All() {
			assert.Same(t, Current(), th)
			assert.Equal(t, []string{"new"}, v)
		}
		other := start(t, func() error { assert.False(t, l.Has()); return nil })
		return other.Join()
	})
	require.NoError(t, th.Join())
	assert.Equal(t, 2, made)
	for range l.All() {
		t.Error("a value has outlived its thread")
	}
}

func TestLocalDestructor(t *testing.T) {
	out := leak.InChild(t, func() {
		var reported []any
		SetPanicHook(func(_ *Thread, e *PanicError) { reported = append(reported, e.Value) })
		var locals [4]Local[int]
		got := make(chan string, 10)
		for i := range locals {
			locals[i].Destructor = func(v int) {
				got <- fmt.Sprint(i, v, Current().Name())
				switch i {
				case 1:
					panic("destructor")
				case 2:
					runtime.Goexit()
				}
			}
		}
		th := New(func() error {
			for i := range locals {
				locals[i].Set(10 * i)
			}
			locals[0].Set(7)
			return errWhy
		}, &Attr{Name: "holder"})
		if err := th.Start(); err != nil {
			panic(err)
		}
		err := th.Join()
		close(got)
		var all []string
		for s := range got {
			all = append(all, s)
		}
		fmt.Println(err, all, reported, NumThread())
	})
	assert.Equal(t, errWhy.Error()+" [0 7holder 1 10holder 2 20holder 3 30holder] [destructor] 1\n", out)
}
