package executor

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/osthread"
)

// A Keyed is an array of pools with one thread each. The hash of a key selects
// the pool, which is created for its first key.

// A Keyed is an executor that runs all work with the same key on the same
// thread, in the order of submission: for libraries with a context per key that
// belongs to one thread. It comes from NewKeyed and is closed by Close or
// Shutdown, or when it becomes garbage, like an [Executor]. It must not be
// copied. The zero Keyed is closed.
//
// Two keys may share a thread; slow work with one delays the other. A task that
// panics or does not return costs its keys their thread: OnStop runs, and then
// OnStart on the successor. If OnStart fails on a thread, only the keys of that
// thread get ErrBroken.
type Keyed struct {
	_ noCopy
	*keyHandle
}

// A keyHandle is to a Keyed what a handle is to an Executor.
type keyHandle struct{ shards *shards }

// shards is a Keyed without its handle.
type shards struct {
	o     Options
	seed  maphash.Seed
	pools []atomic.Pointer[pool] // nil until a key needs it

	mu     sync.Mutex
	closed bool
	made   []*pool // of pools
}

// NewKeyed returns a keyed executor. Backlog and Full are per thread. It
// returns the errors of New, and one that is ErrInvalid if there is an
// IdleTimeout, since a key would lose its thread, or Reserve, since it starts
// its threads one by one: call thread.Reserve.
func NewKeyed(o Options) (*Keyed, error) {
	if o.Reserve {
		return nil, invalid("reserved places for threads that belong to keys")
	}
	if o.IdleTimeout != 0 {
		return nil, invalid("an idle timeout of threads that belong to keys")
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	r := &shards{seed: maphash.MakeSeed(), pools: make([]atomic.Pointer[pool], o.Threads)}
	o.Threads = 1
	r.o = o
	if err := atExit.add(r, o.Attr.Daemon); err != nil {
		return nil, err
	}
	h := &keyHandle{r}
	runtime.AddCleanup(h, (*shards).close, r) // nothing in r leads to h
	return &Keyed{keyHandle: h}, nil
}

// at returns the pool with number i.
func (r *shards) at(i uint64) *pool {
	if p := r.pools[i].Load(); p != nil {
		return p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[i].Load()
	switch {
	case p != nil:
		return p
	case r.closed:
		return noPool
	}
	p = newPool(r.o, int(i))
	r.made = append(r.made, p)
	r.pools[i].Store(p)
	return p
}

// all returns the pools that exist.
func (r *shards) all() []*pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.made)
}

// close closes all pools; later keys get noPool.
func (r *shards) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	for _, p := range r.all() {
		p.close()
	}
	atExit.remove(r)
}

func (r *shards) closeAtExit() { r.close() }

func poolOf[K comparable](k *Keyed, key K) *pool {
	if k.keyHandle == nil {
		return noPool
	}
	r := k.shards
	return r.at(maphash.Comparable(r.seed, key) % uint64(len(r.pools)))
}

// pools returns the pools that exist.
func (k *Keyed) pools() []*pool {
	if k.keyHandle == nil {
		return nil
	}
	return k.shards.all()
}

// close closes k's pools.
func (k *Keyed) close() {
	if k.keyHandle != nil {
		k.shards.close()
	}
}

// SubmitKey is Submit of work with a key. The key's type counts: 1 and int64(1)
// are two keys. It panics if key is an interface whose value is not comparable.
func SubmitKey[K comparable, T any](k *Keyed, key K, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(k.keyHandle)
	p := poolOf(k, key)
	return submit(p, fn, p.Full, park.Unlimited())
}

// TrySubmitKey is SubmitKey that returns ErrFull if the backlog of key's thread
// is full, whatever Options.Full says.
func TrySubmitKey[K comparable, T any](k *Keyed, key K, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(k.keyHandle)
	return submit(poolOf(k, key), fn, Reject, park.Forever())
}

// SubmitKeyTimeout is SubmitKey that waits for room for at most d; past that it
// returns ErrFull and fn will not run.
func SubmitKeyTimeout[K comparable, T any](k *Keyed, key K, fn func() (T, error), d time.Duration) (*Future[T], error) {
	defer runtime.KeepAlive(k.keyHandle)
	p := poolOf(k, key)
	return submit(p, fn, p.Full, park.For(d))
}

// SubmitKeyContext is SubmitKey that waits for room until ctx is done; it then
// returns ctx's cause and fn will not run.
func SubmitKeyContext[K comparable, T any](
	ctx context.Context,
	k *Keyed,
	key K,
	fn func() (T, error),
) (*Future[T], error) {
	defer runtime.KeepAlive(k.keyHandle)
	l, err := park.Until(ctx)
	if err != nil {
		return nil, err
	}
	p := poolOf(k, key)
	return submit(p, fn, p.Full, l)
}

// Threads returns k's threads that are not gone, in the order of the numbers in
// their names.
func (k *Keyed) Threads() (threads []*osthread.Thread) {
	defer runtime.KeepAlive(k.keyHandle)
	pools := k.pools()
	slices.SortFunc(pools, func(a, b *pool) int { return cmp.Compare(a.first, b.first) })
	for _, p := range pools {
		threads = append(threads, p.alive()...)
	}
	return threads
}

// Queued returns the number of tasks in the backlogs. The result may be stale
// by the time it is used.
func (k *Keyed) Queued() (n int) {
	defer runtime.KeepAlive(k.keyHandle)
	for _, p := range k.pools() {
		n += p.queued()
	}
	return n
}

// Close is Executor.Close.
func (k *Keyed) Close() error {
	_, err := k.shutdown(park.Unlimited())
	return err
}

// TryShutdown is ShutdownTimeout(0).
func (k *Keyed) TryShutdown() (running []*osthread.Thread, err error) { return k.ShutdownTimeout(0) }

// ShutdownTimeout is Executor.ShutdownTimeout.
func (k *Keyed) ShutdownTimeout(d time.Duration) (running []*osthread.Thread, err error) {
	return k.shutdown(park.For(d))
}

// Shutdown is Executor.Shutdown.
func (k *Keyed) Shutdown(ctx context.Context) (running []*osthread.Thread, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		l = park.For(0)
	}
	running, late := k.shutdown(l)
	if late == ErrTimeout && err != nil {
		late = err
	}
	return running, late
}

// ShutdownNow is Executor.ShutdownNow.
func (k *Keyed) ShutdownNow(ctx context.Context) (running []*osthread.Thread, err error) {
	k.close()
	for _, p := range k.pools() {
		p.cancelAll()
	}
	return k.Shutdown(ctx)
}

// shutdown closes all pools before it waits for any.
func (k *Keyed) shutdown(l park.Limit) (running []*osthread.Thread, err error) {
	k.close()
	pools := k.pools()
	for _, p := range pools {
		if p.isHere() {
			return k.Threads(), ErrDeadlock
		}
	}
	for _, p := range pools {
		if _, err = p.shutdown(l); err != nil {
			return k.Threads(), err
		}
	}
	return nil, nil
}

// String returns the prefix of the threads' names, and how many threads and
// waiting tasks there are.
func (k *Keyed) String() string {
	name := "none"
	if k.keyHandle != nil {
		name = k.shards.o.Attr.Name
	}
	return fmt.Sprintf("Keyed(%s, %d threads, %d queued)", name, len(k.Threads()), k.Queued())
}
