//go:build !portablepark

package threadtest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/proflabel"
	"example.com/thread/internal/testutil"
)

// labelsHere returns the profiler labels of the calling goroutine, as
// runtime/pprof prints them.
func labelsHere(t *testing.T) string {
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(record, "labelsHere") {
			_, labels, _ := strings.Cut(record, "# labels: ")
			labels, _, _ = strings.Cut(labels, "\n")
			return labels
		}
	}
	return ""
}

func needLabels(t *testing.T) {
	if proflabel.WithThread(nil, "x") == nil {
		t.Skip("not with this Go, or portablepark")
	}
}

func TestAttachedThreadHasAProfilerLabel(t *testing.T) {
	needLabels(t)
	pprof.Do(t.Context(), pprof.Labels("job", "x"), func(context.Context) {
		th, err := thread.Attach()
		require.NoError(t, err)
		if err := th.SetName("attached"); err != nil {
			t.Log(err)
			require.NoError(t, thread.Detach())
			return
		}
		assert.Contains(t, labelsHere(t), `"thread":"attached"`)
		assert.Contains(t, labelsHere(t), `"job":"x"`)
		require.NoError(t, thread.Detach())
		assert.Equal(t, `{"job":"x"}`, labelsHere(t), "after Detach")
	})
}

func TestDetachKeepsLabelsThatWereSetMeanwhile(t *testing.T) {
	needLabels(t)
	defer pprof.SetGoroutineLabels(t.Context())
	_, err := thread.Attach()
	require.NoError(t, err)
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels("set", "meanwhile")))
	require.NoError(t, thread.Detach())
	assert.Contains(t, labelsHere(t), `"set":"meanwhile"`)
}

func TestSetNameRenamesTheProfilerLabel(t *testing.T) {
	needLabels(t)
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		th, err := thread.Start(func() {
			assert.Contains(t, labelsHere(t), `"thread":"first"`)
			if err := thread.SetName("second"); err != nil {
				t.Log(err)
				return
			}
			assert.Equal(t, `{"thread":"second"}`, labelsHere(t))
		}, attr(thread.Attr{Name: "first"}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
	})
}

// go tool pprof distinguishes the threads of a CPU profile.
func TestCPUProfileIsByThread(t *testing.T) {
	needLabels(t)
	name := filepath.Join(t.TempDir(), "cpu")
	f, err := os.Create(name)
	require.NoError(t, err)
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Skip(err)
	}
	var threads sync.WaitGroup
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		for name, burn := range map[string]func(){"grinder": burnGrinder, "miller": burnMiller} {
			th, err := thread.Start(burn, attr(thread.Attr{Name: name}))
			require.NoError(t, err)
			threads.Go(func() { assert.NoError(t, th.Join()) })
		}
		threads.Wait()
	})
	pprof.StopCPUProfile()
	require.NoError(t, f.Close())
	if !strings.Contains(testutil.GoTool(t, "pprof", "-top", name), "burnGrinder") {
		t.Skip("the system has no CPU profiles")
	}
	out := testutil.GoTool(t, "pprof", "-top", "-tagfocus=thread=^grinder$", name)
	assert.Contains(t, out, "burnGrinder")
	assert.NotContains(t, out, "burnMiller")
}

//go:noinline
func burnGrinder() { burn() }

//go:noinline
func burnMiller() { burn() }

// burn uses as much time of a processor as a dozen samples need.
func burn() {
	for used := time.Duration(0); used < 150*time.Millisecond; {
		used, _ = thread.Current().CPUTime()
	}
}
