package wait

// A Source is what a type outside package osthread needs to take part in
// WaitAny and WaitAll. The guard of its Queue is held during all calls but that
// of Queue, and Took with a node.
type Source interface {
	Queue() *ObjectQueue
	// Ready reports whether there is something to take for a newcomer, after
	// what Take has set aside.
	Ready() bool
	// Take sets one thing aside, and Untake undoes that.
	Take()
	Untake()
	// Prepare is called before n goes into Queue.
	Prepare(n *Node)
	// Took ends a wait: it takes what was set aside or, if n is not nil, what
	// the waker has given with it.
	Took(n *Node)
}

// Waitable makes a Source what WaitAny and WaitAll take; package osthread sets
// it.
var Waitable func(Source) any
