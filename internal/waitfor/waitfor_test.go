package waitfor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// An all is an edge to threads any one of which ends the wait.
type all struct {
	threads []*Thread
	unknown bool
}

func (a *all) Servers(threads []*Thread) ([]*Thread, bool) {
	return append(threads, a.threads...), !a.unknown
}

func to(threads ...*Thread) *all { return &all{threads: threads} }

func TestChainThatClosesIsBlocked(t *testing.T) {
	var a, b, c Thread
	assert.True(t, a.Wait(to(&b)))
	assert.True(t, b.Wait(to(&c)), "c is free")
	assert.False(t, c.Wait(to(&a)))
	assert.True(t, c.Wait(to(new(Thread))), "the edge that closed it was not put in")
	c.Resume()
	assert.False(t, c.Ends(to(&b)))
	assert.True(t, c.edge == nil)
	b.Resume()
	assert.True(t, c.Wait(to(&a)))
}

func TestThreadThatWaitsForItselfIsBlocked(t *testing.T) {
	var a Thread
	assert.False(t, a.Wait(to(&a)))
}

func TestOneFreeServerIsEnough(t *testing.T) {
	var a, b, c Thread
	assert.True(t, a.Wait(to(&b, &c)))
	assert.True(t, b.Wait(to(&a, &c)))
	assert.False(t, c.Wait(to(&b, &a)), "the last of a pool's threads")
	assert.True(t, c.Wait(&all{threads: []*Thread{&b, &a}, unknown: true}), "another thread may end the wait")
}

func TestLongChain(t *testing.T) {
	threads := make([]Thread, 1000)
	for i := range threads[:len(threads)-1] {
		assert.True(t, threads[i].Wait(to(&threads[i+1])))
	}
	assert.False(t, threads[len(threads)-1].Wait(to(&threads[0])))
}

func TestOrdinaryGoroutineIsNobody(t *testing.T) {
	assert.Nil(t, Here())
}
