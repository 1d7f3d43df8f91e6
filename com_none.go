//go:build !windows

package thread

// COM exists on Windows only.

const osApartment = false

func osEnterApartment(*Thread, Apartment) error { return unsupported("COM apartment") }

// osLeaveApartment is not reached: no thread is in an apartment.
func osLeaveApartment() {}
