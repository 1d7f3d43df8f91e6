package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/page"
	"example.com/thread/bench/internal/report"
	"example.com/thread/bench/internal/result"
)

// outputs are the files that a run writes. They are created before anything is
// measured, as temporary files in the destination folders, so that a path that
// cannot be written fails the run at once, and a failed run leaves the files of
// an earlier one untouched.
type outputs struct {
	files []output
	svg   string // a folder; "" for none
}

type output struct {
	name  string
	temp  *os.File
	write func(io.Writer, *result.Run) error
}

func reserve(o options) (out *outputs, err error) {
	out = &outputs{svg: o.svg}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.discard())
		}
	}()
	for _, f := range []output{
		{name: o.json, write: func(w io.Writer, r *result.Run) error { return r.Write(w) }},
		{name: o.benchfmt, write: report.Benchfmt},
		{name: o.html, write: page.Write},
	} {
		if f.name == "" {
			continue
		}
		if err := out.add(f); err != nil {
			return out, err
		}
	}
	if o.svg == "" {
		return out, nil
	}
	if err := os.MkdirAll(o.svg, 0o755); err != nil {
		return out, err
	}
	probe, err := os.CreateTemp(o.svg, ".bench-*")
	if err != nil {
		return out, err
	}
	return out, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// add creates the temporary file that will replace f.
func (out *outputs) add(f output) error {
	if info, err := os.Stat(f.name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", f.name)
	}
	temp, err := os.CreateTemp(filepath.Dir(f.name), "."+filepath.Base(f.name)+"-*")
	if err != nil {
		return err
	}
	f.temp = temp
	out.files = append(out.files, f)
	return nil
}

// discard removes the temporary files that are left.
func (out *outputs) discard() error {
	var errs []error
	for _, f := range out.files {
		if err := f.temp.Close(); !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
		errs = append(errs, os.Remove(f.temp.Name()))
	}
	out.files = nil
	return errors.Join(errs...)
}

// write writes all temporary files first and renames them afterwards, so that a
// write error leaves every earlier file untouched.
func (out *outputs) write(r *result.Run) error {
	if out.svg != "" {
		charts, err := chart.All(r)
		if err != nil {
			return err
		}
		for _, c := range charts {
			svg := func(w io.Writer, _ *result.Run) error { _, err := w.Write(c.SVG); return err }
			if err := out.add(output{name: filepath.Join(out.svg, c.Name+".svg"), write: svg}); err != nil {
				return err
			}
		}
	}
	for _, f := range out.files {
		if err := f.write(f.temp, r); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := f.temp.Chmod(0o644); err != nil {
			return err
		}
		if err := f.temp.Close(); err != nil {
			return err
		}
	}
	for len(out.files) > 0 {
		f := out.files[0]
		if err := os.Rename(f.temp.Name(), f.name); err != nil {
			return err
		}
		out.files = out.files[1:]
	}
	return nil
}
