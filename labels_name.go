//go:build !portablepark && !go1.28

package thread

import (
	"slices"
	"strings"
	"unsafe"
)

// What runtime/pprof's labels are in Go 1.26 and 1.27 (labelMap, in label.go
// there): a list that is sorted by key and not written to any more.
type (
	profLabel    struct{ key, value string }
	profLabelSet struct{ list []profLabel }
)

// withThread returns labels with thread=name added, for a name that is not "".
func withThread(labels unsafe.Pointer, name string) unsafe.Pointer {
	if name == "" {
		return labels
	}
	const key = "thread"
	var old []profLabel
	if labels != nil {
		old = (*profLabelSet)(labels).list
	}
	i, found := slices.BinarySearchFunc(
		old,
		key,
		func(l profLabel, key string) int { return strings.Compare(l.key, key) },
	)
	list := make([]profLabel, 0, len(old)+1)
	list = append(append(list, old[:i]...), profLabel{key, name})
	if found {
		i++
	}
	return unsafe.Pointer(&profLabelSet{append(list, old[i:]...)})
}
