package osthread

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ident"
)

// Each question is a system call, made with the registry locked.
func TestRegistryAsksForEachDummyTwiceAtMost(t *testing.T) {
	for _, n := range []int{1_000, 10_000} {
		for _, goThreads := range []bool{false, true} {
			t.Run(fmt.Sprintf("n=%d/go=%t", n, goThreads), func(t *testing.T) {
				r, asked := newRegistry(), 0
				r.exists = func(int) bool { asked++; return true }
				for i := range n {
					d := &Thread{origin: dummy, state: running, native: i + 1}
					slot := uintptr(ident.None)
					if goThreads {
						slot = ident.Make(uint64(i+1), 0)
					}
					r.addDummy(d, slot)
				}
				assert.LessOrEqual(t, asked, 2*n)
				assert.Len(t, r.snapshot(), n)
			})
		}
	}
}

func TestRegistryDropsDummiesOfEndedThreads(t *testing.T) {
	r := newRegistry()
	r.exists = func(native int) bool { return native < 10 }
	for i := range 10_000 {
		d := &Thread{origin: dummy, state: running, native: i + 1}
		r.addDummy(d, ident.Make(uint64(i+1), 0))
		assert.LessOrEqual(t, len(r.alive), 2*leastSwept)
		assert.Len(t, r.slots, len(r.alive))
		assert.Len(t, r.natives, len(r.alive))
	}
	assert.Len(t, r.snapshot(), 9)
}

func TestRegistryReplacesADummyWhoseIDIsReused(t *testing.T) {
	r := newRegistry()
	r.exists = func(int) bool { return true }
	for i := range 10 {
		d := &Thread{origin: dummy, state: running, native: 7}
		r.addDummy(d, ident.Make(uint64(i+1), 0))
		assert.Equal(t, []*Thread{d}, r.snapshot())
	}
}
