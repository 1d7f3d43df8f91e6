package thread

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

func TestInitializingStageOf(t *testing.T) {
	const (
		other = "goroutine 7 [running]:\nmain.f.func2()\n\t/m/main.go:6 +0x46\n" +
			"created by main.f in goroutine 1\n\t/m/main.go:6 +0xf6\n"
		inVar = "goroutine 1 [chan receive, locked to thread]:\nmain.f(...)\n\t/m/main.go:6 +0x105\n" +
			"main.init()\n\t/m/main.go:5 +0xf\n"
		inFunc = "goroutine 1 [running, locked to thread]:\nx.y/z%2ew.init.0()\n\t/m/main.go:4 +0x3d\n"
		inMain = "goroutine 1 [sleep]:\npanic({0x1, 0x2})\n\t/r/panic.go:1 +0x1\n" +
			"main.initialize.init.func1()\n\t/m/main.go:6 +0x1\nmain.main()\n\t/m/main.go:9 +0x1\n"
		blocked = "goroutine 1 [select (no cases)]:\n"
		whole   = "goroutine 1 [runnable]:\nmain.main()\n\t/m/main.go:9 +0x1\n" +
			"runtime.main()\n\t/r/proc.go:1 +0x1\nruntime.goexit({})\n\t/r/asm.s:1 +0x1\n"
	)
	for _, test := range []struct {
		name, stacks string
		whole        bool
		stage        stage
		known        bool
	}{
		{"variable", inVar, true, stageInit, true},
		{"function, beside others", other + "\n" + inFunc + "\n" + other, false, stageInit, true},
		{"main", inMain, true, stageMain, true},
		{"main, with the runtime's functions", whole, true, stageMain, true},
		{"main, beside others", other + "\n" + inMain, true, stageMain, true},
		{"cut off", other + "\n" + inMain, false, stageUnseen, false},
		{"not reached", other, false, stageUnseen, false},
		{"gone", other, true, stageUnseen, true},
		{"none but the runtime's functions", blocked, true, stageUnseen, true},
	} {
		s, known := stageOf(test.stacks, test.whole)
		assert.Equal(t, test.stage, s, test.name)
		assert.Equal(t, test.known, known, test.name)
	}
}

// forget has initializing find out again.
func forget(made bool) {
	probe.mu.Lock()
	defer probe.mu.Unlock()
	initialized.Store(false)
	probe.made = made
}

// Once main runs it is found out in every way, by any number at once.
func TestInitializingInTests(t *testing.T) {
	find := func() { assert.False(t, initializing()) }
	t.Run("by a thread of C", func(*testing.T) {
		forget(false)
		find()
	})
	t.Run("by stacks", func(*testing.T) {
		forget(true) // and it is not let in
		find()
	})
	t.Run("deep down", func(*testing.T) {
		var deep func(n int)
		deep = func(n int) {
			if n > 0 {
				deep(n - 1)
				return
			}
			find()
		}
		forget(true)
		deep(1000)
	})
	t.Run("by many", func(*testing.T) {
		var all sync.WaitGroup
		forget(false)
		for range 50 {
			all.Go(find)
		}
		all.Wait()
	})
	t.Run("in a bubble", func(t *testing.T) {
		forget(false)
		synctest.Test(t, func(*testing.T) { find() })
	})
	assert.Equal(t, stageMain, mainStage(true))
	assert.Equal(t, stageUnseen, mainStage(false))
}
