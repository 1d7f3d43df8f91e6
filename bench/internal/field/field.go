// Package field knows who takes part in a run: this program's own contenders,
// and those that are programs in other languages, as far as this machine has
// what they need.
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

// ServeFlag is the first argument of a process of this program that only does
// the rounds of one of its contenders, whose name is the second.
const ServeFlag = "-serve"

// names are the columns of the languages of package foreign.
var names = map[string]string{"C": "C pthreads", "Rust": "Rust", "Java": "Java", "Python": "CPython"}

// A Field is who takes part. It must be closed.
type Field struct {
	ctx      context.Context
	programs []*program
	absent   []result.Absence
	only     []string // names; none: all
}

// program is one contender in another process.
type program struct {
	*foreign.Program
	name string
}

// Open starts the programs that one of specs needs and that are among only; one
// that cannot be made or started here is absent. Names in only that nobody has
// are an error. With alone it starts none. ctx ends them.
func Open(ctx context.Context, specs []scenario.Spec, only []string, alone bool) (*Field, error) {
	f := &Field{ctx: ctx, only: only}
	if err := f.check(specs); err != nil {
		return nil, err
	}
	if alone || !slices.ContainsFunc(specs, scenario.Spec.HasThreads) {
		return f, nil
	}
	for _, language := range foreign.Languages() {
		if !f.wanted(names[language]) {
			continue
		}
		p, err := foreign.Start(ctx, language)
		if err != nil && ctx.Err() == nil { // no tools, or some that do not work: a stub, too old a compiler
			f.absent = append(f.absent, result.Absence{Contender: names[language], Why: sample.Absent(err).Why})
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", names[language], err), f.Close())
		}
		f.programs = append(f.programs, &program{p, names[language]})
	}
	return f, nil
}

// check refuses names that no row of specs has.
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

// Absent returns who cannot take part and why.
func (f *Field) Absent() []result.Absence { return f.absent }

// Tools returns what the programs run on.
func (f *Field) Tools() (ts []result.Tool) {
	for _, p := range f.programs {
		ts = append(ts, result.Tool{Contender: p.name, Version: p.Version()})
	}
	return ts
}

// For returns those who take part in a row, the baseline first and always.
func (f *Field) For(s scenario.Spec) (cs []contender.Contender) {
	for i, c := range contender.For(s) {
		if i != 0 && !f.wanted(c.Name) {
			continue
		}
		if s.Kind == scenario.Many {
			c.Run = f.apart(c.Name)
		}
		cs = append(cs, c)
	}
	if !s.HasThreads() {
		return cs
	}
	for _, p := range f.programs {
		cs = append(cs, contender.Contender{Name: p.name, Run: p.run})
	}
	for _, a := range f.absent {
		cs = append(
			cs,
			contender.Contender{Name: a.Contender, Run: func(scenario.Spec, sample.Round) (sample.Sample, error) {
				return sample.Sample{}, &sample.AbsentError{Why: a.Why}
			}},
		)
	}
	return cs
}

// run does one round, of many threads in a process of its own.
func (p *program) run(s scenario.Spec, r sample.Round) (sample.Sample, error) {
	if s.Kind != scenario.Many {
		return p.Program.Run(s, r)
	}
	fresh, err := p.Fresh()
	if err != nil {
		return sample.Sample{}, err
	}
	found, err := fresh.Run(s, r)
	return found, errors.Join(err, fresh.Close())
}

// apart returns the Run of one of this program's own contenders that gives each
// round a new process.
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
			// so many threads are more than the system allows, of which Go's
			// runtime ends the process
			err = sample.Absent(err)
		}
		return found, errors.Join(err, p.Close())
	}
}

// Serve is what a process with ServeFlag does.
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
