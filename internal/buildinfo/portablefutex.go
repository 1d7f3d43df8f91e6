//go:build portablefutex

package buildinfo

func init() { PortableFutex = true }
