//go:build race

package buildinfo

func init() { Race = true }
