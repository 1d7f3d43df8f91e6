//go:build cgo && !android

package thread

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

const overflowStack = 256 << 10

// overflow reports overflows and lets a thread overflow its stack.
func overflow(attr *Attr) {
	testutil.Must(ReportStackOverflows())
	testutil.Must(ReportStackOverflows())
	th, err := Start(func() { ctest.Recurse(1 << 30) }, attr)
	testutil.Must(err)
	testutil.Must(th.Join())
}

func TestStackOverflowIsReported(t *testing.T) {
	for name, attr := range map[string]*Attr{
		"default guard": {Name: "too deep", StackSize: overflowStack},
		"large guard":   {Name: "too deep", StackSize: 2 << 20, GuardSize: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := leak.Child(t, func() { overflow(attr) })
			require.Error(t, err, "it has ended the process, as without a report")
			assert.Regexp(t, `(?m)^thread "too deep" \(\d+\): stack overflow in C code at 0x[0-9a-f]+: stack of \d+ bytes`, out)
			assert.Regexp(t, `SIGSEGV|signal 11|Segmentation|AddressSanitizer|MemorySanitizer`, out+fmt.Sprint(err))
		})
	}
}

// Faults in Go code are panics, and those in C elsewhere have no report.
func TestStackOverflowReportLeavesOtherFaults(t *testing.T) {
	out, err := leak.Child(t, func() {
		testutil.Must(ReportStackOverflows())
		debug.SetPanicOnFault(true)
		th, err := Start(func() {
			assert.Panics(t, func() { _ = **new(*int) })
			var p *int
			assert.Panics(t, func() { *p = 1 })
		}, nil)
		testutil.Must(err)
		testutil.Must(th.Join())
		fmt.Println("survived")
	})
	assert.NoError(t, err, out)
	assert.Contains(t, out, "survived")
	assert.NotContains(t, out, "overflow")
}

func TestStackOverflowIsNotReportedUnasked(t *testing.T) {
	if os.Getenv(leak.ExecEnv) != "" {
		t.Skip("an emulator ends by itself")
	}
	out, err := leak.Child(t, func() {
		th, err := Start(func() { ctest.Recurse(1 << 30) }, &Attr{StackSize: overflowStack})
		testutil.Must(err)
		testutil.Must(th.Join())
	})
	require.Error(t, err)
	assert.NotContains(t, out, "stack overflow in C code")
}
