package threadtest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
)

// The table of platforms, which stands in README.md and in doc.go: the two
// agree, and what they say of the platform and build that this test runs on is
// so. What takes C, or calls of the system's that this package does not make,
// is in the files platforms_..._test.go:
//
//	useStack(n)        uses n bytes of the calling thread's stack, in frames that are not Go's
//	meetsGuard(t, a)   whether C code that overflows the stack of a thread with the attributes a ends the process
//	alienCall(f)       has a thread that is not Go's call f, and waits for its end
//	unlockAsC(word)    unlocks the Lock with that word as C code does
//	cMemory(t)         is a word of memory that is not Go's, zeroed
//	inSTA()            whether COM says that the calling thread is in a single-threaded apartment
//
// They return errors.ErrUnsupported where there is nothing to do so with.

// cells are a row's, by the head of their column.
type cells map[string]string

func TestPlatformTablesAgree(t *testing.T) {
	rows, order := tableOfDoc(t)
	readme, readmeOrder := tableOfReadme(t)
	assert.Equal(t, order, readmeOrder)
	assert.Equal(t, rows, readme)
}

func TestPlatformTableIsTrue(t *testing.T) {
	rows, order := tableOfReadme(t)
	column := column()
	for _, name := range order {
		cell, ok := rows[name][column]
		require.True(t, ok, "no column %q", column)
		t.Run(name, func(t *testing.T) {
			check, ok := checks[name]
			require.True(t, ok, "a row that nothing checks")
			t.Logf("%s: %s", column, cell)
			check(t, resolve(cell))
		})
	}
	for name := range checks {
		assert.Contains(t, rows, name)
	}
}

// column returns the head of the column that this build is in.
func column() string {
	switch {
	case runtime.GOOS == "windows":
		return "windows"
	case hasNative:
		return runtime.GOOS + ", cgo"
	}
	return "anything else, or no cgo"
}

// resolve returns what a cell says of this system: a cell of the last column
// may name the one that has the feature, and what the others have.
func resolve(cell string) string {
	system, others, two := strings.Cut(cell, ", else ")
	switch {
	case system != "linux":
		return cell
	case runtime.GOOS == system, runtime.GOOS == "android": // which is a Linux
		return "yes"
	case two:
		return others
	}
	return "no"
}

func tableOfDoc(t *testing.T) (rows map[string]cells, order []string) {
	const margin = "//\t"
	var lines [][]string
	for line := range strings.Lines(after(t, "../../doc.go", "// # Platforms\n")) {
		if line, ok := strings.CutPrefix(line, margin); ok {
			lines = append(lines, regexp.MustCompile(`\s{2,}`).Split(strings.TrimRight(line, "\n"), -1))
		}
	}
	return table(t, lines)
}

func tableOfReadme(t *testing.T) (rows map[string]cells, order []string) {
	var lines [][]string
	for line := range strings.Lines(after(t, "../../README.md", "## Platforms\n")) {
		if strings.HasPrefix(line, "## ") {
			break
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		lines = append(lines, row)
	}
	return table(t, lines)
}

// after returns what follows the line heading in the file.
func after(t *testing.T, file, heading string) string {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), heading)
	require.True(t, ok, "%s has no %q", file, heading)
	return rest
}

// table makes rows out of lines, the first of which is the columns' heads.
func table(t *testing.T, lines [][]string) (rows map[string]cells, order []string) {
	require.NotEmpty(t, lines)
	heads := lines[0]
	rows = map[string]cells{}
	for _, line := range lines[1:] {
		require.Len(t, line, len(heads), "%v", line)
		row := cells{}
		for i := 1; i < len(heads); i++ {
			row[heads[i]] = line[i]
		}
		rows[line[0]] = row
		order = append(order, line[0])
	}
	return rows, order
}

// checks try what a row's cell says.
var checks = map[string]func(t *testing.T, cell string){
	"native threads":      checkNativeThreads,
	"stack size":          checkStackSizes,
	"guard size":          checkGuardSizes,
	"stack use":           checkStackUse,
	"name":                checkNames,
	"affinity":            checkAffinities,
	"policy and priority": checkPriorities,
	"QoS class":           checkClasses,
	"nice, timer slack":   func(t *testing.T, cell string) { checkNiceness(t, cell); checkTimerSlacks(t, cell) },
	"deadlines, memory policy": func(t *testing.T, cell string) {
		checkBandwidths(t, cell)
		checkMemoryPolicies(t, cell)
	},
	"signal mask":         checkSignalMasks,
	"signals to threads":  checkSignals,
	"interrupting a call": checkInterrupt,
	"CPU time":            checkCPUTimes,
	"COM apartment":       checkApartments,
	"alien threads":       checkAliens,

	"objects shared with C":        checkSharedLock,
	"with other processes":         checkOtherProcesses,
	"robust, priority inheritance": checkRobust,
}

