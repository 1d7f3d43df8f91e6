// Package stranded counts what bodies that end by runtime.Goexit leave behind.
package stranded

import "sync/atomic"

// Threads is the number of threads of C that have ended below functions of Go:
// of each a goroutine and an M of Go's runtime stay behind. For tests, which
// look for goroutines that are left.
var Threads atomic.Int64
