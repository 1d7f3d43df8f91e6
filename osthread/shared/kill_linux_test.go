//go:build !android && !portablefutex

package shared

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// Processes are killed at random points while they use an object that others,
// which live on, use as well. Whatever the killed left there, nobody of the
// living may be stuck, and none of their own wakeups may be lost.
//
// A victim is a process that makes random calls until it is killed: of Go, this
// test binary with hammerEnv, or of C, sharedtest.Hammer.

const hammerEnv = "OSTHREAD_TEST_HAMMER"

// An arena is memory that processes share: an object at 0, others behind it,
// and a word that a victim counts its calls in.
type arena []byte

const (
	arenaSize = 4096
	secondAt  = 256
	readyAt   = 1024
	userAt    = 2048 // what the tests of a kind keep there
)

func (a arena) at(offset int) unsafe.Pointer { return unsafe.Pointer(&a[offset]) }

func (a arena) ready() *atomic.Uint32 { return (*atomic.Uint32)(a.at(readyAt)) }

// mapArena maps the file, which it makes if it is nil.
func mapArena(f *os.File) (arena, *os.File, error) {
	if f == nil {
		fd, err := unix.MemfdCreate("arena", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, nil, err
		}
		f = os.NewFile(uintptr(fd), "arena")
		if err := f.Truncate(arenaSize); err != nil {
			return nil, nil, err
		}
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, arenaSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return mem, f, err
}

// A kind is one of the tests. Its number is that of C's side.
type kind struct {
	number int
	// init makes the objects.
	init func(a arena) error
	// hammer makes one call of a victim.
	hammer func(a arena, r *rand.Rand)
	// live starts those that live on, which stop ends.
	live func(t *testing.T, a arena) (stop func())
	// check finds whether they all go on, after a kill.
	check func(t *testing.T, a arena)
}

var kinds = map[string]*kind{
	"semaphore":    semaphoreKind,
	"event manual": eventKind(1, false),
	"event auto":   eventKind(2, true),
	"barrier":      barrierKind,

	"mutex":           mutexKindOf("mutex", MutexAttr{Robust: true, ProcessShared: true}),
	"mutex recursive": mutexKindOf("mutex recursive", MutexAttr{Robust: true, ProcessShared: true, Kind: Recursive}),
	"mutex inherit":   mutexKindOf("mutex inherit", MutexAttr{Robust: true, ProcessShared: true, Inherit: true}),
	"cond":            condKind,
	"once":            onceKind,
	"rwmutex":         rwmutexKind,
}

// TestHammerChild is a victim of Go.
func TestHammerChild(t *testing.T) {
	name := os.Getenv(hammerEnv)
	if name == "" {
		t.Skip("for the tests of killed processes")
	}
	a, _, err := mapArena(os.NewFile(3, "arena"))
	require.NoError(t, err)
	for i := range uint64(2) {
		go func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), i))
			for {
				kinds[name].hammer(a, r)
				a.ready().Add(1)
			}
		}()
	}
	select {} // until it is killed
}

// A victim is a process to kill.
type victim interface {
	kill() error
}

type goVictim struct{ *exec.Cmd }

func (v goVictim) kill() error {
	if err := v.Process.Kill(); err != nil {
		return err
	}
	_ = v.Wait() // says that it was killed
	return nil
}

func startGo(t *testing.T, name string, _ arena, f *os.File) (victim, error) {
	cmd := leak.Command(t.Context(), "-test.run=^TestHammerChild$")
	cmd.Env = append(os.Environ(), hammerEnv+"="+name, leak.ChildEnv+"="+name)
	cmd.ExtraFiles = []*os.File{f}
	return goVictim{cmd}, cmd.Start()
}

// A starter starts a victim for the objects of that kind in a, which f holds.
type starter func(t *testing.T, name string, a arena, f *os.File) (victim, error)

// startC is nil without cgo.
var startC starter

// kills is how many processes a test kills.
func kills(t *testing.T) int { return testutil.Times(t, "OSTHREAD_TEST_KILLS", 50, 30) }

