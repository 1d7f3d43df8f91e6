//go:build !linux || !cgo || android

package thread

const osMeasuresStacks = false

func osStackUse(*Thread) (StackUse, error) { return StackUse{}, unsupported("stack use of a thread") }

const osReportsOverflows = false

func osReportOverflows() error { return nil }
func osLearnGuard()            {}
