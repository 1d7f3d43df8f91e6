//go:build !android && !portablefutex

package shared

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/park"
)

// Two processes that add to a counter under a mutex in memory that both have
// mapped.

const adderEnv = "OSTHREAD_TEST_ADDER"

// addShared counts the caller in ready, and once there are two it adds 1 to the
// counter, times over. It returns how long that took.
func addShared(a arena, times int) (time.Duration, error) {
	m, counter := (*Mutex)(a.at(0)), (*int64)(a.at(userAt))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	a.ready().Add(1)
	for a.ready().Load() < 2 {
		park.Pause(1)
	}
	began := time.Now()
	for range times {
		if err := m.Lock(); err != nil {
			return 0, err
		}
		*counter++
		if err := m.Unlock(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// TestAdderChild is the other process, of Go.
func TestAdderChild(t *testing.T) {
	times, err := strconv.Atoi(os.Getenv(adderEnv))
	if err != nil {
		t.Skip("for the tests of two processes")
	}
	a, _, err := mapArena(os.NewFile(3, "arena"))
	require.NoError(t, err)
	_, err = addShared(a, times)
	require.NoError(t, err)
}

// startAdderC starts a process of C that does the same; nil without cgo.
var startAdderC func(a arena, times int) (wait func() error, err error)

func TestMutexExcludesProcesses(t *testing.T) {
	if _, _, err := mapArena(nil); err != nil {
		t.Skip(err)
	}
	times := 200_000
	if testing.Short() {
		times = 20_000
	}
	for _, attr := range []MutexAttr{
		{ProcessShared: true},
		{ProcessShared: true, Kind: ErrorCheck},
		{ProcessShared: true, Robust: true},
	} {
		for _, language := range []string{"Go", "C"} {
			t.Run(fmt.Sprintf("%+v/%s", attr, language), func(t *testing.T) {
				watch(t)
				a, f, err := mapArena(nil)
				require.NoError(t, err)
				defer func() {
					assert.NoError(t, unix.Munmap(a))
					assert.NoError(t, f.Close())
				}()
				require.NoError(t, (*Mutex)(a.at(0)).Init(attr))
				var wait func() error
				switch {
				case language == "Go":
					cmd := leak.Command(t.Context(), "-test.run=^TestAdderChild$")
					cmd.Env = append(os.Environ(), adderEnv+"="+strconv.Itoa(times), leak.ChildEnv+"=adder")
					cmd.ExtraFiles = []*os.File{f}
					require.NoError(t, cmd.Start())
					wait = cmd.Wait
				case startAdderC == nil:
					t.Skip("no C")
				default:
					wait, err = startAdderC(a, times)
					require.NoError(t, err)
				}
				took, err := addShared(a, times)
				require.NoError(t, err)
				require.NoError(t, wait())
				assert.EqualValues(t, 2*times, *(*int64)(a.at(userAt)))
				t.Logf("%.1f ns a lock and unlock, of both", float64(took)/float64(2*times))
			})
		}
	}
}
