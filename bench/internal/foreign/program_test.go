package foreign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// serving makes this test binary a program: see [TestMain].
const serving = "OSTHREAD_FOREIGN_SERVE"

// TestMain runs, in a child, a program of the protocol that behaves as the
// variable says.
func TestMain(m *testing.M) {
	switch os.Getenv(serving) {
	case "":
		code := m.Run()
		for _, p := range compiledOnce {
			if err := p.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	case "parent": // of a child that ignores the end of its input
		os.Setenv(serving, "hang")
		p, err := Command(context.Background(), os.Args[0])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(p.process.cmd.Process.Pid)
		<-p.process.ended
	case "mute":
		fmt.Fprintln(os.Stderr, "cannot speak")
		os.Exit(3)
	case "hang":
		fmt.Fprintln(os.Stderr, "hanging")
		fmt.Println("ready to hang")
		r, w, err := os.Pipe()
		if err != nil {
			os.Exit(1)
		}
		_, _ = r.Read(make([]byte, 1)) // forever; select {} would be reported as a deadlock
		runtime.KeepAlive(w)
	default:
		err := Serve(os.Stdin, os.Stdout, "1", func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
			if s.Kind == scenario.Park {
				fmt.Fprintln(os.Stderr, "parked for good")
				os.Exit(4)
			}
			if s.Kind == scenario.Event {
				fmt.Print("ok ops=1 ns=1 cpu_ns=1 switches=1 least=0 most=0 hist= max_ns=0 bytes=12") // of 12345\n
				os.Exit(5)
			}
			return sample.Sample{Ops: int64(s.Threads), Elapsed: r.Time}, nil
		})
		if err != nil {
			os.Exit(1)
		}
	}
}

// command starts this test binary as a program.
func command(t *testing.T, how string) (*Program, error) {
	t.Helper()
	t.Setenv(serving, how)
	p, err := Command(t.Context(), os.Args[0])
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

// compiledOnce has a program of each language, so that tests do not compile it
// again.
var compiledOnce = map[string]*Program{}

// start starts the program of a language, or skips the test if it is absent.
func start(t *testing.T, language string) *Program {
	t.Helper()
	if compiledOnce[language] == nil {
		first, err := Start(context.Background(), language)
		if absent, ok := errors.AsType[*sample.AbsentError](err); ok {
			t.Skip(absent)
		}
		if err != nil {
			t.Fatal(err)
		}
		compiledOnce[language] = first
	}
	p, err := compiledOnce[language].Fresh()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func each(t *testing.T, test func(t *testing.T, language string)) {
	for _, l := range Languages() {
		t.Run(l, func(t *testing.T) { test(t, l) })
	}
}

// nothing lists the rows, by kind and op, that a language cannot do.
var nothing = map[string][]string{
	"C": {"callback first", "callback again", "waiters cancel"},
	"Rust": {
		"recursive",
		"semaphore",
		"submit",
		"callback first",
		"callback again",
		"identity nativeid",
		"lateness fifo",
		"lateness fifo bound",
		"waiters notify",
		"waiters cancel",
		"waiters timeout",
	},
	"Java": {
		"callback first",
		"callback again",
		"identity nativeid",
		"lateness fifo",
		"lateness fifo bound",
		"waiters notify",
		"waiters cancel",
		"waiters timeout",
	},
	"Python": {
		"rwlock",
		"park",
		"callback first",
		"callback again",
		"waiters notify",
		"waiters cancel",
		"waiters timeout",
	},
}

// refusable lists the rows that the machine may refuse: an ordinary user has no
// realtime policy, a container may not have every processor or so many threads.
var refusable = []string{"lateness fifo", "lateness fifo bound", "many"}

// short names a row as the two lists above do.
func short(s scenario.Spec) string {
	words := []string{string(s.Kind)}
	if s.Op != "" {
		words = append(words, s.Op)
	}
	if s.Policy == scenario.FIFO {
		words = append(words, s.Policy)
	}
	if s.Bound {
		words = append(words, "bound")
	}
	return strings.Join(words, " ")
}

func TestLanguagesDoTheirRows(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		p := start(t, language)
		absents := map[string]bool{}
		few := 1000
		if testing.Short() {
			few = 100
		}
		for _, spec := range scenario.All() {
			// More take the same paths.
			if !spec.HasThreads() || !Has(language, spec) || max(spec.Threads, spec.Waiters) > few {
				continue
			}
			for _, timed := range []bool{false, true} {
				if timed && spec.Apart() {
					continue // as untimed
				}
				round := sample.Round{Warm: time.Millisecond, Time: 5 * time.Millisecond, Timed: timed}
				s, err := p.Run(spec, round)
				// on a busy machine a round may be too short
				for range 12 {
					if err != nil || plausible(spec, round, s) == nil {
						break
					}
					round.Time *= 2
					s, err = p.Run(spec, round)
				}
				absent, ok := errors.AsType[*sample.AbsentError](err)
				switch {
				case ok && slices.Contains(refusable, short(spec)) && !slices.Contains(nothing[language], short(spec)):
					t.Logf("%s: refused here: %s", spec.Name(), absent.Why)
				case ok && absent.Why == "":
					t.Errorf("%s: absent without a reason", spec.Name())
				case ok:
					absents[short(spec)] = true
				case err != nil:
					t.Fatal(err)
				default:
					if err := plausible(spec, round, s); err != nil {
						t.Errorf("%s timed=%t: %v: %+v", spec.Name(), timed, err, s)
					}
				}
			}
		}
		got, want := slices.Sorted(maps.Keys(absents)), slices.Sorted(slices.Values(nothing[language]))
		if !slices.Equal(got, want) {
			t.Errorf("absent: got %q, want %q", got, want)
		}
	})
}

