// Package wait is the queue in which each blocking primitive of the upper tier
// keeps its waiters.
//
// A primitive is a state word for the uncontended paths, and a [Queue]. A
// waiter puts a [Node] into the queue, under the queue's guard and after a last
// check of the state, and parks on the node. A waker takes the node out under
// the guard, records what the waiter got (Node.Got), and unparks it after the
// guard is released. The primitives rely on these rules:
//
//   - No waiter is woken twice. Only the thread that took a node out wakes its
//     owner.
//   - No wakeup is lost. The last check of the state and the enqueue are one
//     critical section, and every waker takes the guard.
//   - The queue decides how a wait ended, not the clock. After a timeout the
//     waiter takes the guard. If its node is still in the queue it removes the
//     node and has timed out. Otherwise a waker has given it something and the
//     wakeup is on its way: [Node.Await].
//   - A wait in several queues at once ([Set]) is won by the first waker that
//     takes one of its nodes out and swaps the winner in. All other wakers skip
//     its nodes, so no queue gives anything to a waiter that was served
//     elsewhere.
//   - A waiter whose context is done gets nothing: [Node.Win] returns false and
//     wakes the owner ([GotCanceled]). Where a node is taken out without Win,
//     or its owner is woken to retry, the owner checks its context last and
//     gives back what it got.
//   - Only its owner reuses a node, after the unpark has reached it. The
//     waker's last access to the node is the swap that releases the owner, or
//     uses the address alone (internal/park).
package wait

import "example.com/thread/internal/list"

// A List holds the nodes of waiters, in wakeup order, under a guard of its
// user. The zero value is empty. No node is notify-only.
type List struct{ plain }

// A Chain holds nodes that have been taken out, until their owners are woken.
// It is known by its head.
type Chain = list.List[Node]

// plain is a list that does not maintain Node.in.
type plain = list.List[Node]

// PushBack adds n at the end.
func (l *List) PushBack(n *Node) {
	n.in = true
	l.plain.PushBack(n)
}

// PushFront adds n at the front.
func (l *List) PushFront(n *Node) {
	n.in = true
	l.plain.PushFront(n)
}

// Restore adds n, which was taken out before, in front of the nodes that have
// waited for a shorter time, by Node.Since.
func (l *List) Restore(n *Node) {
	n.in = true
	later := l.Head()
	for later != nil && later.Since <= n.Since {
		later = later.Next()
	}
	l.InsertBefore(n, later)
}

// Requeue adds n, which the caller has taken out of another queue, at the end.
// For its owner n stays taken out.
func (l *List) Requeue(n *Node) { l.plain.PushBack(n) }

// Unlink takes n out, which must be in l, without asking Win.
func (l *List) Unlink(n *Node) { unlink(&l.plain, n) }

// Remove takes n out and reports whether it was in l. l must be the list that
// n's owner put it into.
func (l *List) Remove(n *Node) bool {
	if !n.in {
		return false
	}
	n.passCharge()
	l.Unlink(n)
	return true
}

// Pop takes out the first node for which Win returns true, nil if there is
// none, and all nodes before it.
func (l *List) Pop() *Node {
	for n := l.Head(); n != nil; n = l.Head() {
		l.Unlink(n)
		if n.Win() {
			return n
		}
	}
	return nil
}

// TakeAll takes all nodes out and returns the [Chain] of those for which Win
// returns true.
func (l *List) TakeAll() *Node {
	taken := l.plain
	l.plain = plain{}
	for n := taken.Head(); n != nil; {
		next := n.Next()
		n.taken()
		if n.set != nil || n.source != nil { // Win may return false
			taken.Remove(n) // before its owner can use it again
			if n.Win() {
				taken.InsertBefore(n, next)
			}
		}
		n = next
	}
	return taken.Head()
}

// Take takes nodes out until Win has returned true for n of them, and returns
// those.
func (l *List) Take(n int) (taken Chain) {
	for taken.Len() < n {
		h := l.Pop()
		if h == nil {
			break
		}
		taken.PushBack(h)
	}
	return taken
}

// Drain takes all nodes out, without asking Win, and returns their chain.
func (l *List) Drain() *Node {
	first := l.Head()
	for n := first; n != nil; n = n.Next() {
		n.taken()
	}
	l.plain = plain{}
	return first
}

// DropCanceled takes out and wakes the waiters whose context is done.
func (l *List) DropCanceled() {
	for n := l.Head(); n != nil; {
		next := n.Next()
		if n.set == nil && n.canceled() {
			l.Unlink(n)
			n.Win() // wakes the owner
		}
		n = next
	}
}

