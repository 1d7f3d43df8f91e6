//go:build !windows

package thread

// COM is Windows' alone.

const osApartment = false

// osLeaveApartment is not reached: no thread is in an apartment.
func osLeaveApartment() {}
