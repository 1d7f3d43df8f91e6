package thread

import (
	"fmt"
	"iter"
	"math/bits"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A SignalSet is a set of signals (POSIX: sigset_t): bit n-1 stands for signal
// n. It is a value: its methods return new sets. The zero value is empty.
type SignalSet uint64

// AllSignals is the set of all signals (POSIX: sigfillset).
const AllSignals = ^SignalSet(0)

const maxSignal = 64

// Signals returns the set of the signals s. It panics with an error that is
// syscall.EINVAL if one of them has no number from 1 to 64. The signals of Plan
// 9, which have no numbers, are left out.
func Signals(s ...os.Signal) SignalSet { return SignalSet(0).With(s...) }

// With returns the set of the signals in s and those given (POSIX: sigaddset).
// It panics as Signals does.
func (s SignalSet) With(sigs ...os.Signal) SignalSet {
	for _, sig := range sigs {
		n, numbered := signalNumber(sig)
		if !numbered {
			continue
		}
		if n < 1 || n > maxSignal {
			panic(misuse("SignalSet", fmt.Errorf("signal %v is not in 1 to %d: %w", sig, maxSignal, syscall.EINVAL)))
		}
		s |= 1 << (n - 1)
	}
	return s
}

// Has reports whether sig is in s (POSIX: sigismember).
func (s SignalSet) Has(sig os.Signal) bool {
	n, numbered := signalNumber(sig)
	return numbered && n >= 1 && n <= maxSignal && s>>(n-1)&1 == 1
}

// Len returns the number of signals in s.
func (s SignalSet) Len() int { return bits.OnesCount64(uint64(s)) }

// IsEmpty reports whether s has no signals.
func (s SignalSet) IsEmpty() bool { return s == 0 }

// All returns the signals in s, ascending.
func (s SignalSet) All() iter.Seq[os.Signal] {
	return func(yield func(os.Signal) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(signalOf(bits.TrailingZeros64(uint64(s)) + 1)) {
				return
			}
		}
	}
}

// List returns the signals in s, ascending, as [Attr] takes them: never nil.
func (s SignalSet) List() []os.Signal { return slices.AppendSeq([]os.Signal{}, s.All()) }

// Union returns the set of the signals that are in s or t.
func (s SignalSet) Union(t SignalSet) SignalSet { return s | t }

// Intersect returns the set of the signals that are in s and t.
func (s SignalSet) Intersect(t SignalSet) SignalSet { return s & t }

// Minus returns the set of the signals that are in s and not in t.
func (s SignalSet) Minus(t SignalSet) SignalSet { return s &^ t }

// String returns the signals, ascending, by their names or else their numbers:
// "SIGINT,SIGUSR1,40".
func (s SignalSet) String() string {
	var names []string
	for ; s != 0; s &= s - 1 {
		n := bits.TrailingZeros64(uint64(s)) + 1
		name := osSignalName(n)
		if name == "" {
			name = strconv.Itoa(n)
		}
		names = append(names, name)
	}
	return strings.Join(names, ",")
}
