package thread

import "example.com/thread/internal/park"

// A goroutine that is started in a bubble of testing/synctest belongs to the
// bubble, whose time stands still while another of its goroutines waits for a
// thread, even for that one. So a pinned thread begins outside: a native thread
// starts its goroutine, or, where there are none, a goroutine that was there
// before any bubble, in test binaries alone.

var outside chan func()

func init() {
	if !osNative && park.MayBeInBubble {
		outside = make(chan func())
		go serveOutside()
	}
}

func serveOutside() {
	for f := range outside {
		f()
	}
}

// goOutside is the go statement for f, in no bubble.
func goOutside(f func()) {
	start := func() { go f() }
	switch {
	case !park.InBubble():
		start()
	case !osNative:
		outside <- start
	default:
		t, err := Start(start, nil)
		if err != nil { // a limit on threads: in the bubble it is better off than nowhere
			start()
			return
		}
		_ = t.Join() // it neither fails nor is canceled
	}
}
