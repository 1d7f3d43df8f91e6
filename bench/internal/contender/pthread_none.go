//go:build !cgo || windows

package contender

var pthread = Contender{Name: "pthread, C", Absent: "this build has no C"}
