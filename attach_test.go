//go:build (cgo && linux && !android) || windows

package thread

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestCurrentAttachesAliens(t *testing.T) {
	threads := 1000
	if testing.Short() || runtime.GOOS == "windows" {
		threads = 100 // under wine 1000 take minutes
	}
	var destroyed atomic.Int64
	k := Key[*Thread]{Destructor: func(v *Thread) {
		if Current() == v {
			destroyed.Add(1)
		}
	}}
	var mu sync.Mutex
	serials := map[uint64]bool{}
	for range 2 { // the second time around pthread_t and thread ids come again
		require.NoError(t, ctest.Aliens(threads, func(int) {
			_, ok := k.Get()
			assert.False(t, ok, "a new thread has the value of an old one")
			th := Current()
			assert.NotNil(t, th)
			assert.Equal(t, alien, th.kind)
			assert.Equal(t, osNativeID(), th.NativeID())
			assert.Equal(t, Self(), th.Ident())
			assert.NoError(t, k.Set(th))
			assert.Equal(t, ErrNotJoinable, th.Join())
			runtime.Gosched()
			assert.Same(t, th, Current())
			mu.Lock()
			assert.False(t, serials[th.Serial()])
			serials[th.Serial()] = true
			mu.Unlock()
		}))
	}
	assert.EqualValues(t, 2*threads, destroyed.Load())
	assert.Len(t, serials, 2*threads)
	assert.Zero(t, records.count(), "records after their threads' end")
}

func TestParkAndLockOnAnAlien(t *testing.T) {
	var l Lock
	n := 0
	require.NoError(t, ctest.Aliens(8, func(int) {
		for range 1000 {
			l.Lock()
			n++
			l.Unlock()
		}
		Current().Unpark()
		assert.NoError(t, Park())
	}))
	assert.Equal(t, 8000, n)
}

func TestAttachOnAnAlienLetsDetachEndItsRecord(t *testing.T) {
	require.NoError(t, ctest.Aliens(10, func(int) {
		first := Current()
		th, err := Attach()
		assert.NoError(t, err)
		assert.Same(t, first, th)
		assert.NoError(t, Detach())
		assert.False(t, th.Alive())
		again := Current()
		assert.NotSame(t, th, again)
		assert.True(t, again.Alive())
	}))
	assert.Zero(t, records.count())
}

// A call into C and back does not make a goroutine's thread an alien one.
func TestCurrentInACallbackIsNoAlien(t *testing.T) {
	ctest.Back(func(int) { assert.Nil(t, Current()) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		deep(300, func() { ctest.Back(func(int) { assert.Nil(t, Current()) }) })
	}()
	<-done
	run(t, nil, func() {
		self := Current()
		ctest.Back(func(int) { assert.Same(t, self, Current()) })
	})
	require.NoError(t, ctest.Aliens(1, func(int) {
		deep(300, func() {
			ctest.Back(func(int) {
				assert.NotNil(t, Current())
				assert.Equal(t, alien, Current().kind)
			})
		})
	}))
}

func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
	runtime.KeepAlive(n)
}

func TestKeyDestructorOnAnAlienMayCallGoexit(t *testing.T) {
	calls := atomic.Int64{}
	k := Key[int]{Destructor: func(int) { calls.Add(1); runtime.Goexit() }}
	require.NoError(t, ctest.Aliens(20, func(n int) { assert.NoError(t, k.Set(n)) }))
	assert.EqualValues(t, 20, calls.Load())
}

// In a child, since Go's runtime keeps what stood on the stacks: a goroutine,
// and some 0.5 KB.
func TestJoinOfABodyEndedByPthreadExit(t *testing.T) {
	leak.InChild(t, func() {
		clean := ctest.ValuesOfNew() // a sanitizer's
		times := 100
		if testing.Short() {
			times = 20
		}
		for range times {
			destroyed := 0
			k := Key[int]{Destructor: func(int) { destroyed++ }}
			th, err := Start(func() {
				testutil.Must(k.Set(1))
				ctest.PthreadExit()
				panic("came back")
			}, nil)
			testutil.Must(err)
			if err := th.Join(); err != ErrPthreadExit || destroyed != 1 || osExists(th.NativeID()) {
				panic(fmt.Sprint(err, destroyed))
			}
			if runtime.GC(); records.count() != 0 {
				panic("a record is left")
			}
			// It may get the memory of the one that has ended.
			if n := ctest.ValuesOfNew(); n != clean {
				panic(fmt.Sprint("values of a thread that begins: ", n, ", not ", clean))
			}
		}
		testutil.Must(ctest.Aliens(100, func(int) { Current() }))
	})
}

func TestAttachWithoutDetach(t *testing.T) {
	done := make(chan *Thread)
	var end func()
	end = func() {
		th, err := Attach()
		assert.NoError(t, err)
		if osOnFirstThread() { // which cannot end
			go end()
			runtime.Gosched()
			assert.NoError(t, Detach())
			return
		}
		done <- th
	}
	go end()
	th := <-done
	for th.Alive() || records.count() > 0 {
		runtime.Gosched()
		collectExited()
	}
}

// A key of ours must not depend on how many others there are: it is made before
// main.
func TestCurrentOnAnAlienWithoutKeysLeft(t *testing.T) {
	leak.InChild(t, func() {
		ctest.UseKeys(1 << 12)
		destroyed := atomic.Int64{}
		k := Key[int]{Destructor: func(int) { destroyed.Add(1) }}
		testutil.Must(ctest.Aliens(10, func(n int) { testutil.Must(k.Set(n)) }))
		if destroyed.Load() != 10 {
			panic(destroyed.Load())
		}
		th, err := Start(func() {}, nil)
		testutil.Must(err)
		testutil.Must(th.Join())
	})
}
