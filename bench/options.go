package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/measure"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/stats"
)

// options are the parsed and checked flags.
type options struct {
	measure.Options
	command  string
	specs    []scenario.Spec
	only     []string
	list     bool
	self     bool
	baseline *result.Run
	slip     float64 // share by which a row may be slower than in baseline; 0 for any

	json, benchfmt, html, svg string // output files; "" for none
}

func parse(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	run := f.String("run", "", "only rows whose name matches this `regexp`")
	only := f.String("only", "", "only these `contenders`, separated by commas; the baseline always runs")
	f.IntVar(&o.Rounds, "count", 12, fmt.Sprintf("`rounds` of each cell, at least %d", stats.LeastRounds))
	f.DurationVar(&o.Time, "time", 50*time.Millisecond, "`duration` of a round")
	quick := f.Bool("quick", false, "a selection of rows, 8 rounds of 8 ms each: under a minute")
	f.BoolVar(&o.list, "list", false, "list the rows and exit")
	f.BoolVar(
		&o.self,
		"self",
		false,
		"measure the baseline against itself, which must show no difference in 19 rows of 20",
	)
	f.StringVar(&o.json, "json", "", "write the results to this `file` as JSON")
	f.StringVar(&o.benchfmt, "benchfmt", "", "write the rounds to this `file` in the format of benchstat")
	f.StringVar(&o.html, "html", "", "write a page with charts and tables to this `file`")
	f.StringVar(&o.svg, "svg", "", "write the charts into this `folder`")
	baseline := f.String("baseline", "", "compare with the run that -json wrote to this `file`")
	slip := f.Float64("slip", 0,
		"fail if a row, relative to the first other contender, is slower than in -baseline by more than `percent`")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.command = commandLine(args)
	o.Timed = 2
	o.specs = scenario.All()
	if *quick {
		o.Timed = 1
		o.specs = scenario.Quick()
		if !given["count"] {
			o.Rounds = stats.LeastRounds
		}
		if !given["time"] {
			o.Time = 8 * time.Millisecond
		}
	}
	if o.Rounds < stats.LeastRounds {
		return o, fmt.Errorf(
			"-count %d: an interval needs at least %d rounds at %.0f %%",
			o.Rounds,
			stats.LeastRounds,
			100*stats.Confidence,
		)
	}
	if o.Time < time.Millisecond {
		return o, fmt.Errorf("-time %v: must be 1ms or more", o.Time)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	if o.slip = *slip / 100; o.slip < 0 {
		return o, fmt.Errorf("-slip %v: must not be negative", *slip)
	}
	if o.slip > 0 && (*baseline == "" || o.self) {
		return o, errors.New("-slip compares with -baseline: it needs that, and cannot be combined with -self")
	}
	if o.self && o.only != nil {
		return o, fmt.Errorf("-self measures only the baseline: it cannot be combined with -only")
	}
	if *baseline != "" {
		if o.baseline, err = result.ReadFile(*baseline); err != nil {
			return o, fmt.Errorf("-baseline: %w", err)
		}
	}
	return o, o.choose(*run)
}

// choose keeps the rows whose name matches.
func (o *options) choose(pattern string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	all := o.specs
	o.specs = nil
	for _, s := range all {
		if match.MatchString(s.Name()) {
			o.specs = append(o.specs, s)
		}
	}
	if len(o.specs) == 0 {
		return fmt.Errorf("no row matches %q; -list shows them", pattern)
	}
	return nil
}

// program is the shell command that runs this program, as it was built.
const program = "go run -C bench " + contender.Tags + "."

// commandLine returns a shell command for the same run.
func commandLine(args []string) string {
	words := []string{program}
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\n|&;()<>*?[]{}$`\"'\\!#~") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
