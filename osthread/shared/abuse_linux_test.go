//go:build !portablefutex

package shared_test

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread/shared"
)

// objects are all objects but the ring, in the layout of internal/ctest.
type objects struct {
	mutex, robust shared.Mutex
	cond          shared.Cond
	sem           shared.Semaphore
	rw            shared.RWMutex
	barrier       shared.Barrier
	once          shared.Once
	event         shared.Event
}

func (o *objects) init() error {
	return errors.Join(
		o.mutex.Init(shared.MutexAttr{ProcessShared: true}),
		o.robust.Init(shared.MutexAttr{Robust: true, ProcessShared: true}),
		o.cond.Init(true),
		o.sem.Init(1, true),
		o.rw.Init(shared.RWMutexAttr{Robust: true, ProcessShared: true}),
		o.barrier.Init(2, true),
		o.once.Init(true),
		o.event.Init(false, true),
	)
}

// abuse uses the objects in mem while they are mutated, in a language.
var abuse = map[string]func(mem []byte, behind int, stop, calls *uint32){"go": goAbuseObjects}

func goAbuseObjects(mem []byte, _ int, stop, calls *uint32) {
	const d = 50 * time.Microsecond
	o := (*objects)(unsafe.Pointer(unsafe.SliceData(mem)))
	for ; atomic.LoadUint32(stop) == 0; atomic.AddUint32(calls, 1) {
		for _, m := range []*shared.Mutex{&o.mutex, &o.robust} {
			switch err := m.LockTimeout(d); {
			case errors.Is(err, shared.ErrOwnerDead):
				_ = m.Consistent()
			case err != nil:
				continue
			}
			_ = o.cond.WaitTimeout(m, d)
			_ = o.cond.Broadcast()
			_ = m.Unlock()
		}
		_ = o.cond.Signal()
		if o.sem.AcquireTimeout(d) == nil {
			_ = o.sem.Release()
		}
		_ = o.sem.TryAcquire()
		_ = o.sem.Release()
		_, _ = o.sem.Value()
		switch err := o.rw.LockTimeout(d); {
		case errors.Is(err, shared.ErrOwnerDead):
			_ = o.rw.Consistent()
			_ = o.rw.Unlock()
		case err == nil:
			_ = o.rw.Unlock()
		}
		if o.rw.RLockTimeout(d) == nil {
			_ = o.rw.RUnlock()
		}
		_, _ = o.barrier.WaitTimeout(d)
		_ = o.once.DoTimeout(d, func() {})
		_ = o.event.WaitTimeout(d)
		_ = o.event.Set()
		_ = o.event.TryWait()
		_ = o.event.Clear()
	}
}

// Two processes use all objects while every word of them is mutated: calls
// return, once the objects are made anew at the latest, and touch nothing else.
func TestObjectsSurviveMutationByAnotherProcess(t *testing.T) {
	roles := map[string]func(r sharedRing, l language, from uint64) error{}
	for lang, f := range abuse {
		roles[lang] = func(r sharedRing, _ language, _ uint64) error {
			f(r.mem, behind, &r.words[0], &r.words[1])
			return nil
		}
	}
	inRole(t, roles)
	mutations := testutil.Times(t, "OSTHREAD_TEST_MUTATIONS", 100_000, 20_000)
	step := 1024
	if testing.Short() {
		step = 512
	}
	for lang := range abuse {
		t.Run(lang, func(t *testing.T) {
			s, err := openSharedRing(newSegment(t, ringAt+int(unsafe.Sizeof(objects{}))+behind))
			require.NoError(t, err)
			o := (*objects)(unsafe.Pointer(unsafe.SliceData(s.mem)))
			require.NoError(t, o.init())
			stop, theirs, ours := &s.words[0], &s.words[1], &s.words[2]
			cmd, out := child(t, t.Context(), s, "TestObjectsSurviveMutationByAnotherProcess", lang, lang, 0)
			var left atomic.Int32
			left.Store(2)
			var failed error
			go func() { defer left.Add(-1); failed = cmd.Wait() }()
			go func() { defer left.Add(-1); goAbuseObjects(s.mem, behind, stop, ours) }()
			random := rand.New(rand.NewPCG(9, 10))
			words := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(s.mem))), len(s.mem)/4)
			for i := range mutations / 2 {
				if i%step == 0 { // each side has made calls in between
					a, b := atomic.LoadUint32(theirs), atomic.LoadUint32(ours)
					testutil.Await(func() bool {
						_ = o.init() // a call may wait for what was lost
						return left.Load() < 2 || atomic.LoadUint32(theirs) != a && atomic.LoadUint32(ours) != b
					})
				}
				park.Pause(16)
				k := random.IntN(len(words))
				v := mutant(random, atomic.LoadUint32(&words[k]))
				if k == 2 || k == 6 {
					// The attributes of the mutexes. A condition's wait has no
					// limit while it locks again, and a mutex that says it is
					// private is not checked ten times a second.
					v |= 8
				}
				atomic.StoreUint32(&words[k], v)
				if i%16 == 0 {
					require.NoError(t, o.init())
				}
			}
			atomic.StoreUint32(stop, 1)
			within(t, func() { testutil.Await(func() bool { _ = o.init(); return left.Load() == 0 }) })
			assert.NoError(t, failed, out)
			assert.Equal(t, make([]byte, behind), s.behind)
		})
	}
}
