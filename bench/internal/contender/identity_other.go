//go:build !linux

package contender

var systemCalls []Contender
