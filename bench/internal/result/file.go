package result

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Write writes r as JSON.
func (r *Run) Write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// ReadFile reads a file that Write wrote.
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
