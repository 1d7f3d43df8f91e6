package watch

import (
	"bytes"
	"math"
	"runtime"
	"strconv"
	"unsafe"
)

// The number of a goroutine is in its g, at an offset that differs between
// versions of Go. It is found by comparing g's words with the number that
// runtime.Stack prints, in several goroutines. If not exactly one word is right
// in all of them the number is read from runtime.Stack each time.

const (
	gWords    = 32 // that are searched; a g has more
	gWitness  = 4  // goroutines that are asked
	wordBytes = 8
)

// goidOffset is the offset of the number in a g, 0 if it is not known.
var goidOffset uintptr

// setup finds goidOffset.
func setup() {
	Free = math.MaxUint64
	if !hasG || goidOffset != 0 {
		return
	}
	right := ^uint32(0) // by word
	for range gWitness {
		found := make(chan uint32)
		go func() { found <- wordsWithGoid() }()
		right &= <-found
	}
	for i := range uintptr(gWords) {
		if right == 1<<i {
			goidOffset = i * wordBytes
		}
	}
}

// wordsWithGoid returns which words of the calling goroutine's g hold its
// number; none if the first two are not the bounds of its stack.
func wordsWithGoid() (words uint32) {
	g, id, local := getg(), parseGoid(), 0
	bounds := (*[2]uintptr)(g)
	if at := uintptr(unsafe.Pointer(&local)); at < bounds[0] || at >= bounds[1] {
		return 0
	}
	for i, w := range (*[gWords]uint64)(g) {
		if w == id {
			words |= 1 << i
		}
	}
	return words
}

// goidOf returns the number of the goroutine whose g that is.
func goidOf(g unsafe.Pointer) uint64 { return *(*uint64)(unsafe.Add(g, goidOffset)) }

// parseGoid returns the calling goroutine's number from "goroutine N [...".
func parseGoid() uint64 {
	var text [40]byte
	b := bytes.TrimPrefix(text[:runtime.Stack(text[:], false)], []byte("goroutine "))
	b, _, _ = bytes.Cut(b, []byte(" "))
	id, _ := strconv.ParseUint(string(b), 10, 64)
	return id
}
