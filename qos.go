package thread

import "fmt"

// A QoS is a quality-of-service class of macOS: what a thread's work is for.
// The system takes from it the thread's priority, the kind of processor it runs
// on, how closely timers are kept, and how much it may use of other devices.
type QoS int

// The classes, from the least on; see Apple's sys/qos.h.
const (
	QoSUnspecified     QoS = iota // the system's own, or none where a policy was set
	QoSBackground                 // work that the user does not see: minutes and more
	QoSUtility                    // work whose progress the user may watch
	QoSDefault                    // between the two around it
	QoSUserInitiated              // work that the user waits for
	QoSUserInteractive            // what the user sees at once
)

func (q QoS) String() string {
	names := [...]string{"unspecified", "background", "utility", "default", "user-initiated", "user-interactive"}
	if q < 0 || int(q) >= len(names) {
		return fmt.Sprintf("QoS(%d)", int(q))
	}
	return names[q]
}

// QoS returns t's quality-of-service class: QoSUnspecified if it was given
// none, or has lost it to SetPriority. It returns ErrEnded, and
// errors.ErrUnsupported on other systems than macOS, and there without cgo.
func (t *Thread) QoS() (q QoS, err error) {
	if !osQoS {
		return 0, unsupported("QoS class")
	}
	err = t.whileAlive(func() error { q, err = osGetQoS(t); return err })
	return q, err
}

func checkQoS(q QoS, p Policy) error {
	if q == QoSUnspecified {
		return nil
	}
	if !osQoS {
		return unsupported("QoS class")
	}
	return refuseQoS(q, p)
}

// refuseQoS returns why no system would take the class q together with the
// policy p, or nil.
func refuseQoS(q QoS, p Policy) error {
	if q < QoSUnspecified || q > QoSUserInteractive {
		return badAttr("%v", q)
	}
	if p != PolicyInherit {
		return badAttr("QoS class %v and policy %v exclude each other", q, p)
	}
	return nil
}