// refused asserts that no thread can be started with a, for want of the
// platform.
func refused(t *testing.T, a *thread.Attr) {
	t.Helper()
	assert.ErrorIs(t, a.Check(), errors.ErrUnsupported)
	_, err := thread.Start(func() { t.Error("the body ran") }, a)
	assert.ErrorIs(t, err, errors.ErrUnsupported)
}

// unknownCell fails the test.
func unknownCell(t *testing.T, cell string) { t.Errorf("a cell that nothing checks: %q", cell) }

func checkNativeThreads(t *testing.T, cell string) {
	var pinnedBody, nativeBody atomic.Bool
	run(t, nil, func() { nativeBody.Store(kindOf(thread.Current()) == "native") })
	run(t, &thread.Attr{Pinned: true}, func() { pinnedBody.Store(kindOf(thread.Current()) == "pinned") })
	assert.True(t, pinnedBody.Load())
	switch cell {
	case "yes", "yes, no cgo":
		assert.True(t, nativeBody.Load())
	case "pinned":
		assert.False(t, nativeBody.Load())
	default:
		unknownCell(t, cell)
	}
}

func checkApartments(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{Apartment: thread.ApartmentSTA}), func() { assert.True(t, inSTA()) })
			run(t, attr(thread.Attr{Apartment: thread.ApartmentMTA}), func() { assert.False(t, inSTA()) })
		case "no":
			refused(t, attr(thread.Attr{Apartment: thread.ApartmentSTA}))
			refused(t, attr(thread.Attr{Apartment: thread.ApartmentMTA}))
		default:
			unknownCell(t, cell)
		}
	})
}

func checkStackSizes(t *testing.T, cell string) {
	// More than a default stack, so that a size that was not kept ends the
	// process.
	const size, used = 60 << 20, 48 << 20
	switch cell {
	case "yes", "to 64 MiB":
		if cell != "yes" {
			assert.NoError(t, (&thread.Attr{StackSize: 64 << 20}).Check())
			assert.ErrorIs(t, (&thread.Attr{StackSize: 64<<20 + 1}).Check(), thread.ErrStackSize)
		}
		ran := false
		run(t, &thread.Attr{StackSize: size}, func() {
			assert.Equal(t, size, thread.Current().StackSize())
			assert.NoError(t, useStack(used))
			ran = true
		})
		assert.True(t, ran)
	case "no":
		refused(t, &thread.Attr{StackSize: size})
		_, err := thread.SetStackSize(size)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	default:
		unknownCell(t, cell)
	}
}

func checkGuardSizes(t *testing.T, cell string) {
	switch cell {
	case "yes":
		for _, size := range []int{thread.NoGuard, 1, 4096, 64 << 10, 1 << 20} {
			run(t, &thread.Attr{StackSize: 4 << 20, GuardSize: size}, func() { assert.NoError(t, useStack(2<<20)) })
		}
		assert.True(t, meetsGuard(t, &thread.Attr{StackSize: 512 << 10, GuardSize: 256 << 10}))
	case "no":
		refused(t, &thread.Attr{GuardSize: 1 << 20})
	default:
		unknownCell(t, cell)
	}
}

func checkStackUse(t *testing.T, cell string) {
	switch cell {
	case "yes":
		var th *thread.Thread
		run(t, &thread.Attr{StackSize: 2 << 20, MeasureStack: true}, func() {
			th = thread.Current()
			assert.NoError(t, useStack(1<<20))
			use, err := th.StackUse()
			assert.NoError(t, err)
			assert.GreaterOrEqual(t, use.Used, 1<<20)
		})
		use, err := th.StackUse()
		assert.NoError(t, err)
		assert.GreaterOrEqual(t, use.Used, 1<<20)
	case "no":
		refused(t, &thread.Attr{MeasureStack: true})
		run(t, nil, func() {
			_, err := thread.Current().StackUse()
			assert.ErrorIs(t, err, errors.ErrUnsupported)
		})
	default:
		unknownCell(t, cell)
	}
}

