package sample

import (
	"math"
	"testing"
)

func TestBuckets(t *testing.T) {
	last := -1
	for i := range buckets {
		if lower(i) != int64(last)+1 && i < buckets-1 {
			t.Fatalf("bucket %d begins at %d, the one before ends at %d", i, lower(i), last)
		}
		if b := bucket(lower(i)); b != i {
			t.Fatalf("%d is in bucket %d, want %d", lower(i), b, i)
		}
		if b := bucket(upper(i)); b != i {
			t.Fatalf("%d is in bucket %d, want %d", upper(i), b, i)
		}
		if low, high := lower(i), upper(i); low >= sub && float64(high-low+1)/float64(low) > 1.0/sub {
			t.Fatalf("bucket %d from %d to %d is too wide", i, low, high)
		}
		last = int(upper(i))
	}
	if b := bucket(math.MaxInt64); b != buckets-1 {
		t.Errorf("the longest duration is in bucket %d of %d", b, buckets)
	}
}

func TestQuantile(t *testing.T) {
	var h Hist
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
	for i := range int64(100_000) {
		h.Add(i)
	}
	h.Add(-5)
	h.Add(12_345_678)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999} {
		want := q * 100_000
		if got := float64(h.Quantile(q)); math.Abs(got-want) > want/sub {
			t.Errorf("quantile %v: got %v, want about %v", q, got, want)
		}
	}
	if got := h.Quantile(1); got != 12_345_678 || h.Max() != got {
		t.Errorf("longest: got %d and %d, want 12345678", got, h.Max())
	}
}

func TestParseHistReadsString(t *testing.T) {
	var h Hist
	for _, ns := range []int64{0, 3, 3, 16, 1000, 999_999_999} {
		h.Add(ns)
	}
	got, err := ParseHist(h.String(), h.Max())
	if err != nil {
		t.Fatal(err)
	}
	if *got != h {
		t.Errorf("got %v, want %v", got, &h)
	}
	if _, err := ParseHist("0:1,1:2", 1); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"x", "1", "1:x", "-1:2,1:1", "100000:1", "1:-2", "1:2,", "1:0", "1:1,1:1", "2:1,1:1", "0:1", "", "1:1,2:1",
	} {
		if _, err := ParseHist(bad, 1); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestMergeAndCDF(t *testing.T) {
	var a, b Hist
	a.Add(1)
	a.Add(2)
	b.Add(2)
	b.Add(100)
	a.Merge(&b)
	if a.N() != 4 || a.Max() != 100 {
		t.Errorf("got %d, longest %d", a.N(), a.Max())
	}
	want := []Point{{1, 0.25}, {2, 0.75}, {100, 1}}
	got := a.CDF()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
