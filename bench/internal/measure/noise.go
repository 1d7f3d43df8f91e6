package measure

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/thread/bench/internal/scenario"
)

// Noise measures how steady the machine is: it times the same loop between the
// rows.
type Noise struct {
	probes          []time.Duration
	stolen, jiffies int64 // at the start
}

// Tolerable is by how much the slowest tenth of probes may exceed the fastest
// tenth.
const Tolerable = 0.15

// NewNoise begins the measurement.
func NewNoise() *Noise {
	n := new(Noise)
	n.stolen, n.jiffies = stolen()
	return n
}

// Probe times the loop once.
func (n *Noise) Probe() {
	began := time.Now()
	runtime.KeepAlive(scenario.Work(1, 500_000))
	n.probes = append(n.probes, time.Since(began))
}

// Warnings returns the reasons to doubt the figures.
func (n *Noise) Warnings(load []float64) (ws []string) {
	if len(n.probes) >= 10 {
		s := slices.Sorted(slices.Values(n.probes))
		fast, slow := s[len(s)/10], s[len(s)*9/10]
		if float64(slow) > (1+Tolerable)*float64(fast) {
			ws = append(
				ws,
				fmt.Sprintf(
					"noisy machine: a loop timed between the rows took %v to %v (10th to 90th percentile)",
					fast,
					slow,
				),
			)
		}
	}
	if len(load) > 0 && load[0] > float64(runtime.NumCPU())/2 {
		ws = append(
			ws,
			fmt.Sprintf(
				"busy machine: load %.1f on %d processors at the start",
				load[0],
				runtime.NumCPU(),
			),
		)
	}
	if s, j := stolen(); j > n.jiffies {
		if share := float64(s-n.stolen) / float64(j-n.jiffies); share > 0.02 {
			ws = append(ws, fmt.Sprintf("the hypervisor gave %.0f %% of the processors' time to others", 100*share))
		}
	}
	return ws
}

// stolen returns the time that the hypervisor took and the total time, from
// /proc/stat; 0 without that file.
func stolen() (steal, all int64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(line) {
		v, err := strconv.ParseInt(f, 10, 64)
		if err != nil { // "cpu"
			continue
		}
		all += v
		if i == 8 {
			steal = v
		}
	}
	return steal, all
}
