package thread

// A COM apartment is entered when the thread's other attributes are set, since
// nothing that fails afterwards would have to leave it, and left when the
// destructors of Keys have run, since those may release objects. Which calls do
// that: com_windows.go. Each CoInitializeEx that succeeds has its one
// CoUninitialize on the same thread, however the body ends.

// An Apartment is how a thread takes part in COM, the Component Object Model of
// Windows.
type Apartment int

// The apartments. A thread in an STA has to dispatch window messages whenever
// it waits, since calls into its objects from elsewhere come as such and a
// broadcast to all windows waits for its; the waits of this module do not, but
// for the one of executor.Worker for something to do.
const (
	ApartmentNone Apartment = iota // none by Start; the body may call CoInitializeEx itself
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

// leaveApartment takes the calling thread, t, out of its apartment. That may
// release objects that are written in Go; a panic of one goes into end if
// nothing stands there.
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
