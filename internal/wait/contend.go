package wait

import "example.com/thread/internal/contention"

// For the mutex profile an unlock that wakes a waiter is charged with the time
// that it and those behind it have waited since the last such unlock. As in the
// runtime's semaphores the time of those behind is the average of the first
// one's and the last one's, which takes no walk over the queue. All of this is
// under the queue's guard.

// Contend begins a wait of n's owner for a lock. It is called before n is put
// into the lock's queue.
func (n *Node) Contend() { n.charged = contention.Now() }

// Charge returns for how long, in ticks of the mutex profile, the owners of the
// chain that begins with taken, which were just taken out, and the waiters in l
// have waited since they were charged last. It returns 0 if there is no
// profile.
func (l *List) Charge(taken *Node) (ticks int64) {
	if taken == nil || taken.charged == 0 {
		return 0
	}
	now := contention.Now()
	if now == 0 {
		return 0
	}
	for n := taken; n != nil; n = n.Next() {
		ticks += n.uncharged(now)
	}
	if head, tail := l.Head(), l.Tail(); head != nil {
		ticks += (head.uncharged(now) + tail.uncharged(now)) / 2 * int64(l.Len())
		head.charged, tail.charged = now, now
	}
	return ticks
}

// uncharged returns for how long n has waited since it was charged. It is 0 for
// a waiter that came before there was a profile, and if another processor's
// ticks are behind.
func (n *Node) uncharged(now int64) int64 {
	if n.charged == 0 {
		return 0
	}
	return max(now-n.charged, 0)
}

// passCharge makes the neighbor of n, which is about to leave without having
// been served, know when the queue was charged last, if n is at an end.
func (n *Node) passCharge() {
	if next := n.Next(); next != nil && n.Prev() == nil {
		next.charged = max(next.charged, n.charged)
	}
	if prev := n.Prev(); prev != nil && n.Next() == nil {
		prev.charged = max(prev.charged, n.charged)
	}
}
