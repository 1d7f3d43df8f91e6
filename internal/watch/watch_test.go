package watch

import (
	"runtime"
	"strings"
	"testing"

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
