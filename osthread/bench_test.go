package osthread

import "testing"

func BenchmarkConditionPingPong(b *testing.B) {
	b.ReportAllocs()
	var l Lock
	c := NewCondition(&l)
	next := 0
	play := func(me int) {
		for range b.N {
			l.Lock()
			for next != me {
				c.Wait()
			}
			next = 1 - me
			c.Notify()
			l.Unlock()
		}
	}
	done := make(chan struct{})
	go func() { play(1); close(done) }()
	play(0)
	<-done
}
