// Package pprof has the profile of waits, named osthread.wait: how often and
// for how long threads and goroutines have waited in Conditions, Events,
// Barriers, queues, joins, futures, calls of Workers and of the main thread,
// WaitAny and WaitAll, and from where. Waits for locks and semaphores are in
// Go's mutex profile instead; see runtime.SetMutexProfileFraction.
//
// A program that imports this package serves the profile at
// /debug/pprof/osthread.wait of the default HTTP server, as net/http/pprof,
// which it imports, serves Go's own:
//
//	import "example.com/thread/osthread/pprof"
//
//	pprof.SetWaitProfileRate(10_000) // one sample per 10 us of waiting
//
//	go tool pprof http://localhost:6060/debug/pprof/osthread.wait
//
// With the parameter seconds=N the profile has the waits that ended within the
// next N seconds. Each sample has the label object, the type of what was waited
// for: -tagfocus object=Event shows the waits for Events alone.
//
// The leaf of each stack is the method that has waited; functions of this
// module below it are left out.
package pprof
