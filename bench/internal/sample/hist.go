package sample

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A Hist counts durations in ns. Each power of two has sub buckets of equal
// width, so that a bucket is at most 1/sub of its value wide. The contenders in
// other languages have the same buckets. The zero Hist is empty and ready to
// use.
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

// Add counts one duration. A negative one, possible if the clock was set back,
// counts as 0.
func (h *Hist) Add(ns int64) {
	ns = max(ns, 0)
	h.counts[bucket(ns)]++
	h.n++
	h.max = max(h.max, ns)
}

// bucket returns the index of a duration: the duration itself below sub, then
// sub buckets for each power of two.
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

// lower returns the smallest duration of a bucket.
func lower(i int) int64 {
	if i == 0 {
		return 0
	}
	return upper(i-1) + 1
}

// N returns the number of durations counted.
func (h *Hist) N() int64 { return h.n }

// Max returns the longest duration, exactly.
func (h *Hist) Max() int64 { return h.max }

// Merge adds the counts of o.
func (h *Hist) Merge(o *Hist) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// Quantile returns the duration that a share q of all do not exceed,
// interpolating linearly within a bucket; 0 if there are none.
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

// A Point of a cumulative distribution: Share of all durations are at most NS.
type Point struct {
	NS    int64   `json:"ns"`
	Share float64 `json:"share"`
}

// CDF returns the cumulative distribution at the nonempty buckets.
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

// ParseHist parses buckets in the form index:count,index:count in ascending
// order. max is the longest duration, which must be in the last bucket.
func ParseHist(text string, max int64) (*Hist, error) {
	h := &Hist{max: max}
	if text == "" {
		if max != 0 {
			return nil, fmt.Errorf("histogram: longest duration %d of an empty histogram", max)
		}
		return h, nil
	}
	last := -1
	for pair := range strings.SplitSeq(text, ",") {
		index, count, _ := strings.Cut(pair, ":")
		i, err := strconv.Atoi(index)
		if err != nil || i <= last || i >= buckets {
			return nil, fmt.Errorf("histogram: %q: not a bucket, or not in order", pair)
		}
		c, err := strconv.ParseInt(count, 10, 64)
		if err != nil || c <= 0 {
			return nil, fmt.Errorf("histogram: %q: no count", pair)
		}
		h.counts[i] = c
		h.n += c
		last = i
	}
	if max < 0 || bucket(max) != last {
		return nil, fmt.Errorf("histogram: longest duration %d is not in the last bucket %d", max, last)
	}
	return h, nil
}

// String returns the buckets in the form that ParseHist parses.
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
