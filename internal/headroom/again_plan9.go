package headroom

import "errors"

// errAgain is for what has no errno here.
var errAgain = errors.New("no room for a thread")