// AnyCanceled reports whether the context of a waiter is done.
func (l *List) AnyCanceled() bool {
	for n := l.Head(); n != nil; n = n.Next() {
		if n.canceled() {
			return true
		}
	}
	return false
}

// A Queue is a List with its guard, which all methods of the list need.
type Queue struct {
	Guard
	List
}

// An ObjectQueue is the Queue of an object that WaitAny and WaitAll can wait
// for. Its second list holds the notify-only nodes of WaitAll
// ([Node.NotifyOnly]), so that no waker has to skip them.
//
// A notify-only waiter is woken if no other node is left to give to, one at a
// time. It checks the state, and if it leaves something it wakes the next one
// ([ObjectQueue.NotifyNext]). Invariant: while the object has something to give
// and notify-only waiters, one of them is on its way to check.
type ObjectQueue struct {
	Queue
	notify plain
	behind *Node  // in notify, nil for its end: where the next PutBack or NotifyNext likely is
	pushed uint64 // calls of PushBack
}

// Len returns the number of nodes, including the notify-only ones.
func (q *ObjectQueue) Len() int { return q.List.Len() + q.notify.Len() }

// NotifyHead returns the first notify-only node, nil if there is none.
func (q *ObjectQueue) NotifyHead() *Node { return q.notify.Head() }

// Before reports whether n was put into q by PushBack before m was. A node that
// is put back keeps its place.
func (n *Node) Before(m *Node) bool { return n.place < m.place }

// PushBack adds n at the end of its list.
func (q *ObjectQueue) PushBack(n *Node) {
	q.pushed++
	n.place = q.pushed
	if n.NotifyOnly() {
		n.in = true
		q.notify.PushBack(n)
		if q.behind == nil {
			q.behind = n
		}
		return
	}
	q.List.PushBack(n)
}

// PutBack adds n, which is notify-only and was in q before, at its old place.
func (q *ObjectQueue) PutBack(n *Node) {
	n.in = true
	q.notify.InsertBefore(n, q.after(n))
}

// after returns the first notify-only node behind n's place. It searches only
// if several waiters are notified at once.
func (q *ObjectQueue) after(n *Node) *Node {
	later, before := q.behind, q.notify.Tail()
	if later != nil {
		before = later.Prev()
	}
	if (later == nil || n.Before(later)) && (before == nil || !n.Before(before)) {
		return later
	}
	later = q.notify.Head()
	for later != nil && !n.Before(later) {
		later = later.Next()
	}
	return later
}

// Remove takes n out and reports whether it was in q.
func (q *ObjectQueue) Remove(n *Node) bool {
	if !n.in || !n.NotifyOnly() {
		return q.List.Remove(n)
	}
	q.unlinkNotifyOnly(n)
	return true
}

func (q *ObjectQueue) unlinkNotifyOnly(n *Node) {
	if q.behind == n {
		q.behind = n.Next()
	}
	unlink(&q.notify, n)
}

// Pop is List.Pop. If there is no node to give to it notifies the first
// notify-only waiter.
func (q *ObjectQueue) Pop() *Node {
	n := q.List.Pop()
	if n == nil {
		q.notifyOne(q.notify.Head())
	}
	return n
}

// TakeAll is List.TakeAll, and notifies all notify-only waiters.
func (q *ObjectQueue) TakeAll() *Node {
	first := q.List.TakeAll()
	for n := q.notify.Head(); n != nil; n = q.notify.Head() {
		q.notifyOne(n)
	}
	return first
}

// Notify takes the first notify-only node out and wakes its owner.
func (q *ObjectQueue) Notify() { q.notifyOne(q.notify.Head()) }

// NotifyNext is Notify for the first notify-only node behind n's place.
func (q *ObjectQueue) NotifyNext(n *Node) { q.notifyOne(q.after(n)) }

// notifyOne takes n, if not nil, out and wakes its owner.
func (q *ObjectQueue) notifyOne(n *Node) {
	if n != nil {
		q.behind = n
		q.unlinkNotifyOnly(n)
		n.Win()
	}
}

// unlink takes n out of l.
func unlink(l *plain, n *Node) {
	n.taken()
	l.Remove(n)
}

// taken says that n is not in its queue any more. It does not write to a
// requeued node's in, which the owner may read under the guard of its first
// queue.
func (n *Node) taken() {
	if n.in {
		n.in = false
	}
}