// longest is more than any round takes, however busy the machine is: what
// exceeds it is a wrong unit or an overflow.
const longest = time.Hour

// plausible returns an error if no round can give s.
func plausible(spec scenario.Spec, round sample.Round, s sample.Sample) error {
	var waits int64
	if s.Waits != nil {
		waits = s.Waits.N()
	}
	many, late := spec.Kind == scenario.Many, spec.Kind == scenario.Lateness
	// The wait of a single operation or batch may have ended just before the
	// first snapshot.
	some := s.Ops > int64(spec.Batch())
	switch {
	case s.Ops <= 0:
		return errors.New("no operations")
	case s.Elapsed > longest || !spec.Apart() && s.Elapsed < round.Time:
		return errors.New("elapsed")
	case s.CPU < sample.Unknown || s.CPU > longest:
		return errors.New("CPU time")
	case s.Switches < sample.Unknown:
		return errors.New("switches")
	case s.Least < 0 || s.Least > s.Most || s.Most > s.Ops:
		return errors.New("least, most")
	case spec.Counted() == 1 && s.Most != 0:
		return errors.New("most is set for a single thread")
	case spec.Counted() > 1 && s.Most == 0:
		return errors.New("most is not set")
	case (round.Timed || late) != (s.Waits != nil):
		return errors.New("histogram of an untimed round, or none of a timed one")
	case (round.Timed || late) && spec.Waits() && some && waits == 0:
		return errors.New("no waits")
	case waits > 0 && (s.Waits.Quantile(1) != s.Waits.Max() || s.Waits.Max() > int64(longest)):
		return errors.New("waits")
	case many && (s.Ops != int64(spec.Threads) || s.Bytes < 0 || s.Bytes > 1<<20):
		return errors.New("ops, bytes")
	case !many && !spec.Memory() && s.Bytes != 0:
		return errors.New("bytes")
	}
	return nil
}

func TestLanguagesHaveTheBucketsOfSample(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		p := start(t, language)
		values := []int64{-1, 0, 1, 1<<63 - 1}
		for shift := range 63 {
			v := int64(1) << shift
			values = append(values, v-1, v, v+1, v+rand.Int64N(v))
		}
		for _, ns := range values {
			got, err := p.ask(fmt.Sprintf("bucket %d", ns), answerTime)
			if want := fmt.Sprintf("ok %d", bucket(ns)); err != nil || got != want {
				t.Fatalf("bucket %d: got %q %v, want %q", ns, got, err, want)
			}
		}
	})
}

func TestLanguagesAnswerABadLineWithAnErrorAndEnd(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		first := start(t, language)
		const rest = " batch=1 warm_ns=1 time_ns=1 timed=0"
		for _, line := range []string{
			"nonsense", "run kind=lock", "run kind=rest" + rest, "run kind=lock threads=x" + rest,
		} {
			p, err := first.Fresh()
			if err != nil {
				t.Fatal(err)
			}
			answer, err := p.ask(line, answerTime)
			if err != nil || !strings.HasPrefix(answer, "error ") || len(answer) < len("error x") {
				t.Errorf("%q: got %q %v", line, answer, err)
			}
			if answer, err := p.ask("bucket 1", answerTime); err == nil {
				t.Errorf("%q: then it answers %q", line, answer)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestLanguagesEndWithTheirInput(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		p := start(t, language)
		if p.Version() == "" {
			t.Error("no version")
		}
		if err := p.process.in.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.process.ended:
		case <-time.After(answerTime):
			t.Fatal("it is still alive")
		}
		if p.process.err != nil {
			t.Errorf("it ended with %v", p.process.err)
		}
	})
}

