package sync

import "sync"

// These are the types of package [sync] itself: none of them makes a caller
// sleep for long.
type (
	// A Locker is a lock.
	Locker = sync.Locker
	// A Map is a map for concurrent use.
	Map = sync.Map
	// A Pool is a set of temporary objects.
	Pool = sync.Pool
)

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
