package thread

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// COM is loaded at run time, so programs that use no apartment run on systems
// without ole32.dll (Nano Server).

const osApartment = true

var (
	ole32          = windows.NewLazySystemDLL("ole32.dll")
	coInitializeEx = ole32.NewProc("CoInitializeEx")
	coUninitialize = ole32.NewProc("CoUninitialize")
)

// osEnterApartment on a thread of Go's that other code has left in an apartment
// of the same kind returns S_FALSE, which needs a CoUninitialize, too. If the
// kind is another, COM refuses (RPC_E_CHANGED_MODE).
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

func osLeaveApartment() { _, _, _ = coUninitialize.Call() } // has no result
