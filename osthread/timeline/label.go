package timeline

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"strings"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
)

// A label is the text of an object. It is made at the first wait for the object
// and found by the object's type and address. The object itself is not kept, so
// another one of the type may come to be at the address, and has the label.

// A label is shared by the records of its object.
type label struct {
	text string
	last atomic.Int64 // of a counter's, +1; 0: none yet
}

// A labelKey identifies an object: the words of its interface value. The first
// is a type, which is never collected. Of a slice the second is a hash of what
// is in it, since its address is another for each call.
type labelKey struct{ typ, data uintptr }

const (
	mostLabels = 65_536 // in all shards; see the package comment
	mostText   = 200    // bytes
	mostListed = 4      // elements of a slice in its text
	mostHashed = 16
)

func keyOf(obj any) labelKey {
	words := *(*[2]uintptr)(unsafe.Pointer(&obj))
	switch o := obj.(type) {
	case string:
		return labelKey{words[0], uintptr(maphash.String(seed, o))}
	case []osthread.Waitable:
		h := uintptr(len(o))
		for _, w := range o[:min(len(o), mostHashed)] {
			h = mix(h, keyOf(w))
		}
		return labelKey{words[0], h}
	}
	if v := reflect.ValueOf(obj); v.Kind() == reflect.Slice { // of futures
		h := uintptr(v.Len())
		for i := range min(v.Len(), mostHashed) {
			h = mix(h, keyOf(v.Index(i).Interface()))
		}
		return labelKey{words[0], h}
	}
	return labelKey{words[0], words[1]}
}

var seed = maphash.MakeSeed()

// mix adds k to the hash h, by the constant of FNV-1a.
func mix(h uintptr, k labelKey) uintptr {
	const prime = 16777619
	return (h*prime ^ k.data) * prime
}

// newLabel makes the text of obj. It may lock guards of the library.
func newLabel(obj any) *label { return &label{text: cut(textOf(obj))} }

func textOf(obj any) string {
	if t, ok := obj.(*osthread.Thread); ok {
		return "Thread(" + t.Name() + ")"
	}
	v := reflect.ValueOf(obj)
	if v.Kind() == reflect.Slice {
		return listOf(v)
	}
	return named(stateless(obj, v), obj)
}

// listOf returns the texts of the first elements of v, and how many there are.
func listOf(v reflect.Value) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d objects: ", v.Len())
	for i := range min(v.Len(), mostListed) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(textOf(v.Index(i).Interface()))
	}
	if v.Len() > mostListed {
		b.WriteString(", ...")
	}
	return b.String()
}

// stateless returns the String of obj, whose value is v, without the state,
// which is behind the first comma: KIND(ADDRESS or NAME). An object whose
// String is nothing but its state has its type and address.
func stateless(obj any, v reflect.Value) string {
	text := fmt.Sprint(obj)
	before, _, more := strings.Cut(text, ", ")
	switch {
	case more:
		return before + ")"
	case v.Kind() == reflect.Pointer:
		kind, _, _ := strings.Cut(v.Type().Elem().Name(), "[")
		return fmt.Sprintf("%s(%p)", kind, obj)
	default:
		return text
	}
}

// named puts the name that obj has in watch mode before text.
func named(text string, obj any) string {
	if watch.On {
		if name := watch.NameOf(obj); name != "" {
			return fmt.Sprintf("%q %s", name, text)
		}
	}
	return text
}

// cut shortens text to mostText bytes. Half a character at the end becomes the
// replacement character in the file.
func cut(text string) string {
	if len(text) <= mostText {
		return text
	}
	return strings.Clone(text[:mostText]) + "..."
}
