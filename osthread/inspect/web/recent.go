package web

import (
	"sync"
	"time"
	"weak"
)

// A recent is a value that is made when it is asked for, and that serves
// requests until it is older than age. Callers that come meanwhile wait for the
// one that makes it, so no two are made at once. It does not keep the value in
// memory.
type recent[T any] struct {
	age time.Duration

	mu    sync.Mutex
	made  time.Time
	value weak.Pointer[T]
}

func (r *recent[T]) get(make func() *T) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.value.Value(); v != nil && time.Since(r.made) < r.age {
		return v
	}
	v := make()
	r.made, r.value = time.Now(), weak.Make(v)
	return v
}
