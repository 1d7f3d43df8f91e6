//go:build !windows

package executor

import "example.com/thread/osthread"

// idlerFor returns none: apartments are Windows'.
func idlerFor(*osthread.Attr) (idler, error) { return nil, nil }
