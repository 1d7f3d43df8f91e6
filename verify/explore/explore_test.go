//go:build linux && !portablefutex && !portablepark

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/verify/explore/sched"
)

// lostUpdate has two callers that increment a counter in two steps.
func lostUpdate(n *int) func(*sched.Run) {
	*n = 0
	return func(r *sched.Run) {
		for _, name := range []string{"A", "B"} {
			r.Go(name, false, func() {
				sched.Step("reads", n)
				v := *n
				sched.Step("writes", n)
				*n = v + 1
			})
		}
	}
}

// executions makes all executions within the bound, and returns how many there
// are, and the first one in which an update is lost.
func executions(t *testing.T, bound int) (n int, lost string) {
	t.Helper()
	s := sched.NewSearch(bound)
	for {
		var count int
		_, failure := sched.Do(s, false, lostUpdate(&count))
		require.Empty(t, failure)
		n++
		if count != 2 && lost == "" {
			lost = s.String()
		}
		require.False(t, s.Diverged())
		if !s.Next() {
			return n, lost
		}
	}
}

func TestSearchFindsALostUpdateWithOnePreemption(t *testing.T) {
	n, lost := executions(t, 0)
	assert.Equal(t, 2, n, "one for each order")
	assert.Empty(t, lost)

	n, lost = executions(t, 1)
	assert.Greater(t, n, 2)
	assert.NotEmpty(t, lost)
}

func TestReplayMakesTheSameSteps(t *testing.T) {
	_, lost := executions(t, 1)
	for _, how := range []string{lost, "random:7/0/0", "pct:7/3/8"} {
		var all [2][]sched.Event
		var counts [2]int
		for i := range all {
			c, err := sched.Parse(how)
			require.NoError(t, err)
			r, failure := sched.Do(c, true, lostUpdate(&counts[i]))
			require.Empty(t, failure)
			all[i] = r.Events()
		}
		assert.Equal(t, all[0], all[1], how)
		assert.Equal(t, counts[0], counts[1], how)
		if how == lost {
			assert.Equal(t, 1, counts[0])
		}
	}
}

func TestRandomAndPCTFindALostUpdate(t *testing.T) {
	for _, chooser := range []func(seed uint64) sched.Chooser{
		func(seed uint64) sched.Chooser { return sched.NewRandom(seed) },
		func(seed uint64) sched.Chooser { return sched.NewPCT(seed, 3, 8) },
	} {
		found := 0
		for seed := range uint64(1000) {
			var count int
			_, failure := sched.Do(chooser(seed), false, lostUpdate(&count))
			require.Empty(t, failure)
			if count == 1 {
				found++
			}
		}
		assert.NotZero(t, found, chooser(0))
	}
}

func TestCallersThatAllBlockAreADeadlock(t *testing.T) {
	_, failure := sched.Do(sched.NewSearch(0), false, func(r *sched.Run) {
		r.Go("A", false, sched.Park)
	})
	assert.Equal(t, "deadlock: A is parked", failure)
}

func TestCallersThatPollForEverAreALivelock(t *testing.T) {
	_, failure := sched.Do(sched.NewSearch(0), false, func(r *sched.Run) {
		for _, name := range []string{"A", "B"} {
			r.Go(name, false, func() {
				for {
					sched.Yield()
				}
			})
		}
	})
	assert.Contains(t, failure, "livelock")
}

func TestDeadlineMayComeBeforeTheWakeup(t *testing.T) {
	outcomes := map[bool]bool{}
	s := sched.NewSearch(1)
	for more := true; more; more = s.Next() {
		word := new(uint32)
		_, failure := sched.Do(s, false, func(r *sched.Run) {
			r.Go("sleeper", true, func() {
				_, late := sched.FutexWait(word, 0, sched.Now()+1000)
				outcomes[late] = true
			})
			r.Go("waker", true, func() { sched.FutexWake(word, 1) })
		})
		require.Empty(t, failure)
	}
	assert.Equal(t, map[bool]bool{false: true, true: true}, outcomes)
}

// built returns the program that runs the scenarios, of code with the edits.
func built(t *testing.T, edits []edit) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the module")
	}
	root, err := moduleRoot()
	require.NoError(t, err)
	folder := t.TempDir()
	program := filepath.Join(folder, "scenes")
	require.NoError(t, builder{root, folder}.build(program, edits))
	return program
}

func TestLockKeepsItsLawsWithOnePreemption(t *testing.T) {
	out, err := exec.Command(built(t, nil), "-run=^Lock/", "-preemptions=1").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.NotContains(t, string(out), "cut off")
}

func TestViolationIsReplayed(t *testing.T) {
	program := built(t, []edit{{
		"osthread/mutex.go",
		"\tfor !m.mark(set) {\n\t\tif m.try(n.Key) {\n\t\t\treturn true\n\t\t}\n\t}\n",
		"\tm.word.Or(set)\n",
	}})
	out, err := exec.Command(program, "-run=^Lock/goroutines/two$").CombinedOutput()
	require.Error(t, err)
	how := regexp.MustCompile(`-replay '([^']+)'`).FindSubmatch(out)
	require.NotNil(t, how, "%s", out)
	_, steps, _ := strings.Cut(string(out), string(how[0])+"\n")
	again, err := exec.Command(program, "-run=^Lock/goroutines/two$", "-replay="+string(how[1])).CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, steps, string(again))
}

func TestPatchThatDoesNotFitIsAnError(t *testing.T) {
	root, err := moduleRoot()
	require.NoError(t, err)
	_, err = newOverlay(root, t.TempDir(), []edit{{"osthread/mutex.go", "no such line\n", ""}})
	assert.ErrorContains(t, err, "osthread/mutex.go has 0 times")
}

func TestAllMutantsFitTheSource(t *testing.T) {
	root, err := moduleRoot()
	require.NoError(t, err)
	mutants, err := readPatches(root, "mutants.patch")
	require.NoError(t, err)
	for _, m := range mutants[1:] {
		_, err := newOverlay(root, t.TempDir(), m.edits)
		assert.NoError(t, err, m.name)
		assert.NotEmpty(t, m.scenarios, m.name)
	}
}

// The explorer's packages are imported by itself alone, so nothing of it is in
// what is shipped.
func TestNothingElseImportsTheExplorer(t *testing.T) {
	root, err := moduleRoot()
	require.NoError(t, err)
	imported := regexp.MustCompile(`(?m)^(import |\t)[\w.]* ?"example.com/thread/verify/explore`)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path == filepath.Join(root, "verify", "explore"):
			return fs.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		assert.NotRegexp(t, imported, string(text), path)
		return err
	})
	require.NoError(t, err)
}
