package osthread

import "testing"

func BenchmarkCondPing(b *testing.B) {
	b.ReportAllocs()
	var l Lock
	c := NewCondition(&l)
	turn := 0
	play := func(me int) {
		for range b.N {
			l.Lock()
			for turn != me {
				c.Wait()
			}
			turn = 1 - me
			c.Notify()
			l.Unlock()
		}
	}
	done := make(chan struct{})
	go func() { play(1); close(done) }()
	play(0)
	<-done
}
