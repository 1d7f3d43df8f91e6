//go:build !cgo || !linux

package contender

// Without C there is no other side.

func sharedTurns(string) []Contender { return nil }
func sharedRings() []Contender       { return nil }
