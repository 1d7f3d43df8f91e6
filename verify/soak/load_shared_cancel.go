//go:build !plan9

package main

import "example.com/thread/osthread/shared"

var sharedRaces = []func() race{
	func() race {
		s := new(shared.Semaphore)
		return race{"shared.Semaphore", s.Acquire, s.Release, func() bool { return s.TryAcquire() == nil }}
	},
	func() race {
		m := new(shared.Mutex)
		_ = m.Lock() // it is free
		return race{"shared.Mutex", m.Lock, m.Unlock, func() bool { return m.TryLock() == nil }}
	},
}
