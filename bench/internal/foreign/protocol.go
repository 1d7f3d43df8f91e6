package foreign

// The lines of the protocol, for both sides: the tool and the server of rounds.

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// Format returns the line that asks for a round of spec.
func Format(spec scenario.Spec, round sample.Round) string {
	var b strings.Builder
	fmt.Fprintf(&b, "run kind=%s", spec.Kind)
	for _, p := range spec.Params() {
		fmt.Fprintf(&b, " %s=%s", p.Key, p.Value)
	}
	timed := 0
	if round.Timed {
		timed = 1
	}
	fmt.Fprintf(
		&b,
		" batch=%d warm_ns=%d time_ns=%d timed=%d",
		spec.Batch(),
		round.Warm.Nanoseconds(),
		round.Time.Nanoseconds(),
		timed,
	)
	return b.String()
}

// Parse parses a line of [Format]. It fails for an unknown key or kind and for
// a round without time.
func Parse(line string) (spec scenario.Spec, round sample.Round, err error) {
	rest, ok := strings.CutPrefix(line, "run ")
	if !ok {
		return spec, round, fmt.Errorf("%q does not ask for a run", line)
	}
	for _, pair := range strings.Fields(rest) {
		if err := parsePair(&spec, &round, pair); err != nil {
			return spec, round, err
		}
	}
	switch {
	case !kinds[spec.Kind]:
		return spec, round, fmt.Errorf("kind %q: unknown", spec.Kind)
	case round.Time <= 0:
		return spec, round, errors.New("time_ns is missing")
	}
	return spec, round, nil
}

var kinds = func() map[scenario.Kind]bool {
	m := map[scenario.Kind]bool{}
	for _, s := range scenario.All() {
		m[s.Kind] = true
	}
	return m
}()

func parsePair(spec *scenario.Spec, round *sample.Round, pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok {
		return fmt.Errorf("%q: want key=value", pair)
	}
	switch key {
	case "kind":
		spec.Kind = scenario.Kind(value)
		return nil
	case "caller":
		spec.Caller = scenario.Caller(value)
		return nil
	case "op":
		spec.Op = value
		return nil
	case "object":
		spec.Object = value
		return nil
	case "policy":
		spec.Policy = value
		return nil
	case "bound":
		var err error
		spec.Bound, err = strconv.ParseBool(value)
		return err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return fmt.Errorf("%q: want a non-negative number", pair)
	}
	return setNumber(spec, round, key, n)
}

func setNumber(spec *scenario.Spec, round *sample.Round, key string, n int) error {
	fields := map[string]*int{
		"threads": &spec.Threads, "pairs": &spec.Pairs, "parties": &spec.Parties, "permits": &spec.Permits, "capacity": &spec.Capacity,
		"producers": &spec.Producers, "consumers": &spec.Consumers, "reads": &spec.Reads, "work": &spec.Work, "think": &spec.Think,
		"waiters": &spec.Waiters, "objects": &spec.Objects, "tasks": &spec.Tasks, "stack": &spec.Stack, "sleep": &spec.Sleep, "procs": &spec.Procs,
		"slack": &spec.Slack, "busy": &spec.Busy, "reserved": &spec.Reserved,
	}
	switch key {
	case "batch": // derived from the other fields
	case "warm_ns":
		round.Warm = time.Duration(n)
	case "time_ns":
		round.Time = time.Duration(n)
	case "timed":
		round.Timed = n != 0
	default:
		f, ok := fields[key]
		if !ok {
			return fmt.Errorf("key %q: unknown", key)
		}
		*f = n
	}
	return nil
}

// formatSample returns the answer to a round.
func formatSample(s sample.Sample) string {
	hist, longest := "", int64(0)
	if s.Waits != nil {
		hist, longest = s.Waits.String(), s.Waits.Max()
	}
	return fmt.Sprintf(
		"ok ops=%d ns=%d cpu_ns=%d switches=%d least=%d most=%d hist=%s max_ns=%d bytes=%s",
		s.Ops,
		s.Elapsed.Nanoseconds(),
		s.CPU.Nanoseconds(),
		s.Switches,
		s.Least,
		s.Most,
		hist,
		longest,
		strconv.FormatFloat(s.Bytes, 'f', -1, 64),
	)
}

