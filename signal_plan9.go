package thread

import "os"

// signalNumber is not reached: Plan 9 has notes, not signals.
func signalNumber(os.Signal) int { return 0 }

// neverBlocked holds the signals that no mask blocks; there are no masks here.
const neverBlocked = 0
