// Package keep lets package osthread keep the threads below its own joinable.
package keep

// Joinable makes Detach of thread, a *thread.Thread, return ErrNotJoinable:
// its owner joins it. Package thread sets it.
var Joinable func(thread any)