// parseSample parses an answer. s.Waits is nil unless waits is set.
func parseSample(line string, waits bool) (s sample.Sample, err error) {
	verdict, rest, _ := strings.Cut(line, " ")
	switch verdict {
	case "ok":
	case "absent":
		return s, &sample.AbsentError{Why: rest}
	case "error":
		return s, errors.New(rest)
	default:
		return s, fmt.Errorf("answer %q: want ok, absent or error", line)
	}
	var hist string
	var cpu, elapsed, longest int64
	integer := func(n *int64) func(string) error {
		return func(value string) (err error) {
			*n, err = strconv.ParseInt(value, 10, 64)
			return err
		}
	}
	fields := map[string]func(value string) error{
		"ops": integer(&s.Ops), "ns": integer(&elapsed), "cpu_ns": integer(&cpu), "switches": integer(&s.Switches),
		"least": integer(&s.Least), "most": integer(&s.Most), "max_ns": integer(&longest),
		"hist": func(value string) error { hist = value; return nil },
		"bytes": func(value string) (err error) {
			s.Bytes, err = strconv.ParseFloat(value, 64)
			return err
		},
	}
	for _, pair := range strings.Fields(rest) {
		key, value, _ := strings.Cut(pair, "=")
		set, ok := fields[key]
		if !ok {
			return s, fmt.Errorf("answer %q: %q: unknown or repeated", line, key)
		}
		delete(fields, key)
		if err := set(value); err != nil {
			return s, fmt.Errorf("answer %q: %w", line, err)
		}
	}
	if len(fields) != 0 {
		return s, fmt.Errorf("answer %q: missing fields", line)
	}
	s.Elapsed, s.CPU = time.Duration(elapsed), time.Duration(cpu)
	if !possible(s) {
		return s, fmt.Errorf("answer %q: impossible values", line)
	}
	if waits {
		if s.Waits, err = sample.ParseHist(hist, longest); err != nil {
			return s, fmt.Errorf("answer %q: %w", line, err)
		}
	}
	return s, nil
}

// possible reports whether a round can give s.
func possible(s sample.Sample) bool {
	return s.Ops >= 0 && s.Elapsed > 0 && s.CPU >= sample.Unknown && s.Switches >= sample.Unknown &&
		0 <= s.Least && s.Least <= s.Most && s.Most <= s.Ops && !math.IsNaN(s.Bytes) && !math.IsInf(s.Bytes, 0)
}

// Serve is the other side of [Program.Run]: it writes the ready line, then
// answers each line of in with the result of run, until in ends. It also
// answers with an error of run, and returns it unless it is an
// [sample.AbsentError].
func Serve(
	in io.Reader,
	out io.Writer,
	version string,
	run func(scenario.Spec, sample.Round) (sample.Sample, error),
) error {
	if _, err := fmt.Fprintf(out, "ready %s\n", oneLine(version)); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, failed := serveLine(lines.Text(), run)
		if absent, ok := errors.AsType[*sample.AbsentError](failed); ok {
			answer, failed = "absent "+oneLine(absent.Why), nil
		}
		if failed != nil {
			answer = "error " + oneLine(failed.Error())
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
	}
	return lines.Err()
}

func serveLine(line string, run func(scenario.Spec, sample.Round) (sample.Sample, error)) (string, error) {
	if text, ok := strings.CutPrefix(line, "bucket "); ok {
		ns, err := strconv.ParseInt(text, 10, 64)
		return fmt.Sprintf("ok %d", bucket(ns)), err
	}
	spec, round, err := Parse(line)
	if err != nil {
		return "", err
	}
	s, err := run(spec, round)
	if err != nil {
		return "", err
	}
	return formatSample(s), nil
}

// bucket returns the index under which sample.Hist counts a duration.
func bucket(ns int64) int {
	var h sample.Hist
	h.Add(ns)
	index, _, _ := strings.Cut(h.String(), ":")
	i, err := strconv.Atoi(index)
	if err != nil {
		panic(err) // unreachable: String writes one bucket
	}
	return i
}

// oneLine removes the line ends from text, which would end an answer.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
