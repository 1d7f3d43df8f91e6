package thread

// A thread enters its COM apartment after its other attributes are set, so that
// no later failure has to leave it. It leaves the apartment after the
// destructors of Keys have run, since those may release objects. The system
// calls are in com_windows.go. Each successful CoInitializeEx is balanced by
// one CoUninitialize on the same thread, however the body ends.

// An Apartment is how a thread takes part in COM, the Component Object Model of
// Windows.
type Apartment int

// The apartments. A thread in an STA must dispatch window messages whenever it
// waits: calls into its objects from other threads arrive as messages, and a
// broadcast waits for every window. Of the waits in this module only the idle
// wait of executor.Worker dispatches them.
const (
	ApartmentNone Apartment = iota // none; the body may call CoInitializeEx itself
	ApartmentMTA                   // the process's multithreaded apartment: objects are called on any of its threads
	ApartmentSTA                   // a single-threaded apartment, the thread's own: objects are called on the thread
)

func (a Apartment) String() string { return nameOf(int(a), "Apartment", "none", "MTA", "STA") }

func checkApartment(a Apartment) error {
	switch {
	case a == ApartmentNone:
		return nil
	case !osApartment:
		return unsupported("COM apartment")
	case a < 0 || a > ApartmentSTA:
		return badAttr("%v", a)
	default:
		return nil
	}
}

// leaveApartment makes the calling thread, t, leave its apartment. That may
// release objects that are implemented in Go; a panic of one is stored in *end
// unless *end is set.
func (t *Thread) leaveApartment(end *error) {
	if t.apartment == ApartmentNone {
		return
	}
	t.apartment = ApartmentNone
	defer func() {
		if v := recover(); v != nil {
			*end = firstOf(*end, newPanicError(v))
		}
	}()
	osLeaveApartment()
}
