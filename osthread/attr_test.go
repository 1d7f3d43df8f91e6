package osthread

import (
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// referring returns an Attr all of whose slices and pointers have something.
func referring(t *testing.T) *Attr {
	a := &Attr{
		Affinity: []int{0}, SignalMask: []os.Signal{os.Interrupt},
		Memory: &thread.MemoryPolicy{Mode: thread.MemoryBind, Nodes: []int{0}},
	}
	v := reflect.ValueOf(a).Elem()
	for i := range v.NumField() {
		if k := v.Field(i).Kind(); k == reflect.Slice || k == reflect.Pointer {
			require.False(t, v.Field(i).IsNil(), v.Type().Field(i).Name)
		}
	}
	return a
}

func change(a *Attr) {
	a.Affinity[0], a.SignalMask[0], a.Memory.Mode, a.Memory.Nodes[0] = 1, os.Kill, thread.MemoryPreferred, 1
}

func TestAttrCloneSharesNothing(t *testing.T) {
	assert.Nil(t, (*Attr)(nil).Clone())
	a := referring(t)
	b := a.Clone()
	assert.Equal(t, a, b)
	change(a)
	assert.Equal(t, referring(t), b)
}

// What the caller does with its Attr after New, or NewGroup, does not matter.
func TestNewCopiesTheAttr(t *testing.T) {
	a := referring(t)
	th := New(func() error { return nil }, a)
	want := referring(t).lower()
	assert.Equal(t, want, th.attr)
	g, err := NewGroup(t.Context(), GroupOptions{Attr: a})
	if err == nil { // they can be had here
		defer func() { assert.NoError(t, g.Wait()) }()
		assert.Equal(t, *referring(t), g.attr)
	}
	change(a)
	assert.Equal(t, want, th.attr)
	if err == nil {
		assert.Equal(t, *referring(t), g.attr)
	}
}

// lower leaves out only what package thread does not have.
func TestAttrLowerHasAllThatThreadHas(t *testing.T) {
	low := reflect.TypeFor[thread.Attr]()
	high := reflect.TypeFor[Attr]()
	for i := range high.NumField() {
		f := high.Field(i)
		if _, ok := low.FieldByName(f.Name); !ok || f.Name == "Name" {
			continue
		}
		a := new(Attr)
		switch v := reflect.ValueOf(a).Elem().Field(i); v.Kind() {
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(f.Type, 1, 1))
		case reflect.Pointer:
			v.Set(reflect.New(f.Type.Elem()))
		case reflect.Struct:
			v.Field(0).SetInt(1)
		default:
			v.SetInt(1)
		}
		got := reflect.ValueOf(a.lower()).FieldByName(f.Name)
		assert.False(t, got.IsZero(), f.Name)
	}
}
