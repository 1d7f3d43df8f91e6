package report

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchfmt"

	"example.com/thread/bench/internal/result"
)

// Benchfmt writes the time of each round as a line of Go's benchmark format for
// benchstat: benchstat -col /contender FILE.
func Benchfmt(w io.Writer, r *result.Run) error {
	bw := benchfmt.NewWriter(w)
	m := r.Machine
	for _, row := range r.Rows {
		for _, c := range row.Cells {
			kind, params, _ := strings.Cut(row.Name, "/")
			name := strings.ToUpper(kind[:1]) + kind[1:]
			if params != "" {
				name += "/" + params
			}
			name += "/contender=" + strings.ReplaceAll(c.Contender, " ", "-")
			for _, ns := range c.Samples {
				res := benchfmt.Result{
					Name:   benchfmt.Name(name),
					Iters:  1,
					Values: []benchfmt.Value{{Value: ns / 1e9, Unit: "sec/op"}},
				}
				res.SetConfig("goos", m.OS)
				res.SetConfig("goarch", m.Arch)
				res.SetConfig("cpu", m.CPU)
				for i := range res.Config {
					res.Config[i].File = true
				}
				if err := bw.Write(&res); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}