func TestKilledProcessesLeaveObjectsUsable(t *testing.T) {
	if _, _, err := mapArena(nil); err != nil {
		t.Skip(err)
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			a, f, err := mapArena(nil)
			require.NoError(t, err)
			defer func() { assert.NoError(t, f.Close()) }()
			require.NoError(t, k.init(a))
			stop := k.live(t, a)
			n := kills(t)
			if strings.HasPrefix(name, "mutex") {
				n *= 2
			}
			for i := range n {
				start, language := starter(startGo), "Go"
				if startC != nil && i%4 != 0 { // a process of Go takes long to start
					start, language = startC, "C"
				}
				killOne(t, a, f, name, start)
				k.check(t, a)
				require.False(t, t.Failed(), "after the kill of victim %d, of %s", i, language)
			}
			stop()
			assert.NoError(t, unix.Munmap(a))
		})
	}
}

// killOne kills a victim a random time after it has begun.
func killOne(t *testing.T, a arena, f *os.File, name string, start starter) {
	before := a.ready().Load()
	v, err := start(t, name, a, f)
	require.NoError(t, err)
	watch := time.AfterFunc(30*time.Second, func() {
		panic(fmt.Sprintf("%s: a victim does not begin: %v, object % x", name, v, a[:64]))
	})
	defer watch.Stop()
	for a.ready().Load() == before {
		<-time.After(50 * time.Microsecond) // the victim needs the processor
	}
	<-time.After(time.Duration(rand.IntN(1000)) * time.Microsecond) // the random point
	require.NoError(t, v.kill())
}

// A team is the callers that live on: each runs step until stop, and counts in
// passed.
type team struct {
	passed  atomic.Int64
	stopped atomic.Bool
	done    chan struct{}
	n       int
}

func startTeam(steps ...func() bool) *team {
	m := &team{done: make(chan struct{}), n: len(steps)}
	for _, step := range steps {
		go func() {
			for !m.stopped.Load() {
				if step() {
					m.passed.Add(1)
				}
			}
			m.done <- struct{}{}
		}()
	}
	return m
}

// stop ends the team, with nudge to let the members through.
func (m *team) stop(nudge func()) {
	m.stopped.Store(true)
	for m.n > 0 {
		select {
		case <-m.done:
			m.n--
		case <-time.After(time.Millisecond):
			nudge()
		}
	}
}

// cSteps are the steps of C callers, by kind; empty without cgo.
var cSteps = map[string]func(a arena) func() bool{}

func steps(name string, a arena, own ...func() bool) []func() bool {
	if c := cSteps[name]; c != nil {
		own = append(own, c(a))
	}
	return own
}

// The living acquire without a time limit. Once the victim is dead all units
// go to them, those that it left and those that the test releases.
var semaphoreKind = func() *kind {
	object := func(a arena) *Semaphore { return (*Semaphore)(a.at(0)) }
	var m *team
	return &kind{
		number: 0,
		init:   func(a arena) error { return object(a).Init(0, true) },
		hammer: func(a arena, r *rand.Rand) {
			s := object(a)
			switch r.IntN(3) {
			case 0:
				_ = s.Release() // may overflow
			case 1:
				_ = s.AcquireTimeout(time.Duration(r.IntN(200)) * time.Microsecond) // may end
			default:
				_ = s.TryAcquire() // may be busy
			}
		},
		live: func(t *testing.T, a arena) func() {
			step := func() bool { return assert.NoError(t, object(a).Acquire()) }
			m = startTeam(steps("semaphore", a, step, step)...)
			return func() { m.stop(func() { assert.NoError(t, object(a).Release()) }) }
		},
		check: func(t *testing.T, a arena) {
			empty := func() bool { n, err := object(a).Value(); return err != nil || n == 0 }
			eventually(t, "the units left are taken", empty)
			before := m.passed.Load()
			const units = 6
			for range units {
				assert.NoError(t, object(a).Release())
			}
			eventually(t, "the units are taken", empty)
			eventually(t, "all units pass", func() bool { return m.passed.Load() >= before+units })
		},
	}
}()

