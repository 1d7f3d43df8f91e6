//go:build portablepark

package thread

import "unsafe"

// Without the runtime's own functions native threads have no profiler labels.

func profLabels() unsafe.Pointer { return nil }

func setProfLabels(unsafe.Pointer) {}
