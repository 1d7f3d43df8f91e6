package thread

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// COM is looked up at run time, so programs that do not ask for an apartment
// run where there is no ole32.dll (Nano Server).

const osApartment = true

var (
	ole32          = windows.NewLazySystemDLL("ole32.dll")
	coInitializeEx = ole32.NewProc("CoInitializeEx")
	coUninitialize = ole32.NewProc("CoUninitialize")
)

// osEnterApartment takes the calling thread, t, into the apartment a. A thread
// of Go's that other code has left in an apartment stays there, if that is of
// the same kind: S_FALSE, which wants its CoUninitialize as well. If not it is
// refused (RPC_E_CHANGED_MODE).
func osEnterApartment(t *Thread, a Apartment) error {
	if coInitializeEx.Find() != nil {
		return unsupported("COM apartment")
	}
	// No windows for OLE 1, as Microsoft's documentation of CoInitializeEx
	// recommends.
	model := uintptr(windows.COINIT_DISABLE_OLE1DDE | windows.COINIT_MULTITHREADED)
	if a == ApartmentSTA {
		model = windows.COINIT_DISABLE_OLE1DDE | windows.COINIT_APARTMENTTHREADED
	}
	if r, _, _ := coInitializeEx.Call(0, model); int32(r) < 0 {
		return os.NewSyscallError("CoInitializeEx", fmt.Errorf("%v: %w", a, syscall.Errno(uint32(r))))
	}
	t.apartment = a
	return nil
}

// osLeaveApartment takes the calling thread out of the apartment that
// osEnterApartment took it into.
func osLeaveApartment() { _, _, _ = coUninitialize.Call() } // has no result