func TestProgramRunReportsAKilledProgram(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		p := start(t, language)
		if err := p.process.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, err := p.Run(scenario.Spec{Kind: scenario.Lock, Threads: 1}, sample.Round{Time: time.Second})
		if err == nil || sample.IsAbsent(err) || !strings.Contains(err.Error(), "ended") {
			t.Errorf("got error %v", err)
		}
	})
}

// Each step depends on the previous one, and a multiplication and an addition
// take four cycles: no processor needs less than 0.4 ns for them, but a
// compiler could merge steps.
func TestLanguagesDoEveryStepOfWork(t *testing.T) {
	each(t, func(t *testing.T, language string) {
		p := start(t, language)
		const steps = 5000
		spec := scenario.Spec{Kind: scenario.Lock, Threads: 1, Work: steps}
		s, err := p.Run(spec, sample.Round{Warm: 50 * time.Millisecond, Time: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		took := s.Elapsed
		if s.CPU != sample.Unknown {
			took = s.CPU // unaffected by other processes
		}
		step := float64(took) / float64(s.Ops) / steps
		t.Logf("%.2f ns", step)
		if step < 0.4 {
			t.Errorf("a step takes %.2f ns", step)
		}
	})
}

func TestStartNamesTheMissingTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CC", "")
	each(t, func(t *testing.T, language string) {
		_, err := Start(t.Context(), language)
		if absent, ok := errors.AsType[*sample.AbsentError](err); !ok || absent.Why == "" {
			t.Errorf("got error %v", err)
		}
	})
}

func TestStartFailsForAnUnknownLanguage(t *testing.T) {
	if _, err := Start(t.Context(), "Esperanto"); err == nil || sample.IsAbsent(err) {
		t.Errorf("got error %v", err)
	}
}

func TestStartReportsTheCompilersError(t *testing.T) {
	if cAbsent != "" {
		t.Skip(cAbsent)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("CC", os.Args[0])
	t.Setenv(serving, "mute")
	_, err := Start(t.Context(), "C")
	if err == nil || sample.IsAbsent(err) || !strings.Contains(err.Error(), "cannot speak") {
		t.Errorf("got error %v", err)
	}
	empty(t, os.Getenv("TMPDIR"))
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestProgramCloseRemovesTheFolderAtTheLast(t *testing.T) {
	start(t, "Python") // or skips
	t.Setenv("TMPDIR", t.TempDir())
	p, err := Start(t.Context(), "Python")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := p.Fresh()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := fresh.Run(scenario.Spec{Kind: scenario.Many, Threads: 2}, sample.Round{Time: 1}); err != nil {
		t.Error(err)
	}
	if err := fresh.Close(); err != nil {
		t.Error(err)
	}
	empty(t, os.Getenv("TMPDIR"))
}

func TestCommandStartsAProgram(t *testing.T) {
	p, err := command(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Run(scenario.Spec{Kind: scenario.Lock, Threads: 5}, sample.Round{Time: time.Second})
	if err != nil || s.Ops != 5 || s.Elapsed != time.Second {
		t.Errorf("got %+v %v", s, err)
	}
}

func TestProgramRunReportsTheStandardErrorOfADeadProgram(t *testing.T) {
	p, err := command(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the error stays
		_, err = p.Run(scenario.Spec{Kind: scenario.Park}, sample.Round{Time: time.Second})
		if err == nil || !strings.Contains(err.Error(), "exit status 4") ||
			!strings.Contains(err.Error(), "parked for good") {
			t.Errorf("got error %v", err)
		}
	}
}

func TestProgramRunRejectsATruncatedAnswer(t *testing.T) {
	p, err := command(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Run(scenario.Spec{Kind: scenario.Event, Pairs: 1}, sample.Round{Time: time.Second})
	if err == nil || !strings.Contains(err.Error(), "exit status 5") {
		t.Errorf("got %+v and error %v", s, err)
	}
}

func TestCommandFailsForAProgramThatIsNeverReady(t *testing.T) {
	_, err := command(t, "mute")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "cannot speak") {
		t.Errorf("got error %v", err)
	}
}

func TestProgramRunKillsAProgramThatDoesNotAnswer(t *testing.T) {
	p, err := command(t, "hang")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.ask("bucket 1", 100*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no answer within") || !strings.Contains(err.Error(), "hanging") {
		t.Errorf("got error %v", err)
	}
	<-p.process.ended
}

func TestProgramEndsWithItsContext(t *testing.T) {
	t.Setenv(serving, "hang")
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Command(ctx, os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cancel()
	if _, err := p.ask("bucket 1", answerTime); err == nil || strings.Contains(err.Error(), "no answer") {
		t.Errorf("got error %v", err)
	}
}