func checkNames(t *testing.T, cell string) {
	long := strings.Repeat("0123456789", 10)
	want := long
	switch has, limit, _ := strings.Cut(cell, ", "); {
	case cell == "kept":
		want = ""
	case has != "yes":
		unknownCell(t, cell)
	case limit != "":
		n, err := strconv.Atoi(strings.TrimSuffix(limit, " B"))
		require.NoError(t, err)
		want = long[:n]
	case !hasNative:
		want = long[:15] // Linux, without the number
	}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{Name: long}), func() {
			assert.Equal(t, want, keep.SystemName())
			assert.Equal(t, long, thread.Current().Name())
			assert.NoError(t, thread.SetName("x"))
			assert.Equal(t, want[:min(1, len(want))] != "", keep.SystemName() == "x")
			assert.Equal(t, "x", thread.Current().Name())
		})
	})
}

func checkAffinities(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			var all []int
			run(t, attr(thread.Attr{}), func() {
				var err error
				all, err = thread.Current().Affinity()
				assert.NoError(t, err)
			})
			require.NotEmpty(t, all)
			last := all[len(all)-1:]
			run(t, attr(thread.Attr{Affinity: last}), func() {
				got, err := thread.Current().Affinity()
				assert.NoError(t, err)
				assert.Equal(t, last, got)
				assert.NoError(t, thread.Current().SetAffinity(all))
				got, err = thread.Current().Affinity()
				assert.NoError(t, err)
				assert.Equal(t, all, got)
			})
		case "no":
			refused(t, attr(thread.Attr{Affinity: []int{0}}))
			run(t, attr(thread.Attr{}), func() {
				assert.ErrorIs(t, thread.Current().SetAffinity([]int{0}), errors.ErrUnsupported)
				_, err := thread.Current().Affinity()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			})
		default:
			unknownCell(t, cell)
		}
	})
}

// checkPriorities takes policies and priorities that need no right.
func checkPriorities(t *testing.T, cell string) {
	type setting struct {
		p thread.Policy
		n int
	}
	var works, not []setting
	switch {
	case cell == "yes" && runtime.GOOS == "linux":
		works = []setting{{thread.PolicyBatch, 0}, {thread.PolicyOther, 0}}
	case cell == "yes":
		works = []setting{{thread.PolicyRR, 40}, {thread.PolicyOther, 20}}
		not = []setting{{thread.PolicyBatch, 0}, {thread.PolicyIdle, 0}}
	case cell == "priority":
		works = []setting{{thread.PolicyOther, -1}, {thread.PolicyOther, 0}}
		not = []setting{{thread.PolicyFIFO, 1}, {thread.PolicyRR, 1}, {thread.PolicyBatch, 0}, {thread.PolicyIdle, 0}}
	case cell == "no":
		not = []setting{
			{thread.PolicyOther, 0},
			{thread.PolicyFIFO, 1},
			{thread.PolicyRR, 1},
			{thread.PolicyBatch, 0},
			{thread.PolicyIdle, 0},
		}
	default:
		unknownCell(t, cell)
	}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		is := func(s setting) {
			p, n, err := thread.Current().Priority()
			assert.NoError(t, err)
			assert.Equal(t, s, setting{p, n})
		}
		for _, s := range works {
			run(t, attr(thread.Attr{Policy: s.p, Priority: s.n}), func() {
				is(s)
				for _, s := range works {
					assert.NoError(t, thread.Current().SetPriority(s.p, s.n))
					is(s)
				}
			})
		}
		for _, s := range not {
			refused(t, attr(thread.Attr{Policy: s.p, Priority: s.n}))
			run(t, attr(thread.Attr{}), func() {
				assert.ErrorIs(t, thread.Current().SetPriority(s.p, s.n), errors.ErrUnsupported)
			})
		}
		if cell == "no" {
			run(t, attr(thread.Attr{}), func() {
				_, _, err := thread.Current().Priority()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			})
		}
	})
}

func checkClasses(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		for q := thread.QoSBackground; q <= thread.QoSUserInteractive; q++ {
			switch cell {
			case "yes":
				run(t, attr(thread.Attr{QoS: q}), func() {
					got, err := thread.Current().QoS()
					assert.NoError(t, err)
					assert.Equal(t, q, got)
				})
			case "no":
				refused(t, attr(thread.Attr{QoS: q}))
			default:
				unknownCell(t, cell)
			}
		}
		if cell == "no" {
			run(t, attr(thread.Attr{}), func() {
				_, err := thread.Current().QoS()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			})
		}
	})
}

