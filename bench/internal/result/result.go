// Package result has the result of a run: the file that -json writes and
// -baseline reads, and the input of every report.
package result

import (
	"time"

	"example.com/thread/bench/internal/sample"
)

// Version is the version of the file format.
const Version = 1

// A Run is the result of one run of the tool.
type Run struct {
	Version int           `json:"version"`
	Command string        `json:"command"` // command line of the run
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Machine Machine       `json:"machine"`
	Rounds  int           `json:"rounds"`   // rounds per cell
	Round   time.Duration `json:"round_ns"` // duration of a round
	// Confidence is the confidence level of all intervals, such as 0.99.
	Confidence float64   `json:"confidence"`
	Warnings   []string  `json:"warnings,omitempty"`
	Absent     []Absence `json:"absent,omitempty"` // contenders that this machine lacks
	Rows       []Row     `json:"rows"`
}

// A Machine is what the figures depend on; unknown fields are "".
type Machine struct {
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	OS       string    `json:"os"`
	Arch     string    `json:"arch"`
	Kernel   string    `json:"kernel"`
	Go       string    `json:"go"`
	Libc     string    `json:"libc"`
	Governor string    `json:"governor"` // CPU frequency governor
	Load     []float64 `json:"load"`     // at the start, over 1, 5 and 15 minutes
	// Tools are the versions of the other contenders, such as "Rust", "rustc
	// 1.95.0".
	Tools []Tool `json:"tools,omitempty"`
}

// A Tool is the language version of a contender.
type Tool struct {
	Contender string `json:"contender"`
	Version   string `json:"version"`
}

// An Absence is the reason why a contender takes no part in the run.
type Absence struct {
	Contender string `json:"contender"`
	Why       string `json:"why"`
}

// A Row is one scenario. Its first cell is the baseline of the ratios.
type Row struct {
	Name   string  `json:"name"` // kind/key=value/...
	Kind   string  `json:"kind"`
	Params []Param `json:"params"`
	Cells  []Cell  `json:"cells"`
}

// A Param is one dimension of a row.
type Param struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A Verdict is the meaning of a ratio's interval.
type Verdict string

const (
	Slower       Verdict = "slower" // than the baseline: the interval lies above 1
	Faster       Verdict = "faster"
	NoDifference Verdict = "no difference" // the interval spans 1
)

// A Cell is one contender's result in a row.
type Cell struct {
	Contender string `json:"contender"`
	Ours      bool   `json:"ours,omitempty"`   // the contender is this library
	Absent    string `json:"absent,omitempty"` // why there is no result, in which case only the names are set; else ""
	// Time is ns per operation: elapsed time divided by the operations of all
	// threads. In a lateness row it is the median lateness.
	Time     Estimate  `json:"time"`
	Ratio    *Estimate `json:"ratio,omitempty"` // of Time to the baseline's, round by round; nil in the baseline
	Verdict  Verdict   `json:"verdict,omitempty"`
	CPU      *Estimate `json:"cpu,omitempty"`      // ns of user and system time per operation; nil if unknown
	Switches *Estimate `json:"switches,omitempty"` // context switches per operation; nil if unknown
	Bytes    *Estimate `json:"bytes,omitempty"`    // memory of each thread, caller or task, where the row measures that; else nil
	Shares   *Shares   `json:"shares,omitempty"`   // nil if there is only one thread
	Waits    *Waits    `json:"waits,omitempty"`
	Samples  []float64 `json:"samples"` // Time of each round
}

// An Estimate is a median and its confidence interval.
type Estimate struct {
	Center float64 `json:"center"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Shares shows how evenly the threads progressed: the operations of the slowest
// and of the busiest thread as shares of the mean; medians of the rounds.
type Shares struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// Waits is the distribution of the waits of single operations, in ns, over all
// timed rounds.
type Waits struct {
	N    int64          `json:"n"`
	P50  int64          `json:"p50"`
	P99  int64          `json:"p99"`
	P999 int64          `json:"p99.9"`
	Max  int64          `json:"max"`
	CDF  []sample.Point `json:"cdf"`
}

// Cell returns the result of a contender in a row, nil if there is none.
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

// Kinds returns the rows by kind; kinds and rows keep the order of the run.
func (r *Run) Kinds() [][]Row { return Groups(r.Rows, func(r Row) string { return r.Kind }) }

// Groups returns rows by key; keys and rows keep their order.
func Groups(rows []Row, key func(Row) string) [][]Row {
	index := map[string]int{}
	var out [][]Row
	for _, r := range rows {
		k := key(r)
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	return out
}
