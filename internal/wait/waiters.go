package wait

// Waiters are the nodes of those who wait for what comes once, and then for
// all: a Queue of a third of its size. No node is one of a [Set], and its user
// has a guard of its own. The zero value is empty.
type Waiters struct{ head, tail *Node }

// PushBack puts n behind all others.
func (w *Waiters) PushBack(n *Node) {
	n.in = true
	n.next, n.prev = nil, w.tail
	if w.tail == nil {
		w.head = n
	} else {
		w.tail.next = n
	}
	w.tail = n
}

// Remove takes n out and reports whether it stood there.
func (w *Waiters) Remove(n *Node) bool {
	if !n.in {
		return false
	}
	n.in = false
	if n.prev == nil {
		w.head = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		w.tail = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.next, n.prev = nil, nil
	return true
}

// TakeAll takes all nodes out, and returns those for which Win says yes. Next
// leads from each to the one behind it.
func (w *Waiters) TakeAll() (first *Node) {
	last := &first
	for n := w.head; n != nil; n = w.head {
		w.Remove(n)
		if n.Win() {
			*last, last = n, &n.next
		}
	}
	return first
}

// Len counts the nodes. For tests.
func (w *Waiters) Len() (k int) {
	for n := w.head; n != nil; n = n.next {
		k++
	}
	return k
}
