package thread

import "os"

// signalNumber is not reached: Plan 9 has notes, not signals.
func signalNumber(os.Signal) int { return 0 }
