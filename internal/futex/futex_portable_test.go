//go:build portablefutex || !(linux || windows)

package futex

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// counts is false in tests of the system's calls.
var counts = true

// sleepers counts the sleepers in the queue for w.
func sleepers(w *uint32) int {
	q := queueOf(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for s := q.Head(); s != nil; s = s.Next() {
		if s.word == w {
			n++
		}
	}
	return n
}

func TestQueueKeepsWordsApart(t *testing.T) {
	needCounts(t)
	watch(t)
	words := make([]uint32, 1<<16)
	a, b := &words[0], (*uint32)(nil)
	for i := range words[1:] {
		if queueOf(&words[i+1]) == queueOf(a) {
			b = &words[i+1]
			break
		}
	}
	ended := make(chan *uint32)
	sleep := func(w *uint32, n int) {
		go func() {
			Wait(w, 0, Never)
			ended <- w
		}()
		awaitSleepers(w, n)
	}
	sleep(a, 1)
	sleep(b, 1)
	sleep(a, 2)
	sleep(b, 2)
	assert.Equal(t, 2, Wake(b, math.MaxInt32))
	assert.Same(t, b, <-ended)
	assert.Same(t, b, <-ended)
	assert.Equal(t, 1, Wake(a, 1))
	assert.Same(t, a, <-ended)
	sleep(b, 1)
	assert.Equal(t, 1, Wake(a, 2))
	assert.Same(t, a, <-ended)
	assert.Equal(t, 1, Wake(b, 2))
	assert.Same(t, b, <-ended)
	assert.Zero(t, queueOf(a).Len())
}

func TestQueueOfNeighboursDiffers(t *testing.T) {
	words := make([]uint32, 64)
	used := map[*queue]int{}
	for i := range words {
		used[queueOf(&words[i])]++
	}
	for _, n := range used {
		assert.LessOrEqual(t, n, 2)
	}
}
