// Package keep lets the packages above package thread keep their threads
// joinable, and know how the calling one ends.
package keep

// Joinable makes Detach of thread, a *thread.Thread, return ErrNotJoinable:
// its owner joins it. Package thread sets it.
var Joinable func(thread any)

// Ending returns the error of a function that did not return, in a deferred
// call of it: ErrExit or ErrGoexit. Package thread sets it.
var Ending func() error
