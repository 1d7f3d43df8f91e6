package thread

import (
	"time"

	"example.com/thread/internal/keep"
)

// What a running thread is asked for, and what can be set on it. The system's
// calls take its ids, which are the thread's only while it lives: whileAlive
// keeps it alive for a native thread, and for others checks just before.

// whileAlive calls f while t cannot end, so that t's ids are t's. An attached
// thread of Go's, or a thread that C ends by a system call, can end all the
// same; those have been checked a moment before (see notice).
func (t *Thread) whileAlive(f func() error) error {
	t.awaitBegun()
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.isZero() || t.fromStart() && t != Current() && osIsGone(t) {
		return ErrEnded
	}
	return f()
}

// Name returns the name given to t. For an attached thread without one it asks
// the system, since C code may name the thread at any time; on Linux that takes
// some 15 us for another thread than the caller's. After the thread's end it is
// the last name that was seen.
func (t *Thread) Name() string {
	if name, ours := t.givenName(); ours {
		return name
	}
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return t.name
	}
	if name := osGetName(t); name != "" {
		t.name = name
	}
	return t.name
}

func init() {
	keep.SystemName = func() string { return osGetName(&Thread{ident: osSelf(), nativeID: osNativeID()}) }
	keep.NativeID = osNativeID
}

// givenName returns the name of t, and whether this package set it.
func (t *Thread) givenName() (name string, ours bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.name, t.named || t.fromStart()
}

// SetName names t, for the system's tools too; see Attr.Name. On macOS a thread
// can name only itself. SetName returns ErrEnded, the system's error, or on
// Windows before 10 1607 errors.ErrUnsupported; the name is then unchanged. The
// label thread in CPU profiles follows only if a thread names itself.
func (t *Thread) SetName(name string) error {
	return t.whileAlive(func() error {
		if err := osSetName(t, name); err != nil {
			return err
		}
		t.name, t.named = name, true
		if t.isCaller() {
			t.labels.rename(name)
		}
		return nil
	})
}

// SetName names the calling thread; see [Thread.SetName]. It returns
// ErrNotAttached in a goroutine without a thread of its own.
func SetName(name string) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	return t.SetName(name)
}

// SetAffinity binds t to the processors with the numbers cpus. It returns
// ErrEnded; syscall.EINVAL if none of them exists, on Windows if any does not;
// or the system's error. On systems other than Linux and Windows it returns
// errors.ErrUnsupported.
func (t *Thread) SetAffinity(cpus []int) error {
	if err := checkAffinity(cpus); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetAffinity(t, cpus) })
}

// Affinity returns the numbers of the processors that t may run on, ascending.
// It returns ErrEnded, or the system's error; on systems other than Linux and
// Windows errors.ErrUnsupported.
func (t *Thread) Affinity() (cpus []int, err error) {
	err = t.whileAlive(func() error { cpus, err = osGetAffinity(t); return err })
	return cpus, err
}

// SetPriority sets t's scheduling policy and its priority, which is
//
//   - on Linux, 1 to 99 for PolicyFIFO and PolicyRR, and 0 for the others;
//   - on Windows, whose policy is PolicyOther, -2 to 2, or -15 or 15;
//   - on macOS, in the range of sched_get_priority_min and
//     sched_get_priority_max, even for PolicyOther, where 0 stands for the
//     default. Any call removes t from the QoS classes for good.
//
// A thread with a real-time policy has a place beside GOMAXPROCS; see "Real
// time".
//
// SetPriority returns ErrEnded, syscall.EINVAL, or the system's error, which is
// syscall.EPERM for a real-time policy without the privilege. A policy that the
// system does not have is errors.ErrUnsupported: on Windows all but
// PolicyOther, on macOS PolicyBatch and PolicyIdle, and every one on systems
// other than Linux, Windows, and macOS with cgo. [Thread.SetBandwidth] sets
// PolicyDeadline.
func (t *Thread) SetPriority(p Policy, priority int) error {
	if p == PolicyInherit {
		return badAttr("policy %v of a running thread", p)
	}
	if err := checkPriority(p, priority); err != nil {
		return err
	}
	return t.whileAlive(func() error {
		err := osSetPriority(t, p, priority)
		if err == nil {
			t.hasPolicy(p)
		}
		return err
	})
}

// Priority returns t's scheduling policy and priority. It returns ErrEnded, or
// the system's error; errors.ErrUnsupported on systems other than Linux,
// Windows, and macOS with cgo, and for a Linux policy that has no name here.
func (t *Thread) Priority() (p Policy, priority int, err error) {
	err = t.whileAlive(func() error { p, priority, err = osPriority(t); return err })
	return p, priority, err
}

// QoS returns t's quality-of-service class, or QoSUnspecified if none was set
// or SetPriority has removed t from the classes. It returns ErrEnded, and
// errors.ErrUnsupported except on macOS with cgo.
func (t *Thread) QoS() (q QoS, err error) {
	if !osQoS {
		return 0, unsupported("QoS class")
	}
	err = t.whileAlive(func() error { q, err = osGetQoS(t); return err })
	return q, err
}

// SetNice sets t's niceness, -20 to 19. It returns ErrEnded, syscall.EINVAL, or
// the system's error, which is syscall.EACCES for a lower niceness without the
// privilege. On systems other than Linux it returns errors.ErrUnsupported.
func (t *Thread) SetNice(n int) error {
	if !osNice {
		return unsupported("niceness of a thread")
	}
	if err := checkNice(n); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetNice(t, n) })
}

// SetTimerSlack sets t's timer slack; see Attr.TimerSlack. 0 restores what the
// thread inherited, whatever its Attr says. SetTimerSlack returns ErrEnded,
// syscall.EINVAL, or the system's error, which is syscall.EPERM for another
// thread than the caller's without the privilege (CAP_SYS_NICE). On systems
// other than Linux it returns errors.ErrUnsupported.
func (t *Thread) SetTimerSlack(d time.Duration) error {
	if !osSlack {
		return unsupported("timer slack of a thread")
	}
	if err := checkTimerSlack(d); err != nil {
		return err
	}
	return t.whileAlive(func() error { return osSetTimerSlack(t, d) })
}

// TimerSlack returns t's timer slack, which is 0 with PolicyFIFO and PolicyRR.
// It returns ErrEnded, or the system's error, as SetTimerSlack does; on systems
// other than Linux errors.ErrUnsupported.
func (t *Thread) TimerSlack() (d time.Duration, err error) {
	if !osSlack {
		return 0, unsupported("timer slack of a thread")
	}
	err = t.whileAlive(func() error { d, err = osTimerSlack(t); return err })
	return d, err
}

// CPUTime returns how long t has run on a processor, in user and system mode.
// It is valid after t has ended, too. It returns the system's error, and
// errors.ErrUnsupported on systems other than Linux, Windows, and macOS with
// cgo. It returns ErrEnded for an attached thread that ended without Detach,
// and for a thread that C code ended by a system call.
func (t *Thread) CPUTime() (time.Duration, error) {
	t.awaitBegun()
	t.notice()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost || t.isZero() {
		return 0, ErrEnded
	}
	if !t.ended {
		return osCPUTime(t.nativeID)
	}
	if t.cpu == 0 {
		if _, err := osCPUTime(0); err != nil {
			return 0, err
		}
	}
	return t.cpu, nil
}