func checkNiceness(t *testing.T, cell string) {
	// niceness is read from /proc for the calling thread: the 17th field after
	// the name, which stands in parentheses (proc_pid_stat(5)).
	niceness := func() string {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", thread.NativeID()))
		assert.NoError(t, err)
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		return fields[16]
	}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{Nice: 5}), func() {
				assert.Equal(t, "5", niceness())
				assert.NoError(t, thread.Current().SetNice(7))
				assert.Equal(t, "7", niceness())
			})
		case "no":
			refused(t, attr(thread.Attr{Nice: 5}))
			run(t, attr(thread.Attr{}), func() {
				assert.ErrorIs(t, thread.Current().SetNice(5), errors.ErrUnsupported)
			})
		default:
			unknownCell(t, cell)
		}
	})
}

func checkTimerSlacks(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{TimerSlack: time.Microsecond}), func() {
				me := thread.Current()
				slacks := []time.Duration{time.Microsecond, 1}
				if os.Getenv(leak.ExecEnv) == "" || math.MaxInt == math.MaxInt32 {
					// Above 2^31 ns, which emulators take for an int.
					slacks = append(slacks, 3*time.Second)
				}
				for _, set := range slacks {
					assert.NoError(t, me.SetTimerSlack(set))
					got, err := me.TimerSlack()
					assert.NoError(t, err)
					assert.Equal(t, set, got)
				}
			})
		case "no":
			refused(t, attr(thread.Attr{TimerSlack: time.Microsecond}))
			run(t, attr(thread.Attr{}), func() {
				assert.ErrorIs(t, thread.Current().SetTimerSlack(time.Microsecond), errors.ErrUnsupported)
				_, err := thread.Current().TimerSlack()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			})
		default:
			unknownCell(t, cell)
		}
	})
}

// mayRefuse reports whether err is what a kernel without the feature (ENOSYS,
// which is errors.ErrUnsupported), a user without the right or an emulator
// returns.
func mayRefuse(err error) bool {
	return err == nil || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EBUSY) ||
		errors.Is(err, errors.ErrUnsupported) || os.Getenv(leak.ExecEnv) != ""
}

func checkBandwidths(t *testing.T, cell string) {
	b := thread.Bandwidth{Runtime: time.Millisecond, Deadline: 10 * time.Millisecond}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{}), func() {
				me := thread.Current()
				set := me.SetBandwidth(b)
				assert.True(t, mayRefuse(set), set)
				if set != nil {
					return
				}
				got, err := me.Bandwidth()
				assert.NoError(t, err)
				assert.Equal(t, b.Runtime, got.Runtime)
				on, err := me.ResetOnFork()
				assert.NoError(t, err)
				assert.True(t, on)
			})
		case "no":
			refused(t, attr(thread.Attr{Policy: thread.PolicyDeadline, Bandwidth: b}))
			refused(t, attr(thread.Attr{ResetOnFork: true}))
			run(t, attr(thread.Attr{}), func() {
				me := thread.Current()
				_, bandwidth := me.Bandwidth()
				_, reset := me.ResetOnFork()
				for _, err := range []error{me.SetBandwidth(b), bandwidth, me.SetResetOnFork(true), reset} {
					assert.ErrorIs(t, err, errors.ErrUnsupported)
				}
			})
		default:
			unknownCell(t, cell)
		}
	})
}

func checkMemoryPolicies(t *testing.T, cell string) {
	local := thread.MemoryPolicy{Mode: thread.MemoryLocal}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{}), func() {
				set := thread.SetMemoryPolicy(local)
				assert.True(t, mayRefuse(set), set)
				if set == nil {
					got, err := thread.CurrentMemoryPolicy()
					assert.NoError(t, err)
					assert.Equal(t, local, got)
				}
			})
		case "no":
			refused(t, attr(thread.Attr{Memory: &local}))
			run(t, attr(thread.Attr{}), func() {
				assert.ErrorIs(t, thread.SetMemoryPolicy(local), errors.ErrUnsupported)
				_, err := thread.CurrentMemoryPolicy()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			})
		default:
			unknownCell(t, cell)
		}
	})
}

func checkSignalMasks(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		switch cell {
		case "yes":
			run(t, attr(thread.Attr{SignalMask: []os.Signal{os.Interrupt}}), func() {
				status, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", thread.NativeID()))
				if err != nil {
					t.Logf("nothing shows the mask: %v", err)
					return
				}
				assert.Regexp(t, `SigBlk:\t0{14}02\n`, string(status))
			})
		case "no":
			refused(t, attr(thread.Attr{SignalMask: []os.Signal{os.Interrupt}}))
		default:
			unknownCell(t, cell)
		}
	})
}