// The living wait without a time limit. Once the victim is dead a Set lets them
// through.
func eventKind(number int, auto bool) *kind {
	object := func(a arena) *Event { return (*Event)(a.at(0)) }
	var m *team
	return &kind{
		number: number,
		init:   func(a arena) error { return object(a).Init(auto, true) },
		hammer: func(a arena, r *rand.Rand) {
			e := object(a)
			switch r.IntN(4) {
			case 0:
				_ = e.Set()
			case 1:
				_ = e.WaitTimeout(time.Duration(r.IntN(200)) * time.Microsecond) // may end
			case 2:
				_ = e.Clear()
			default:
				_ = e.TryWait() // may be busy
			}
		},
		live: func(t *testing.T, a arena) func() {
			step := func() bool { return assert.NoError(t, object(a).Wait()) }
			name := "event manual"
			if auto {
				name = "event auto"
			}
			m = startTeam(steps(name, a, step, step)...)
			return func() { m.stop(func() { assert.NoError(t, object(a).Set()) }) }
		},
		check: func(t *testing.T, a arena) {
			if auto {
				for range 4 {
					eventually(t, "the event is taken", func() bool {
						set, err := object(a).IsSet()
						return err != nil || !set
					})
					before := m.passed.Load()
					assert.NoError(t, object(a).Set())
					eventually(t, "one passes", func() bool { return m.passed.Load() > before })
				}
				return
			}
			before := m.passed.Load()
			assert.NoError(t, object(a).Set())
			eventually(t, "all pass", func() bool { return m.passed.Load() >= before+10 })
			assert.NoError(t, object(a).Clear())
		},
	}
}

// The living, and the test with them, wait for some time each, since a victim
// that is killed before it arrives is missing. Three parties: once the victim
// is dead the three of them pass.
var barrierKind = func() *kind {
	object := func(a arena) *Barrier { return (*Barrier)(a.at(0)) }
	wait := func(t *testing.T, a arena, d time.Duration) bool {
		_, err := object(a).WaitTimeout(d)
		if err != nil {
			assert.ErrorIs(t, err, ErrTimeout)
		}
		return err == nil
	}
	var m *team
	return &kind{
		number: 3,
		init:   func(a arena) error { return object(a).Init(3, true) },
		hammer: func(a arena, r *rand.Rand) {
			_, _ = object(a).WaitTimeout(time.Duration(r.IntN(200)) * time.Microsecond) // may end
		},
		live: func(t *testing.T, a arena) func() {
			step := func() bool { return wait(t, a, 5*time.Millisecond) }
			m = startTeam(steps("barrier", a, step, step)...)
			return func() { m.stop(func() {}) }
		},
		check: func(t *testing.T, a arena) {
			for range 2 {
				eventually(t, "a round is complete", func() bool { return wait(t, a, 50*time.Millisecond) })
			}
		},
	}
}()

// Consumers take tokens that the test and the victims make. A victim may be
// killed between its change of the tokens and its signal: the next owner of the
// mutex gets ErrOwnerDead, and signals.
var condKind = func() *kind {
	cond := func(a arena) *Cond { return (*Cond)(a.at(0)) }
	mutex := func(a arena) *Mutex { return (*Mutex)(a.at(secondAt)) }
	tokens := func(a arena) *atomic.Uint32 { return (*atomic.Uint32)(a.at(userAt)) }
	// repair is for the result of a lock.
	repair := func(a arena, err error) error {
		if errors.Is(err, ErrOwnerDead) {
			err = errors.Join(mutex(a).Consistent(), cond(a).Broadcast())
		}
		return err
	}
	lock := func(a arena) error { return repair(a, mutex(a).Lock()) }
	var m *team
	return &kind{
		number: 5,
		init: func(a arena) error {
			return errors.Join(cond(a).Init(true), mutex(a).Init(MutexAttr{Robust: true, ProcessShared: true}))
		},
		hammer: func(a arena, r *rand.Rand) {
			if lock(a) != nil {
				return
			}
			switch n := tokens(a).Load(); r.IntN(3) {
			case 0:
				tokens(a).Store(n + 1)
				_ = cond(a).Signal()
			case 1:
				tokens(a).Store(n + 2)
				_ = cond(a).Broadcast()
			default:
				if n == 0 {
					_ = repair(a, cond(a).WaitTimeout(mutex(a), time.Duration(r.IntN(200))*time.Microsecond))
				}
				if n := tokens(a).Load(); n > 0 {
					tokens(a).Store(n - 1)
				}
			}
			_ = mutex(a).Unlock()
		},
		live: func(t *testing.T, a arena) func() {
			step := func() bool {
				err := lock(a)
				for err == nil && tokens(a).Load() == 0 {
					err = repair(a, cond(a).Wait(mutex(a)))
				}
				if !assert.NoError(t, err) {
					return false
				}
				tokens(a).Add(^uint32(0))
				return assert.NoError(t, mutex(a).Unlock())
			}
			m = startTeam(steps("cond", a, step, step)...)
			return func() {
				m.stop(func() {
					assert.NoError(t, lock(a))
					tokens(a).Add(1)
					assert.NoError(t, cond(a).Signal())
					assert.NoError(t, mutex(a).Unlock())
				})
			}
		},
		check: func(t *testing.T, a arena) {
			const more = 6
			before := m.passed.Load()
			assert.NoError(t, lock(a))
			tokens(a).Add(more)
			assert.NoError(t, cond(a).Broadcast())
			assert.NoError(t, mutex(a).Unlock())
			taken := func() bool { return tokens(a).Load() == 0 && m.passed.Load() > before }
			eventually(t, "all tokens are taken", taken)
			for range 2 {
				before = m.passed.Load()
				assert.NoError(t, lock(a))
				tokens(a).Add(1)
				assert.NoError(t, mutex(a).Unlock())
				assert.NoError(t, cond(a).Signal())
				eventually(t, "the token is taken", taken)
			}
		},
	}
}()

