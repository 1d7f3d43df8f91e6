// Package waitprof collects the profile of waits: for what, from where, how
// often and for how long callers of the module's packages have waited.
//
// It samples as the runtime's block profile does: one wait for each period of
// waiting, so that short waits are sampled in proportion to their length, and
// counts for those it has not seen.
package waitprof

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// maxDepth is the least number of frames that Go's profiles keep.
const maxDepth = 64

// A Key says what the waits of a record have in common.
type Key struct {
	Object string            // the type of what was waited for
	Stack  [maxDepth]uintptr // of return addresses, as of runtime.Callers; 0 ends it
}

// A Record is how often and for how long callers have waited.
type Record struct {
	Count int64
	Time  time.Duration
}

var (
	rate    atomic.Int64 // ns per sample; 0: off
	mu      sync.Mutex
	records = map[Key]*Record{}
)

// SetRate makes one wait be sampled per r nanoseconds of waiting, each with r =
// 1, and none with r <= 0. It returns what was set before.
func SetRate(r int64) (old int64) { return rate.Swap(max(r, 0)) }

// Add adds a wait of the caller for the object type that lasted d, if it is
// sampled.
func Add(object string, d time.Duration) {
	r := rate.Load()
	n := max(int64(d), 1)
	if r <= 0 || n < r && rand.Int64N(r) >= n {
		return
	}
	k := Key{Object: object}
	runtime.Callers(0, k.Stack[:])
	count, length := int64(1), n
	if n < r { // it stands for r/n waits as short
		count, length = r/n, r
	}
	mu.Lock()
	defer mu.Unlock()
	rec := records[k]
	if rec == nil {
		rec = new(Record)
		records[k] = rec
	}
	rec.Count += count
	rec.Time += time.Duration(length)
}

// Records returns a copy of what was collected since the start of the process.
func Records() map[Key]Record {
	mu.Lock()
	defer mu.Unlock()
	all := make(map[Key]Record, len(records))
	for k, r := range records {
		all[k] = *r
	}
	return all
}
