// Package words formats rows, times and sizes in words, for the charts and the
// page.
package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"example.com/thread/bench/internal/result"
)

// Row returns the parameters of a row in words, the most important first, "" if
// it has none.
func Row(r result.Row) string { return Params(r.Params) }

// Params returns parameters in words, with caller and GOMAXPROCS last.
func Params(ps []result.Param) string {
	var first, last []string
	for _, p := range ps {
		if p.Key == "caller" || p.Key == "procs" {
			last = append(last, Param(p))
			continue
		}
		first = append(first, Param(p))
	}
	return strings.Join(append(first, last...), ", ")
}

// Param returns one parameter in words, with its unit.
func Param(p result.Param) string {
	switch p.Key {
	case "caller":
		return "called from " + p.Value + "s"
	case "object":
		return p.Value
	case "op":
		return op(p.Value)
	case "threads", "pairs", "permits", "producers", "consumers", "waiters", "objects", "tasks":
		return count(p.Value, strings.TrimSuffix(p.Key, "s"), p.Key)
	case "parties":
		return count(p.Value, "party", p.Key)
	case "reads":
		return p.Value + " % reads"
	case "work":
		if p.Value == "0" {
			return "no work"
		}
		return "work " + p.Value
	case "stack":
		if n, err := strconv.Atoi(p.Value); err == nil && n > 0 {
			return "stack of " + Bytes(float64(n))
		}
		return "default stack"
	case "sleep":
		if n, err := strconv.Atoi(p.Value); err == nil {
			return "wait of " + NS(float64(n))
		}
	case "policy":
		return policy(p.Value)
	case "bound":
		if p.Value == "true" {
			return "on processor 0 alone"
		}
		return "on any processor"
	case "slack":
		if n, err := strconv.Atoi(p.Value); err == nil {
			return "timer slack of " + NS(float64(n))
		}
	case "busy":
		return count(p.Value, "computing goroutine", "computing goroutines")
	case "reserved":
		return count(p.Value, "reserved place", "reserved places")
	case "procs":
		return "GOMAXPROCS " + p.Value
	}
	return p.Key + " " + p.Value
}

func op(value string) string {
	switch value {
	case "first":
		return "first call of a thread"
	case "again":
		return "each further call"
	case "current":
		return "current thread"
	case "nativeid":
		return "native id"
	case "local":
		return "thread-specific data"
	case "notify":
		return "all notified"
	case "cancel":
		return "all canceled"
	case "timeout":
		return "all timed out"
	case "submit":
		return "all submitted"
	case "run":
		return "all run"
	case "processes":
		return "each in its own process"
	default:
		return value
	}
}

func policy(value string) string {
	switch value {
	case "other":
		return "default policy"
	case "fifo":
		return "SCHED_FIFO"
	default:
		return value
	}
}

func count(n, one, many string) string {
	if n == "1" {
		return "1 " + one
	}
	return n + " " + many
}

// NS formats a time in ns with three digits and a suitable unit.
func NS(ns float64) string {
	switch a := math.Abs(ns); {
	case a < 999.5:
		return digits(ns) + " ns"
	case a < 999.5e3:
		return digits(ns/1e3) + " µs"
	case a < 999.5e6:
		return digits(ns/1e6) + " ms"
	default:
		return digits(ns/1e9) + " s"
	}
}

// Bytes formats a size in bytes with three digits and a suitable unit.
func Bytes(n float64) string {
	switch a := math.Abs(n); {
	case a < 1024:
		return digits(n) + " B"
	case a < 1<<20:
		return digits(n/1024) + " KiB"
	case a < 1<<30:
		return digits(n/(1<<20)) + " MiB"
	default:
		return digits(n/(1<<30)) + " GiB"
	}
}

// Number formats v with three digits, without an exponent.
func Number(v float64) string { return digits(v) }

// Ratio formats a ratio with a multiplication sign.
func Ratio(v float64) string { return digits(v) + "×" }

func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	after := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	text := strconv.FormatFloat(v, 'f', min(after, 6), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// Interval formats the two ends of an estimate with format.
func Interval(e result.Estimate, format func(float64) string) string {
	return fmt.Sprintf("%s to %s", format(e.Low), format(e.High))
}
