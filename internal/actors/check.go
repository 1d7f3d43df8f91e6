package actors

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// flagGiven reports whether the command line says how many sequences to check.
var flagGiven = sync.OnceValue(func() (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	return given
})

// Check checks prop with random sequences of steps: as many as the flag
// -rapid.checks or the environment variable OSTHREAD_TEST_CHECKS says, else n.
// With -short package rapid checks a fifth of them, of half the length.
func Check(t *testing.T, n int, prop func(t *rapid.T)) {
	t.Helper()
	skipIfEmulated(t)
	if !flagGiven() {
		n := testutil.Rounds("OSTHREAD_TEST_CHECKS", n, n)
		testutil.Must(flag.Set("rapid.checks", fmt.Sprint(n)))
	}
	rapid.Check(t, prop)
}

// skipIfEmulated skips tb under an emulator and on Windows, which runs in one
// where this module is tested: a sequence takes long there.
func skipIfEmulated(tb testing.TB) {
	tb.Helper()
	if os.Getenv(leak.ExecEnv) != "" || runtime.GOOS == "windows" {
		tb.Skip("sequences are checked on systems that run without an emulator")
	}
}

// Fuzz makes f a fuzz test of prop: the input is what the sequence of steps is
// drawn from.
func Fuzz(f *testing.F, prop func(t *rapid.T)) {
	f.Helper()
	skipIfEmulated(f)
	for _, seed := range []uint64{1, 20, 300, 4000} {
		b := make([]byte, 1<<12)
		for i := range b { // xorshift64
			seed ^= seed << 13
			seed ^= seed >> 7
			seed ^= seed << 17
			b[i] = byte(seed)
		}
		f.Add(b)
	}
	f.Fuzz(rapid.MakeFuzz(prop))
}
