//go:build !windows

package thread

// COM is Windows' alone.

const osApartment = false

func osEnterApartment(*Thread, Apartment) error { return unsupported("COM apartment") }

// osLeaveApartment is not reached: no thread is in an apartment.
func osLeaveApartment() {}
