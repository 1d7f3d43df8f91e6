// Package field assembles the contenders of a run: those of this process, and
// those that are programs in other languages, as far as their tools are
// installed.
package field

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/foreign"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// ServeFlag is the first argument of a child process of this program that
// serves rounds of one contender, named by the second argument.
const ServeFlag = "-serve"

// names are the column names of the languages of package foreign.
var names = map[string]string{
	"C": "C pthreads", "osthread.h": "osthread.h", "Rust": "Rust", "Java": "Java", "Python": "CPython",
}

// A Field is the contenders of a run. It must be closed.
type Field struct {
	ctx      context.Context
	programs []*program
	absent   []absence
	only     []string // names; empty for all
}

// program is a contender that runs in another process.
type program struct {
	*foreign.Program
	name, language string
}

// absence is a program that cannot take part.
type absence struct {
	result.Absence
	language string
}

// Open starts the programs that specs and only call for. A program that cannot
// be built or started on this machine is absent. It fails if only has a name
// that no contender has. If alone is set, it starts no program. The programs
// end when ctx is done.
func Open(ctx context.Context, specs []scenario.Spec, only []string, alone bool) (*Field, error) {
	f := &Field{ctx: ctx, only: only}
	if err := f.check(specs); err != nil {
		return nil, err
	}
	if alone || !slices.ContainsFunc(specs, scenario.Spec.HasThreads) {
		return f, nil
	}
	for _, language := range foreign.Languages() {
		has := func(s scenario.Spec) bool { return s.HasThreads() && foreign.Has(language, s) }
		if !f.wanted(names[language]) || !slices.ContainsFunc(specs, has) {
			continue
		}
		p, err := foreign.Start(ctx, language)
		if err != nil && ctx.Err() == nil { // the tools are missing or do not work: a stub, an old compiler
			why := result.Absence{Contender: names[language], Why: sample.Absent(err).Why}
			f.absent = append(f.absent, absence{why, language})
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", names[language], err), f.Close())
		}
		f.programs = append(f.programs, &program{p, names[language], language})
	}
	return f, nil
}

// check fails if only has a name that no row of specs has.
func (f *Field) check(specs []scenario.Spec) error {
	known := map[string]bool{}
	if slices.ContainsFunc(specs, scenario.Spec.HasThreads) {
		for _, n := range names {
			known[n] = true
		}
	}
	for _, s := range specs {
		for _, c := range contender.For(s) {
			known[c.Name] = true
		}
	}
	for _, n := range f.only {
		if !known[n] {
			return fmt.Errorf("no contender %q in these rows", n)
		}
	}
	return nil
}

func (f *Field) wanted(name string) bool { return len(f.only) == 0 || slices.Contains(f.only, name) }

// Close ends the programs.
func (f *Field) Close() error {
	var errs []error
	for _, p := range f.programs {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Absent returns the contenders that cannot take part, with the reason.
func (f *Field) Absent() (as []result.Absence) {
	for _, a := range f.absent {
		as = append(as, a.Absence)
	}
	return as
}

// Tools returns the versions of the programs' languages.
func (f *Field) Tools() (ts []result.Tool) {
	for _, p := range f.programs {
		ts = append(ts, result.Tool{Contender: p.name, Version: p.Version()})
	}
	return ts
}

// For returns the contenders of a row; the baseline is always the first.
func (f *Field) For(s scenario.Spec) (cs []contender.Contender) {
	for i, c := range contender.For(s) {
		if i != 0 && !f.wanted(c.Name) {
			continue
		}
		if s.Apart() {
			c.Run = f.apart(c.Name)
		}
		cs = append(cs, c)
	}
	if !s.HasThreads() {
		return cs
	}
	for _, p := range f.programs {
		if foreign.Has(p.language, s) {
			cs = append(cs, contender.Contender{Name: p.name, Ours: p.language == "osthread.h", Run: p.run})
		}
	}
	for _, a := range f.absent {
		if !foreign.Has(a.language, s) {
			continue
		}
		cs = append(
			cs,
			contender.Contender{Name: a.Contender, Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
				return sample.Sample{}, &sample.AbsentError{Why: a.Why}
			}},
		)
	}
	return cs
}

// run does one round, in a process of its own if the row asks for that.
func (p *program) run(s scenario.Spec, r sample.Round) (sample.Sample, error) {
	if !s.Apart() {
		return p.Program.Run(s, r)
	}
	fresh, err := p.Fresh()
	if err != nil {
		return sample.Sample{}, err
	}
	found, err := fresh.Run(s, r)
	return found, errors.Join(err, fresh.Close())
}

// apart returns a Run for one of this program's own contenders that does each
// round in a new process.
func (f *Field) apart(name string) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
		self, err := os.Executable()
		if err != nil {
			return sample.Sample{}, err
		}
		p, err := foreign.Command(f.ctx, self, ServeFlag, name)
		if err != nil {
			return sample.Sample{}, err
		}
		found, err := p.Run(s, r)
		if err != nil && f.ctx.Err() == nil {
			// the thread limit of the system was reached, at which Go's runtime
			// exits
			err = sample.Absent(err)
		}
		return found, errors.Join(err, p.Close())
	}
}

// Serve runs the child process that [ServeFlag] starts.
func Serve(name string, in io.Reader, out io.Writer) error {
	return foreign.Serve(in, out, contender.Baseline, func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
		for _, c := range contender.For(s) {
			if c.Name == name {
				return contender.Run(c, s, r)
			}
		}
		return sample.Sample{}, fmt.Errorf("no contender %q for %s", name, s.Name())
	})
}
