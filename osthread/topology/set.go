package topology

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// A Set is a set of processors, by the numbers that the system gives them. The
// zero value is empty. A Set does not change: its methods return new ones.
type Set struct{ words []uint64 } // without zeros at the end

// MaxCPU is the greatest number of a processor in a Set, far above what any
// kernel has.
const MaxCPU = 1<<16 - 1

// Of returns the set of cpus. It panics if a number is negative or above
// MaxCPU, as no system has such a processor.
func Of(cpus ...int) Set { return Set{}.With(cpus...) }

// With returns s with cpus added. It panics as Of does.
func (s Set) With(cpus ...int) Set {
	words := slices.Clone(s.words)
	for _, n := range cpus {
		if n < 0 || n > MaxCPU {
			panic(fmt.Sprintf("topology: processor %d", n))
		}
		for len(words) <= n/64 {
			words = append(words, 0)
		}
		words[n/64] |= 1 << (n % 64)
	}
	return Set{words}
}

// Has reports whether cpu is in s.
func (s Set) Has(cpu int) bool {
	return cpu >= 0 && cpu/64 < len(s.words) && s.words[cpu/64]>>(cpu%64)&1 != 0
}

// Len returns the number of processors in s.
func (s Set) Len() (n int) {
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// IsEmpty reports whether s has no processor.
func (s Set) IsEmpty() bool { return len(s.words) == 0 }

// All returns the processors in ascending order.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s.words {
			for ; w != 0; w &= w - 1 {
				if !yield(64*i + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// List returns the processors in ascending order, as thread.Attr.Affinity and
// thread.Thread.SetAffinity take them.
func (s Set) List() []int { return slices.Collect(s.All()) }

// Equal reports whether s and t have the same processors.
func (s Set) Equal(t Set) bool { return slices.Equal(s.words, t.words) }

// Union returns what is in s or t.
func (s Set) Union(t Set) Set { return combine(s, t, func(a, b uint64) uint64 { return a | b }) }

// Intersect returns what is in s and t.
func (s Set) Intersect(t Set) Set { return combine(s, t, func(a, b uint64) uint64 { return a & b }) }

// Minus returns what is in s and not in t.
func (s Set) Minus(t Set) Set { return combine(s, t, func(a, b uint64) uint64 { return a &^ b }) }

func combine(s, t Set, op func(a, b uint64) uint64) Set {
	words := make([]uint64, max(len(s.words), len(t.words)))
	at := func(words []uint64, i int) uint64 {
		if i < len(words) {
			return words[i]
		}
		return 0
	}
	for i := range words {
		words[i] = op(at(s.words, i), at(t.words, i))
	}
	for len(words) > 0 && words[len(words)-1] == 0 {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return Set{}
	}
	return Set{words}
}

// String returns s as the kernel writes lists of processors (cpuset(7), List
// format): "0-3,8". An empty set is "".
func (s Set) String() string {
	var b strings.Builder
	first, last := -1, -2
	end := func() {
		switch {
		case first < 0:
			return
		case b.Len() > 0:
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(first))
		if last > first {
			fmt.Fprintf(&b, "-%d", last)
		}
	}
	for n := range s.All() {
		if n == last+1 {
			last = n
			continue
		}
		end()
		first, last = n, n
	}
	end()
	return b.String()
}

// Parse reads a set in the form of String, and with the stride that the kernel
// accepts: "0-31:2/8" is the first two of every eight. Spaces around it are
// ignored.
func Parse(text string) (Set, error) {
	var s Set
	text = strings.TrimSpace(text)
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if err := s.add(part); err != nil {
			return Set{}, fmt.Errorf("topology: %q: %w", text, err)
		}
	}
	return s, nil
}

func (s *Set) add(part string) error {
	span, stride, strided := strings.Cut(part, ":")
	from, to, isSpan := strings.Cut(span, "-")
	first, err := number(from)
	if err != nil {
		return err
	}
	last := first
	if isSpan {
		if last, err = number(to); err != nil {
			return err
		}
	}
	used, group := 1, 1
	if strided {
		u, g, ok := strings.Cut(stride, "/")
		if !ok || !isSpan {
			return fmt.Errorf("no stride: %q", part)
		}
		if used, err = number(u); err != nil {
			return err
		}
		if group, err = number(g); err != nil {
			return err
		}
	}
	if last < first || used < 1 || used > group {
		return fmt.Errorf("no processors: %q", part)
	}
	var cpus []int
	for n := first; n <= last; n++ {
		if (n-first)%group < used {
			cpus = append(cpus, n)
		}
	}
	*s = s.With(cpus...)
	return nil
}

func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err
}

// MarshalText is String, for encoding/json and others.
func (s Set) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is Parse. s is unchanged if it fails.
func (s *Set) UnmarshalText(text []byte) error {
	t, err := Parse(string(text))
	if err == nil {
		*s = t
	}
	return err
}
