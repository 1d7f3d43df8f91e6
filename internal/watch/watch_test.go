package watch

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tests watch objects of their own, so watch mode need not be on.
func TestMain(m *testing.M) {
	setup()
	m.Run()
}

func stateOf(p *Party) State {
	for _, s := range States() {
		if s.Party == p {
			return s
		}
	}
	return State{}
}

func functions(pcs []uintptr) (names []string) {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		names = append(names, f.Function)
		if !more {
			return names
		}
	}
}

func TestGoidIsTheNumberThatRuntimeStackPrints(t *testing.T) {
	if hasG {
		require.NotZero(t, goidOffset, "not found: Go has another g")
	}
	for range 20 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			assert.Equal(t, parseGoid(), Here().Goid())
			assert.Same(t, Here(), Here())
		}()
		<-done
	}
}

func TestHoldHasTheStackOfItsAcquisition(t *testing.T) {
	object := new(int)
	inlined(object)
	h := stateOf(Here()).Holds[0]
	assert.Same(t, object, h.Object)
	names := strings.Join(functions(h.PCs), " ")
	assert.Regexp(t, `^\S+/watch\.inlined \S+/watch\.TestHoldHasTheStackOfItsAcquisition testing\.tRunner`, names)
	Released(object, Exclusive, 1)
	assert.Empty(t, stateOf(Here()).Holds)
}

func inlined(object any) { acquire(object) }

// acquire stands for a method of a primitive, whose own frame is left out.
//
//go:noinline
func acquire(object any) { Here().Acquired(object, Exclusive, 1) }

func TestPartyHoldsMoreThanAChunk(t *testing.T) {
	objects := make([]int, 5*chunkSize)
	for i := range objects {
		Acquired(&objects[i], Exclusive, 1)
	}
	holds := stateOf(Here()).Holds
	require.Len(t, holds, len(objects))
	for i, h := range holds {
		assert.Same(t, &objects[i], h.Object, "in the order of their acquisition")
	}
	for i := range objects { // not the last first
		Released(&objects[i], Exclusive, 1)
		assert.Len(t, stateOf(Here()).Holds, len(objects)-i-1)
	}
}

// With lock coupling there is always something held, and places are used again.
func TestPartyThatNeverHoldsNothingDoesNotGrow(t *testing.T) {
	done := make(chan uint64)
	go func() {
		objects := make([]int, 1000)
		Acquired(&objects[0], Exclusive, 1)
		for i := range objects[1:] {
			Acquired(&objects[i+1], Exclusive, 1)
			Released(&objects[i], Exclusive, 1)
		}
		Released(&objects[999], Exclusive, 1)
		done <- Here().top.Load()
	}()
	assert.LessOrEqual(t, <-done, uint64(chunkSize+1))
}

// A goroutine that ends with what it holds stays known; the next one on its g
// is another party.
func TestPartyOutlivesItsGoroutineWhileItHolds(t *testing.T) {
	object := new(int)
	parties := map[*Party]bool{}
	var ended *Party
	for i := range 100 {
		done := make(chan *Party)
		go func() {
			if i == 0 {
				Acquired(object, Exclusive, 1)
			}
			done <- Here()
		}()
		p := <-done
		if i == 0 {
			ended = p
		} else {
			assert.NotSame(t, ended, p)
		}
		parties[p] = true
	}
	assert.Len(t, stateOf(ended).Holds, 1)
	if hasG {
		assert.Less(t, len(parties), 100, "parties that hold nothing are used again")
	}
	Released(object, Exclusive, 1)
	assert.Empty(t, stateOf(ended).Holds)
	assert.True(t, HandedOff(object))
}

func TestPermitsAreSummedUp(t *testing.T) {
	object := new(int)
	Acquired(object, Permits, 2)
	Acquired(object, Permits, 3)
	holds := stateOf(Here()).Holds
	require.Len(t, holds, 1)
	assert.Equal(t, 5, holds[0].N)
	Released(object, Permits, 4)
	assert.Equal(t, 1, stateOf(Here()).Holds[0].N)
	Released(object, Permits, 2)
	assert.Empty(t, stateOf(Here()).Holds)
	assert.True(t, HandedOff(object))
}

// Others read holds that change meanwhile, and see whole ones only.
func TestStatesAreWholeWhileHoldsChange(t *testing.T) {
	stop, done := make(chan struct{}), make(chan struct{})
	a, b := new(int), new(string)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			Acquired(a, Exclusive, 1)
			Released(a, Exclusive, 1)
			Acquired(b, Permits, 2)
			Released(b, Permits, 2)
		}
	}()
	for range 2000 {
		for _, s := range States() {
			for _, h := range s.Holds {
				switch h.Object {
				case any(a):
					assert.Equal(t, Exclusive, h.How)
					assert.Equal(t, 1, h.N)
				case any(b):
					assert.Equal(t, Permits, h.How)
					assert.Equal(t, 2, h.N)
				}
			}
		}
	}
	close(stop)
	<-done
}

var fakes [2]byte // have addresses that do not change

// A thread's goroutine is used again, with its number. Of its parties only the
// last is found, whichever of those that hold nothing becomes that.
func TestNewPartyIsTheOnlyOneOfItsGoroutine(t *testing.T) {
	var b atomic.Pointer[Party]
	a, g := unsafe.Pointer(&fakes[0]), unsafe.Pointer(&fakes[1])
	free := newParty(a, 1, &b)
	last := newParty(g, 2, &b)
	free.g.Store(0) // its goroutine has ended
	life := last.life.Load()

	p := newParty(g, 2, &b)
	assert.NotEqual(t, life, p.life.Load())
	for q := b.Load(); q != nil; q = q.next {
		assert.Equal(t, q == p, q.g.Load() == uintptr(g))
	}
}
