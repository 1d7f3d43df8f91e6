//go:build !portablepark && !go1.28

package proflabel

import (
	"slices"
	"strings"
	"unsafe"
)

// The layout of runtime/pprof's labels in Go 1.26 and 1.27 (labelMap in
// label.go): a list that is sorted by key and never modified.
type (
	label    struct{ key, value string }
	labelSet struct{ list []label }
)

// WithThread returns labels with thread=name added, unless name is "".
func WithThread(labels unsafe.Pointer, name string) unsafe.Pointer {
	if name == "" {
		return labels
	}
	const key = "thread"
	var old []label
	if labels != nil {
		old = (*labelSet)(labels).list
	}
	i, found := slices.BinarySearchFunc(old, key, func(l label, key string) int { return strings.Compare(l.key, key) })
	list := make([]label, 0, len(old)+1)
	list = append(append(list, old[:i]...), label{key, name})
	if found {
		i++
	}
	return unsafe.Pointer(&labelSet{append(list, old[i:]...)})
}
