package result

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Write writes r as JSON.
func (r *Run) Write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// ReadFile reads what Write wrote.
func ReadFile(name string) (*Run, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%s: version %d of the format, want %d", name, r.Version, Version)
	}
	return r, nil
}

// Cell returns the result of a contender in a row of that name; nil if there is none.
func (r *Run) Cell(row, contender string) *Cell {
	for i := range r.Rows {
		if r.Rows[i].Name != row {
			continue
		}
		for k := range r.Rows[i].Cells {
			if c := &r.Rows[i].Cells[k]; c.Contender == contender && c.Absent == "" {
				return c
			}
		}
	}
	return nil
}
