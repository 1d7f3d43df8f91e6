package sched

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Chooser decides an execution.
type Chooser interface {
	// Begin begins an execution. Added is called for each of its callers, and
	// Polled when one polls.
	Begin()
	Added(*Caller)
	Polled(*Caller)
	// Follows says that Choose would take the default of a step that costs
	// something to deviate from.
	Follows() bool
	// Choose returns the index of the option that it picks.
	Choose([]Option) int
	// String is what Parse makes the same execution of.
	String() string
}

// Parse returns the Chooser that repeats an execution.
func Parse(s string) (Chooser, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "dfs":
		return parseReplay(rest)
	case "random", "pct":
		var seed uint64
		var depth, length int
		if _, err := fmt.Sscanf(rest, "%d/%d/%d", &seed, &depth, &length); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
		if kind == "random" {
			return NewRandom(seed), nil
		}
		return NewPCT(seed, depth, length), nil
	}
	return nil, fmt.Errorf("%s: not dfs, random or pct", s)
}

// A Search is a depth-first search over all executions with a bound on what
// their choices cost: an execution is a path, and Next leads to the next one.
type Search struct {
	bound int
	left  int
	depth int
	path  []choice
	bad   bool
}

type choice struct{ picked, of int }

// NewSearch returns the search over all executions that cost at most bound.
func NewSearch(bound int) *Search { return &Search{bound: bound} }

// Begin begins an execution.
func (s *Search) Begin() { s.left, s.depth = s.bound, 0 }

// Added does nothing.
func (s *Search) Added(*Caller) {}

// Polled does nothing.
func (s *Search) Polled(*Caller) {}

// Follows reports whether the bound is used up.
func (s *Search) Follows() bool { return s.left == 0 }

// Choose follows the path, and then takes the default.
func (s *Search) Choose(options []Option) int {
	n := 0
	for _, o := range options {
		if o.Cost <= s.left {
			n++
		}
	}
	if n == 1 {
		return 0
	}
	if s.depth == len(s.path) {
		s.path = append(s.path, choice{0, n})
	}
	c := s.path[s.depth]
	s.bad = s.bad || c.of != n
	s.depth++
	i := affordable(options, s.left, c.picked)
	s.left -= options[i].Cost
	return i
}

// affordable returns the index of the option number i of those that cost at
// most left.
func affordable(options []Option, left, i int) int {
	for j, o := range options {
		if o.Cost > left {
			continue
		}
		if i == 0 {
			return j
		}
		i--
	}
	return 0
}

// Next moves on to the next execution. It returns false after the last one.
func (s *Search) Next() bool {
	for s.path = s.path[:s.depth]; len(s.path) > 0; s.path = s.path[:len(s.path)-1] {
		if c := &s.path[len(s.path)-1]; c.picked+1 < c.of {
			c.picked++
			return true
		}
	}
	return false
}

// Diverged reports whether an execution did not repeat the choices of the path:
// the code under test depends on something else.
func (s *Search) Diverged() bool { return s.bad }

// String returns the choices of the last execution that are not the default.
func (s *Search) String() string {
	parts := []string{"dfs:" + strconv.Itoa(s.bound)}
	for i, c := range s.path[:s.depth] {
		if c.picked != 0 {
			parts = append(parts, fmt.Sprintf("%d=%d", i, c.picked))
		}
	}
	return strings.Join(parts, ",")
}

func parseReplay(rest string) (Chooser, error) {
	parts := strings.Split(rest, ",")
	bound, err := strconv.Atoi(parts[0])
	if err != nil {
		return nil, err
	}
	r := &replay{picks: map[int]int{}}
	r.bound = bound
	for _, p := range parts[1:] {
		var at, pick int
		if _, err := fmt.Sscanf(p, "%d=%d", &at, &pick); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		r.picks[at] = pick
	}
	return r, nil
}

// A replay is a Search with one path.
type replay struct {
	Search
	picks map[int]int
}

func (r *replay) Choose(options []Option) int {
	if r.depth == len(r.path) {
		r.path = append(r.path, choice{r.picks[r.depth], 0})
	}
	return r.Search.Choose(options)
}

// A Random picks each caller by chance.
type Random struct {
	seed uint64
	rand *rand.Rand
}

// NewRandom returns a Random for one execution.
func NewRandom(seed uint64) *Random { return &Random{seed: seed} }

// Begin begins the execution.
func (r *Random) Begin() { r.rand = rand.New(rand.NewPCG(r.seed, 1)) }

// Added does nothing.
func (r *Random) Added(*Caller) {}

// Polled does nothing.
func (r *Random) Polled(*Caller) {}

// Follows returns false.
func (r *Random) Follows() bool { return false }

// stay is how often one that may go on does: one of stay times it does not.
const stay = 4

// Choose picks one by chance, the default more often.
func (r *Random) Choose(options []Option) int {
	if len(options) == 1 || options[len(options)-1].Cost > 0 && r.rand.IntN(stay) > 0 {
		return 0
	}
	return r.rand.IntN(len(options))
}

func (r *Random) String() string { return fmt.Sprintf("random:%d/0/0", r.seed) }

// A PCT gives each caller a priority by chance, and lowers that of the running
// one at depth - 1 of the steps, by chance (Burckhardt, Kothari, Musuvathi and
// Nagarakatte, A Randomized Scheduler with Probabilistic Guarantees of Finding
// Bugs, ASPLOS 2010). A caller that polls gets the lowest.
type PCT struct {
	seed    uint64
	depth   int
	length  int
	rand    *rand.Rand
	changes map[int]float64
	step    int
	lowest  float64
}

// NewPCT returns a PCT for one execution of about length steps.
func NewPCT(seed uint64, depth, length int) *PCT {
	return &PCT{seed: seed, depth: depth, length: max(length, 1)}
}

// Begin begins the execution.
func (p *PCT) Begin() {
	p.rand = rand.New(rand.NewPCG(p.seed, 2))
	p.step, p.lowest, p.changes = 0, 0, map[int]float64{}
	for i := range p.depth - 1 {
		p.changes[p.rand.IntN(p.length)] = float64(i-p.depth) / float64(p.depth)
	}
}

// Added gives a caller its priority.
func (p *PCT) Added(c *Caller) { c.priority = 1 + p.rand.Float64() }

// Follows returns false.
func (p *PCT) Follows() bool { return false }

// Polled gives c the lowest priority.
func (p *PCT) Polled(c *Caller) {
	p.lowest--
	c.priority = p.lowest
}

// Choose picks the one with the highest priority.
func (p *PCT) Choose(options []Option) int {
	p.step++
	if len(options) == 2 && options[0].Caller == options[1].Caller { // Rarely
		return int(options[0].Caller.priority*1024) & 1
	}
	best := 0
	for i, o := range options {
		if o.Caller.priority > options[best].Caller.priority {
			best = i
		}
	}
	c := options[best].Caller
	if to, ok := p.changes[p.step]; ok {
		c.priority = to
	}
	return best
}

func (p *PCT) String() string { return fmt.Sprintf("pct:%d/%d/%d", p.seed, p.depth, p.length) }
