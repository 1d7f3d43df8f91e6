package wait

// A Source is what a type outside package osthread has to have to take part in
// WaitAny and WaitAll. Its Queue's guard is held in all calls but that of
// Queue, and Took with a node.
type Source interface {
	Queue() *Queue
	// Ready reports whether there is something to take for one who comes now
	// and has taken what Take was called for.
	Ready() bool
	// Take sets one thing aside, and Untake gives it back.
	Take()
	Untake()
	// Prepare is called before n goes into Queue.
	Prepare(n *Node)
	// Took ends a wait: what was set aside is taken now or, if n is not nil,
	// who took n out has given something with it.
	Took(n *Node)
}

// Waitable makes a Source what WaitAny and WaitAll take; package osthread sets
// it.
var Waitable func(Source) any
