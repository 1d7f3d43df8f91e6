//go:build !windows

package executor

import "example.com/thread/osthread"

// bedFor has none: apartments are Windows'.
func bedFor(*osthread.Attr) (bed, error) { return nil, nil }
