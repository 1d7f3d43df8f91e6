package words

import (
	"testing"

	"example.com/thread/bench/internal/result"
)

func TestNumbersHaveThreeDigitsAndAUnit(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{NS(0), "0 ns"},
		{NS(0.25), "0.25 ns"},
		{NS(12.345), "12.3 ns"},
		{NS(999.4), "999 ns"},
		{NS(999.6), "1 µs"},
		{NS(200_000), "200 µs"},
		{NS(1.5e6), "1.5 ms"},
		{NS(2.5e9), "2.5 s"},
		{Bytes(512), "512 B"},
		{Bytes(64 << 10), "64 KiB"},
		{Bytes(3 << 19), "1.5 MiB"},
		{Bytes(5 << 30), "5 GiB"},
		{Ratio(0.0123), "0.0123×"},
		{Ratio(1), "1×"},
		{Number(12345), "12345"},
		{Number(100), "100"},
		{Interval(result.Estimate{Low: 900, High: 1100}, NS), "900 ns to 1.1 µs"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestParamsInWords(t *testing.T) {
	for _, c := range []struct {
		params []result.Param
		want   string
	}{
		{nil, ""},
		{
			[]result.Param{
				{Key: "caller", Value: "thread"},
				{Key: "threads", Value: "16"},
				{Key: "work", Value: "0"},
				{Key: "procs", Value: "2"},
			},
			"16 threads, no work, called from threads, GOMAXPROCS 2",
		},
		{
			[]result.Param{{Key: "threads", Value: "1"}, {Key: "parties", Value: "8"}, {Key: "reads", Value: "99"}},
			"1 thread, 8 parties, 99 % reads",
		},
		{[]result.Param{{Key: "stack", Value: "65536"}}, "stack of 64 KiB"},
		{[]result.Param{{Key: "stack", Value: "0"}}, "default stack"},
		{
			[]result.Param{
				{Key: "sleep", Value: "200000"},
				{Key: "policy", Value: "fifo"},
				{Key: "bound", Value: "true"},
			},
			"wait of 200 µs, SCHED_FIFO, on processor 0 alone",
		},
		{[]result.Param{{Key: "unheard", Value: "of"}}, "unheard of"},
	} {
		if got := Params(c.params); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
