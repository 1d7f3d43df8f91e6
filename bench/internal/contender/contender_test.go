package contender

import (
	"runtime"
	"strings"
	"testing"

	"example.com/thread/bench/internal/scenario"
)

// Every contender does every scenario, if only a few operations of it.
func TestEveryCell(t *testing.T) {
	for _, s := range scenario.All() {
		for _, c := range All(s.Tier()) {
			t.Run(s.Name()+"/"+c.Name, func(t *testing.T) {
				if c.Absent != "" {
					t.Skip(c.Absent)
				}
				if s.Procs != 0 {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Procs))
				}
				d, err := c.Run(s, 40)
				if IsAbsent(err) {
					t.Skip(err)
				}
				if err != nil || d <= 0 {
					t.Errorf("got %v, %v", d, err)
				}
			})
		}
	}
}

func TestShareAddsUp(t *testing.T) {
	for _, n := range []int{0, 1, 7, 100} {
		sum := 0
		for i := range 16 {
			sum += share(n, i, 16)
		}
		if sum != n {
			t.Errorf("got %d operations, want %d", sum, n)
		}
	}
}

func TestUnknownScenario(t *testing.T) {
	for _, c := range append(All(scenario.Thread), All(scenario.Threading)...) {
		if c.Absent != "" {
			continue
		}
		if _, err := c.Run(scenario.Spec{Kind: 99}, 1); err == nil {
			t.Errorf("%s did what it cannot know", c.Name)
		}
	}
}

func BenchmarkThread(b *testing.B) {
	for _, s := range scenario.All() {
		for _, c := range All(s.Tier()) {
			if c.Absent != "" {
				continue
			}
			b.Run(s.Name()+"/impl="+strings.ReplaceAll(c.Name, ", ", "-"), func(b *testing.B) {
				if s.Procs != 0 {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Procs))
				}
				d, err := c.Run(s, b.N)
				if IsAbsent(err) {
					b.Skip(err)
				}
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(d.Nanoseconds())/float64(b.N), "ns/op")
			})
		}
	}
}
