package sched

import "slices"

// An Option is a caller that may go on, and what it costs to pick it: 0, or 1
// for a preemption. The first option is the default and costs nothing.
type Option struct {
	Caller *Caller
	Cost   int
}

// pollLimit is how often in a row a caller polls on while another one is ready
// that was preempted: long enough for it to give up and sleep.
const pollLimit = 4

// pick returns the caller that goes on, nil if none can. c is the one that has
// run: it goes on by default, unless it blocks, yields or has ended. A deadline
// that comes while others are ready costs as much as a preemption.
func (r *Run) pick(c *Caller) *Caller {
	if r.over() {
		return nil
	}
	r.options = r.options[:0]
	goesOn := c != nil && c.state == ready && !c.yielded
	if goesOn {
		r.options = append(r.options, Option{c, 0})
	}
	polls := c != nil && c.yielded
	r.addReady(c, goesOn, polls)
	if polls && c.state == ready && (len(r.options) == 0 || c.polls <= pollLimit) {
		r.options = slices.Insert(r.options, min(1, len(r.options)), Option{c, 0})
	}
	r.addLate()
	if len(r.options) == 0 {
		return nil
	}
	return r.options[r.chooser.Choose(r.options)].Caller
}

// addReady adds the callers that are ready, in the order of their numbers from
// c on, and those that have yielded if there are no others.
func (r *Run) addReady(c *Caller, goesOn, polls bool) {
	first := 0
	if c != nil {
		first = c.id + 1
	}
	for _, yielded := range []bool{false, true} {
		for i := range r.callers {
			other := r.callers[(first+i)%len(r.callers)]
			if other == c || other.yielded != yielded || !r.canRun(other) {
				continue
			}
			cost := 0
			if goesOn || polls && len(r.options) > 0 {
				cost = 1
			}
			r.options = append(r.options, Option{other, cost})
		}
		if len(r.options) > 0 {
			return
		}
	}
}

// canRun reports whether c is ready, or its condition holds.
func (r *Run) canRun(c *Caller) bool { return c.state == ready || c.state == awaiting && r.asked(c) }

// asked asks for c's condition, as from outside of the execution.
func (r *Run) asked(c *Caller) bool {
	current := r.current
	r.current = nil
	defer func() { r.current = current }()
	return c.holds()
}

// addLate adds those that a deadline wakes, the earliest first.
func (r *Run) addLate() {
	cost, first := 0, len(r.options)
	if first > 0 {
		cost = 1
	}
	for _, c := range r.callers {
		if c.deadline == never || c.state != onFutex && c.state != asleep {
			continue
		}
		r.options = append(r.options, Option{c, cost})
		for i := len(r.options) - 1; i > first && r.options[i].Caller.deadline < r.options[i-1].Caller.deadline; i-- {
			r.options[i], r.options[i-1] = r.options[i-1], r.options[i]
		}
	}
}
