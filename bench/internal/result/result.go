// Package result is what a run found: the file that -json writes and -baseline
// reads, and what every report is made from. It knows nothing of how a result
// came about.
package result

import (
	"time"

	"example.com/thread/bench/internal/sample"
)

// Version is of the file's format.
const Version = 1

// A Run is one call of the tool.
type Run struct {
	Version int           `json:"version"`
	Command string        `json:"command"` // that made it
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Machine Machine       `json:"machine"`
	Rounds  int           `json:"rounds"`   // a cell
	Round   time.Duration `json:"round_ns"` // the time of one
	// Confidence is that of all intervals, as 0.99.
	Confidence float64   `json:"confidence"`
	Warnings   []string  `json:"warnings,omitempty"`
	Absent     []Absence `json:"absent,omitempty"` // contenders that this machine lacks
	Rows       []Row     `json:"rows"`
}

// A Machine is what the figures depend on; "" where it is unknown.
type Machine struct {
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	OS       string    `json:"os"`
	Arch     string    `json:"arch"`
	Kernel   string    `json:"kernel"`
	Go       string    `json:"go"`
	Libc     string    `json:"libc"`
	Governor string    `json:"governor"` // of the processor's clock
	Load     []float64 `json:"load"`     // at the start, over 1, 5 and 15 minutes
	// Tools are the versions of the other contenders: "Rust", "rustc 1.95.0",
	// and so on.
	Tools []Tool `json:"tools,omitempty"`
}

// A Tool is what a contender runs on.
type Tool struct {
	Contender string `json:"contender"`
	Version   string `json:"version"`
}

// An Absence is why a contender takes no part in the run.
type Absence struct {
	Contender string `json:"contender"`
	Why       string `json:"why"`
}

// A Row is one scenario. Its first cell is the baseline that the ratios of the
// others are to.
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

// A Verdict says what a ratio's interval says.
type Verdict string

const (
	Slower       Verdict = "slower" // than the baseline: the interval lies above 1
	Faster       Verdict = "faster"
	NoDifference Verdict = "no difference" // the interval spans 1
)

// A Cell is one contender's result in a row.
type Cell struct {
	Contender string `json:"contender"`
	Ours      bool   `json:"ours,omitempty"`   // it is this library
	Absent    string `json:"absent,omitempty"` // why there is no result; "" if there is one, and then nothing else but the names is set
	// Time is ns an operation, elapsed time divided by the operations of all
	// threads; of a lateness row it is the median lateness.
	Time     Estimate  `json:"time"`
	Ratio    *Estimate `json:"ratio,omitempty"` // of Time to the baseline's, round by round; nil in the baseline
	Verdict  Verdict   `json:"verdict,omitempty"`
	CPU      *Estimate `json:"cpu,omitempty"`      // ns of user and system time an operation; nil where unknown
	Switches *Estimate `json:"switches,omitempty"` // context switches an operation; nil where unknown
	Bytes    *Estimate `json:"bytes,omitempty"`    // resident memory a thread, of many; nil where that is not the question
	Shares   *Shares   `json:"shares,omitempty"`   // nil where one thread does all
	Waits    *Waits    `json:"waits,omitempty"`
	Samples  []float64 `json:"samples"` // Time of each round
}

// An Estimate is a median and its confidence interval.
type Estimate struct {
	Center float64 `json:"center"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Shares is how evenly the threads got on: the operations of the least and of
// the busiest, each as a share of the mean; medians of the rounds.
type Shares struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// Waits is how the waits of single operations spread, in ns, over all timed
// rounds.
type Waits struct {
	N    int64          `json:"n"`
	P50  int64          `json:"p50"`
	P99  int64          `json:"p99"`
	P999 int64          `json:"p99.9"`
	Max  int64          `json:"max"`
	CDF  []sample.Point `json:"cdf"`
}

// Cell returns the result of a contender in a row of that name; nil if there is
// none.
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

// Kinds returns the rows by kind, kinds and rows in the order of the run.
func (r *Run) Kinds() [][]Row { return Groups(r.Rows, func(r Row) string { return r.Kind }) }

// Groups returns rows by key, in the order in which the keys and the rows come.
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
