package docs_test

import (
	"errors"
	"fmt"

	"example.com/thread/osthread/shared"
)

// A counter is what several processes share.
type counter struct {
	lock  shared.Mutex
	value int64
}

// newCounter makes a segment with a counter in it. Peers get the descriptor,
// Segment.File, as an inherited file or through a socket, and attach it.
func newCounter() (*shared.Segment, *counter, error) {
	s, err := shared.CreateSegment(4096, 1) // 1: the version of counter
	if err != nil {
		return nil, nil, err
	}
	c, err := shared.SegmentAt[counter](s, 0)
	if err == nil {
		err = c.lock.Init(shared.MutexAttr{Robust: true, ProcessShared: true})
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.Detach())
	}
	return s, c, nil
}

// add adds n.
func (c *counter) add(n int64) error {
	switch err := c.lock.Lock(); {
	case errors.Is(err, shared.ErrOwnerDead):
		// A process was killed in between. The value is one word, so there is
		// nothing to repair.
		if err := c.lock.Consistent(); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	c.value += n
	return c.lock.Unlock()
}

func Example_counter() {
	s, c, err := newCounter()
	if err != nil {
		panic(err)
	}
	fmt.Println(c.add(1), c.add(2), c.value, s.Sealed())
	if err := s.Detach(); err != nil {
		panic(err)
	}
	// Output: <nil> <nil> 3 true
}
