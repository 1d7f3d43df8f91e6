package foreign

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

func TestParseReadsFormat(t *testing.T) {
	for _, spec := range scenario.All() {
		for _, timed := range []bool{false, true} {
			want := sample.Round{Warm: 5 * time.Millisecond, Time: time.Second, Timed: timed}
			line := Format(spec, want)
			gotSpec, gotRound, err := Parse(line)
			if err != nil || gotSpec != spec || gotRound != want {
				t.Errorf("%s: got %+v %+v %v, want %+v %+v", line, gotSpec, gotRound, err, spec, want)
			}
		}
	}
}

func TestFormatIsAsDocumented(t *testing.T) {
	spec := scenario.Spec{Kind: scenario.Lock, Threads: 4, Work: 50}
	got := Format(spec, sample.Round{Warm: 5 * time.Millisecond, Time: 50 * time.Millisecond})
	want := "run kind=lock threads=4 work=50 batch=98 warm_ns=5000000 time_ns=50000000 timed=0"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseRejectsUnknownInput(t *testing.T) {
	for _, line := range []string{
		"", "stop", "run", "run kind=lock", "run kind=rest time_ns=1", "run kind=lock time_ns=0", "run kind=lock time_ns=1 colour=2",
		"run kind=lock time_ns=1 threads", "run kind=lock time_ns=1 threads=-1", "run kind=lock time_ns=1 threads=x",
		"run kind=lateness time_ns=1 bound=perhaps",
	} {
		if _, _, err := Parse(line); err == nil {
			t.Errorf("%q: no error", line)
		}
	}
}

func TestParseSampleReadsFormatSample(t *testing.T) {
	var waits sample.Hist
	for ns := int64(1); ns < 1e12; ns = ns*3 + 1 {
		waits.Add(ns)
	}
	for _, want := range []sample.Sample{
		{Ops: 12, Elapsed: time.Second, CPU: time.Millisecond, Switches: 7, Least: 5, Most: 7},
		{Ops: 1, Elapsed: 1, CPU: sample.Unknown, Switches: sample.Unknown, Bytes: 8192.5},
		{Ops: 1, Elapsed: 1, Waits: &waits},
		{Ops: 1, Elapsed: 1, Waits: new(sample.Hist)},
	} {
		line := formatSample(want)
		got, err := parseSample(line, want.Waits != nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v %v, want %+v", line, got, err, want)
		}
	}
}

func TestParseSampleRejectsBadAnswers(t *testing.T) {
	const good = "ok ops=2 ns=1 cpu_ns=1 switches=1 least=0 most=1 hist=3:1,5:2 max_ns=5 bytes=0"
	if _, err := parseSample(good, true); err != nil {
		t.Fatal(err)
	}
	lines := []string{"", "okay", "ok", "ok ops=1", "error no", good + " more", good + " ops=2"}
	for field, bad := range map[string][]string{
		"ops=2":        {"ops=x", "ops=-1", "ops=0", ""},
		"ns=1":         {"ns=0", "ns=-5", "ns=", ""},
		"cpu_ns=1":     {"cpu_ns=-7", "cpu_ns=0.5"},
		"switches=1":   {"switches=-2", "ns=1"},
		"least=0":      {"least=2", "least=-1"},
		"most=1":       {"most=3"},
		"hist=3:1,5:2": {"hist=1", "hist=9999:1", "hist=5:2,3:1", "hist=5:1,5:1", "hist=3:1,5:0", "hist=3:1", "hist=", ""},
		"max_ns=5":     {"max_ns=0", "max_ns=-1", "max_ns=6", ""},
		"bytes=0":      {"bytes=x", "bytes=NaN", "bytes=Inf", ""},
	} {
		for _, b := range bad {
			lines = append(lines, strings.Replace(good, " "+field, " "+b, 1))
		}
	}
	for _, line := range lines {
		_, err := parseSample(line, true)
		if err == nil || sample.IsAbsent(err) {
			t.Errorf("%q: got error %v", line, err)
		}
	}
	_, err := parseSample("absent no such thing", true)
	if absent, ok := errors.AsType[*sample.AbsentError](err); !ok || absent.Why != "no such thing" {
		t.Errorf("absent: got error %v", err)
	}
}

func TestServeAnswersEachLine(t *testing.T) {
	lock := scenario.Spec{Kind: scenario.Lock, Threads: 2}
	park := scenario.Spec{Kind: scenario.Park}
	round := sample.Round{Time: time.Second}
	in := strings.Join([]string{"bucket 15", Format(lock, round), Format(park, round), "bucket 16"}, "\n")
	var out strings.Builder
	err := Serve(strings.NewReader(in), &out, "go1.x\ny", func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
		if s == park {
			return sample.Sample{}, &sample.AbsentError{Why: "of two\nlines"}
		}
		return sample.Sample{Ops: int64(s.Threads), Elapsed: r.Time}, nil
	})
	want := "ready go1.x y\nok 15\n" +
		"ok ops=2 ns=1000000000 cpu_ns=0 switches=0 least=0 most=0 hist= max_ns=0 bytes=0\n" +
		"absent of two lines\nok 16\n"
	if err != nil || out.String() != want {
		t.Errorf("got error %v and\n%s\nwant\n%s", err, out.String(), want)
	}
}

func TestServeEndsAtAnError(t *testing.T) {
	broken := errors.New("broken\nin two")
	park := Format(scenario.Spec{Kind: scenario.Park}, sample.Round{Time: 1})
	for _, line := range []string{"nonsense", "bucket x", park} {
		var out strings.Builder
		err := Serve(
			strings.NewReader(line+"\nbucket 1\n"),
			&out,
			"1",
			func(scenario.Spec, sample.Round) (sample.Sample, error) {
				return sample.Sample{}, broken
			},
		)
		_, answer, _ := strings.Cut(out.String(), "\n")
		if err == nil || !strings.HasPrefix(answer, "error ") || strings.Count(answer, "\n") != 1 {
			t.Errorf("%q: got error %v and %q", line, err, answer)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestServeReturnsWriteErrors(t *testing.T) {
	if err := Serve(strings.NewReader("bucket 1\n"), full{}, "1", nil); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}
