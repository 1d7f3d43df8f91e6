package main

import (
	"sync"

	"example.com/thread/osthread/executor"
)

// There is no package shared.
var (
	sharedLoads []load
	sharedRaces []func() race
	sharedLocks []func() sync.Locker

	sharedBriefLoads []load
	errBusy          = executor.ErrBusy
)
