package thread

import "time"

// Two things of Linux's scheduler that a priority does not say.

// A Bandwidth is what a thread with PolicyDeadline may use of a processor, and
// by when: in each Period, Runtime, within Deadline of the period's begin.
// (Linux: SCHED_DEADLINE, sched(7).)
//
// Runtime is at least 1,024 ns, and not above Deadline, which is not above
// Period; a Period of 0 stands for Deadline.
type Bandwidth struct{ Runtime, Deadline, Period time.Duration }

// check returns b with its Period, or what is wrong with it.
func (b Bandwidth) check() (Bandwidth, error) {
	if b.Period == 0 {
		b.Period = b.Deadline
	}
	if b.Runtime < leastRuntime || b.Deadline < b.Runtime || b.Period < b.Deadline {
		return b, badAttr("bandwidth: runtime %v, deadline %v, period %v", b.Runtime, b.Deadline, b.Period)
	}
	return b, nil
}

// leastRuntime is the kernel's: 1 << DL_SCALE.
const leastRuntime = 1024 * time.Nanosecond

// SetBandwidth gives t PolicyDeadline with the bandwidth b: of the threads with
// that policy, which run before all others, the one whose deadline comes first
// runs. It also sets ResetOnFork: a thread with the policy could not create
// another one otherwise.
//
// A thread that has used its Runtime up is stopped until its next period, even
// while it runs Go code: until then it delays each stop of the world, and what
// waits for its locks. So leave Runtime some room. Waiting ends the use of a
// period: a loop that waits for the next moment by a timeout fits; Yield gives
// back what is left of the period.
//
// SetBandwidth returns ErrEnded; syscall.EINVAL; syscall.EPERM without the
// privilege (CAP_SYS_NICE), or if t may not run on all processors;
// syscall.EBUSY if the system has promised too much to others; and on systems
// other than Linux errors.ErrUnsupported.
func (t *Thread) SetBandwidth(b Bandwidth) error {
	if !osBandwidth {
		return unsupported("bandwidth of a thread")
	}
	b, err := b.check()
	if err != nil {
		return err
	}
	return t.whileAlive(func() error {
		err := osSetBandwidth(t, b)
		if err == nil {
			t.hasPolicy(PolicyDeadline)
		}
		return err
	})
}

// Bandwidth returns t's bandwidth, which is the zero Bandwidth unless t has
// PolicyDeadline. Its errors are those of SetBandwidth.
func (t *Thread) Bandwidth() (b Bandwidth, err error) {
	if !osBandwidth {
		return Bandwidth{}, unsupported("bandwidth of a thread")
	}
	err = t.whileAlive(func() error { b, err = osBandwidthOf(t); return err })
	return b, err
}

// SetResetOnFork says whether threads and processes that t creates, in C or by
// Start, begin with PolicyOther if t has a real-time policy, and with a
// niceness of 0 if t's is below, rather than with t's. (Linux:
// SCHED_RESET_ON_FORK.) SetPriority does not change it. It returns ErrEnded;
// syscall.EPERM if it is set and is to be cleared, without the privilege
// (CAP_SYS_NICE); and on systems other than Linux errors.ErrUnsupported.
func (t *Thread) SetResetOnFork(on bool) error {
	if !osBandwidth {
		return unsupported("reset on fork")
	}
	return t.whileAlive(func() error { return osSetResetOnFork(t, on) })
}

// ResetOnFork reports what SetResetOnFork has set, or t has inherited. Its
// errors are those of SetResetOnFork.
func (t *Thread) ResetOnFork() (on bool, err error) {
	if !osBandwidth {
		return false, unsupported("reset on fork")
	}
	err = t.whileAlive(func() error { on, err = osResetOnFork(t); return err })
	return on, err
}

func checkBandwidth(p Policy, b Bandwidth) (Bandwidth, error) {
	switch {
	case p != PolicyDeadline && b != Bandwidth{}:
		return b, badAttr("bandwidth with policy %v", p)
	case p != PolicyDeadline:
		return b, nil
	case !osBandwidth:
		return b, unsupported("policy deadline")
	}
	return b.check()
}

func checkResetOnFork(on bool) error {
	if on && !osBandwidth {
		return unsupported("reset on fork")
	}
	return nil
}
