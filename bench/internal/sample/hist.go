package sample

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A Hist counts durations in ns in buckets of equal width within a power of
// two: sub of them, so that a bucket is at most 1/sub of its value wide. The
// contenders in other languages have the same buckets. The zero Hist is empty
// and ready.
type Hist struct {
	counts [buckets]int64
	n      int64
	max    int64
}

const (
	subBits = 4
	sub     = 1 << subBits
	buckets = (64 - subBits) * sub
)

// Add counts one duration; less than 0 counts as 0, which a clock that was set
// back may give.
func (h *Hist) Add(ns int64) {
	ns = max(ns, 0)
	h.counts[bucket(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

// bucket returns the index of a duration: itself below sub, then sub to each
// power of two.
func bucket(ns int64) int {
	if ns < sub {
		return int(ns)
	}
	e := bits.Len64(uint64(ns)) - 1
	return (e-subBits+1)*sub + int(ns>>(e-subBits))&(sub-1)
}

// upper returns the largest duration of a bucket.
func upper(i int) int64 {
	if i < sub {
		return int64(i)
	}
	shift := i/sub - 1
	return int64(sub+i%sub+1)<<shift - 1
}

// lower returns the smallest.
func lower(i int) int64 {
	if i == 0 {
		return 0
	}
	return upper(i-1) + 1
}

// N returns how many were counted.
func (h *Hist) N() int64 { return h.n }

// Max returns the longest; it is exact.
func (h *Hist) Max() int64 { return h.max }

// Merge adds what o counted.
func (h *Hist) Merge(o *Hist) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// Quantile returns the duration that a share q of all do not exceed, as if
// those in a bucket were spread evenly over it; 0 if there are none.
func (h *Hist) Quantile(q float64) int64 {
	need := q * float64(h.n)
	seen := 0.0
	for i, c := range h.counts {
		if c == 0 {
			continue
		}
		if seen+float64(c) >= need {
			low := lower(i)
			return min(low+int64((need-seen)/float64(c)*float64(upper(i)+1-low)), h.max)
		}
		seen += float64(c)
	}
	return h.max
}

// A Point of a cumulative distribution: a Share of all took NS or less.
type Point struct {
	NS    int64   `json:"ns"`
	Share float64 `json:"share"`
}

// CDF returns the cumulative distribution at the buckets that are in use.
func (h *Hist) CDF() []Point {
	var ps []Point
	seen := int64(0)
	for i, c := range h.counts {
		if c != 0 {
			seen += c
			ps = append(ps, Point{min(upper(i), h.max), float64(seen) / float64(h.n)})
		}
	}
	return ps
}

// ParseHist reads buckets written as index:count,index:count in ascending
// order, and the longest duration, which must be in the last.
func ParseHist(text string, max int64) (*Hist, error) {
	h := &Hist{max: max}
	if text == "" {
		if max != 0 {
			return nil, fmt.Errorf("histogram: a longest duration, %d, of none", max)
		}
		return h, nil
	}
	last := -1
	for pair := range strings.SplitSeq(text, ",") {
		index, count, _ := strings.Cut(pair, ":")
		i, err := strconv.Atoi(index)
		if err != nil || i <= last || i >= buckets {
			return nil, fmt.Errorf("histogram: %q is no bucket, or not the next", pair)
		}
		c, err := strconv.ParseInt(count, 10, 64)
		if err != nil || c <= 0 {
			return nil, fmt.Errorf("histogram: %q has no count", pair)
		}
		h.counts[i] = c
		h.n += c
		last = i
	}
	if max < 0 || bucket(max) != last {
		return nil, fmt.Errorf("histogram: the longest duration, %d, is not in the last bucket, %d", max, last)
	}
	return h, nil
}

// String writes the buckets as ParseHist reads them.
func (h *Hist) String() string {
	var b strings.Builder
	for i, c := range h.counts {
		if c == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d:%d", i, c)
	}
	return b.String()
}
