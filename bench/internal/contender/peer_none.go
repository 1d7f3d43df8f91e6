//go:build !linux

package contender

import (
	"example.com/thread/bench/internal/sample"
	"example.com/thread/osthread/shared"
)

const noProcesses = "processes that share a lock: Linux only"

// RunPeer returns an error.
func RunPeer() error { return &sample.AbsentError{Why: noProcesses} }

func sharedByProcesses(*crew, shared.MutexAttr) (sample.Sample, error) {
	return sample.Sample{}, &sample.AbsentError{Why: noProcesses}
}
