package leak

import "os"

// quit ends a child that hangs.
func quit(p *os.Process) error { return p.Kill() }