// All run functions that fail, so that the next call runs one. No two run at
// once: the living mark with 2 that they run, and victims with 1.
var onceKind = func() *kind {
	once := func(a arena) *Once { return (*Once)(a.at(0)) }
	user := func(a arena, i int) *atomic.Uint32 { return (*atomic.Uint32)(a.at(userAt + 4*i)) }
	errFail := errors.New("fails")
	fail := func(do func(func()) error, f func()) {
		defer func() {
			if err := recover(); err != nil && err != error(errFail) {
				panic(err)
			}
		}()
		if do(func() { f(); panic(errFail) }) != nil {
			panic("no function has run")
		}
	}
	var m *team
	return &kind{
		number: 6,
		init:   func(a arena) error { return once(a).Init(true) },
		hammer: func(a arena, _ *rand.Rand) {
			fail(once(a).Do, func() {
				if user(a, 0).Swap(1) == 2 {
					user(a, 1).Add(1)
				}
				user(a, 0).Store(0)
			})
		},
		live: func(t *testing.T, a arena) func() {
			step := func() bool {
				if once(a).Done() {
					return true
				}
				fail(once(a).Do, func() {
					user(a, 0).Store(2)
					runtime.Gosched()
					assert.True(t, user(a, 0).CompareAndSwap(2, 0), "another runs as well")
				})
				return true
			}
			m = startTeam(steps("once", a, step)...)
			return func() {
				m.stop(func() {})
				assert.NoError(t, once(a).Do(func() {}))
				assert.True(t, once(a).Done())
			}
		},
		check: func(t *testing.T, a arena) {
			before := m.passed.Load()
			eventually(t, "the living run", func() bool { return m.passed.Load() > before+4 })
			assert.Zero(t, user(a, 1).Load(), "a victim ran as well")
		},
	}
}()

// Victims write, as readers that die are not seen. Two counters are equal while
// nobody writes.
var rwmutexKind = func() *kind {
	rw := func(a arena) *RWMutex { return (*RWMutex)(a.at(0)) }
	user := func(a arena, i int) *atomic.Uint32 { return (*atomic.Uint32)(a.at(userAt + 4*i)) }
	write := func(a arena, lock func() error) error {
		err := lock()
		if errors.Is(err, ErrOwnerDead) {
			user(a, 1).Store(user(a, 0).Load())
			err = rw(a).Consistent()
		}
		if err != nil {
			return err
		}
		user(a, 0).Add(1)
		user(a, 1).Add(1)
		return rw(a).Unlock()
	}
	var m *team
	return &kind{
		number: 7,
		init:   func(a arena) error { return rw(a).Init(RWMutexAttr{Robust: true, ProcessShared: true}) },
		hammer: func(a arena, r *rand.Rand) {
			d := time.Duration(r.IntN(200)) * time.Microsecond
			_ = write(a, func() error { return rw(a).LockTimeout(d) }) // may end
		},
		live: func(t *testing.T, a arena) func() {
			read := func() bool {
				err := rw(a).RLock()
				if errors.Is(err, ErrOwnerDead) {
					return assert.NoError(t, write(a, rw(a).Lock))
				}
				assert.NoError(t, err)
				assert.Equal(t, user(a, 0).Load(), user(a, 1).Load())
				return assert.NoError(t, rw(a).RUnlock())
			}
			m = startTeam(steps("rwmutex", a, read)...)
			return func() { m.stop(func() {}) }
		},
		check: func(t *testing.T, a arena) {
			assert.NoError(t, write(a, rw(a).Lock))
			before := m.passed.Load()
			eventually(t, "readers pass", func() bool { return m.passed.Load() > before+4 })
		},
	}
}()