func checkSignals(t *testing.T, cell string) {
	sig := thread.SignalSet(1 << (40 - 1)) // a real-time signal where there are any
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{}), func() {
			me, signal := thread.Current(), sig.List()[0]
			switch cell {
			case "yes":
				_, err := thread.SetSignalMask(thread.BlockSignals, sig)
				assert.NoError(t, err)
				assert.NoError(t, me.SignalValue(signal, 5))
				pending, err := thread.SignalPending()
				assert.NoError(t, err)
				assert.Equal(t, sig, pending)
				got, err := thread.Sigwait(sig)
				assert.NoError(t, err)
				assert.EqualValues(t, 5, got.Value)
				assert.NoError(t, me.Signal(signal))
				_, err = thread.TrySigwait(sig)
				assert.NoError(t, err)
			case "no":
				_, err := thread.SetSignalMask(thread.BlockSignals, sig)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				_, err = thread.SignalMask()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				_, err = thread.SignalPending()
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				assert.ErrorIs(t, me.Signal(signal), errors.ErrUnsupported)
				assert.ErrorIs(t, me.SignalValue(signal, 5), errors.ErrUnsupported)
				_, err = thread.Sigwait(sig)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				_, err = thread.SigwaitContext(t.Context(), sig)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				_, err = thread.TrySigwait(sig)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			default:
				unknownCell(t, cell)
			}
		})
	})
}

// checkInterrupt has a thread interrupt itself: what returns EINTR is the
// system's, and tested in package thread.
func checkInterrupt(t *testing.T, cell string) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{}), func() {
			me, ran := thread.Current(), false
			interrupted, err := thread.Interruptible(func() {
				ran = true
				assert.NoError(t, me.Interrupt())
				assert.True(t, thread.Interrupted())
				assert.NoError(t, me.Interrupt())
			})
			switch cell {
			case "yes":
				assert.NoError(t, err)
				assert.True(t, interrupted)
				assert.Equal(t, thread.ErrNotInterruptible, me.Interrupt())
			case "no":
				assert.False(t, ran)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				assert.ErrorIs(t, me.Interrupt(), errors.ErrUnsupported)
				assert.False(t, thread.Interrupted())
			default:
				unknownCell(t, cell)
			}
		})
	})
}

func checkCPUTimes(t *testing.T, cell string) {
	const least = 20 * time.Millisecond
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		var from *thread.Thread
		run(t, attr(thread.Attr{}), func() {
			from = thread.Current()
			switch used, err := from.CPUTime(); cell {
			case "yes":
				for begin := time.Now(); used < least && err == nil && time.Since(begin) < testTimeout; {
					used, err = from.CPUTime()
				}
				assert.NoError(t, err)
				assert.GreaterOrEqual(t, used, least)
			case "no":
				assert.ErrorIs(t, err, errors.ErrUnsupported)
			default:
				unknownCell(t, cell)
			}
		})
		_, err := from.CPUTime()
		assert.Equal(t, cell == "no", errors.Is(err, errors.ErrUnsupported), "after the end")
	})
}

func checkAliens(t *testing.T, cell string) {
	var seen *thread.Thread
	err := alienCall(func() { seen = thread.Current() })
	switch cell {
	case "yes":
		require.NoError(t, err)
		require.NotNil(t, seen)
		assert.Equal(t, "alien", kindOf(seen))
	case "do not exist":
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		assert.False(t, hasNative)
	default:
		unknownCell(t, cell)
	}
}

// checkSharedLock has C unlock what a thread of Go sleeps for.
func checkSharedLock(t *testing.T, cell string) {
	if buildinfo.PortableFutex {
		t.Skip("with portablefutex the lock is Go's alone, as the documentation says")
	}
	word, err := cMemory(t)
	if cell == "no" {
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	require.NoError(t, err)
	l := (*thread.Lock)(unsafe.Pointer(word))
	for range 100 {
		l.Lock()
		th, err := thread.Start(func() { l.Lock() }, nil)
		require.NoError(t, err)
		for atomic.LoadUint32(word) != contended {
			thread.Yield()
		}
		switch err := unlockAsC(word); {
		case errors.Is(err, errors.ErrUnsupported) && cell == "yes, 14.4":
			l.Unlock()
			require.NoError(t, th.Join())
			t.Skip(err)
		case cell != "yes" && cell != "yes, 14.4":
			unknownCell(t, cell)
			fallthrough
		default:
			assert.NoError(t, err)
		}
		require.NoError(t, th.JoinTimeout(testTimeout), "the sleeper was not woken")
		l.Unlock()
	}
	assert.False(t, l.Locked())
}
