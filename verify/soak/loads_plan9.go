package main

import "example.com/thread/osthread/executor"

// There is no package shared.
var (
	sharedLoads []load
	sharedRaces []func() race
	errBusy     = executor.ErrBusy
)
