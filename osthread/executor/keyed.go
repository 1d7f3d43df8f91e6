package executor

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/osthread"
)

// A Keyed is a row of pools of one thread each; the hash of a key says which. It has no state of its own that changes.

// A Keyed is an executor in which work with the same key always runs on the same thread, in the order in which it was submitted: for libraries with a
// context that belongs to one thread, one for each key. It comes from NewKeyed and is closed by Close or Shutdown, or when it is forgotten, as an
// [Executor].
//
// Two keys may have the same thread; work with one that takes long holds up the other's. A task that panics, or does not return, costs its keys their
// thread: OnStop runs, and OnStart on the one that follows. If OnStart fails on a thread the keys of that thread alone get ErrBroken.
//
// It must not be copied: a copy is closed with the original.
type Keyed struct {
	seed  maphash.Seed
	pools []*pool
	_     noCopy
}

// NewKeyed returns a keyed executor. Backlog and Full are for each thread. It returns the errors of New, and one that is ErrInvalid if there is an
// IdleTimeout: a key would lose its thread.
func NewKeyed(o Options) (*Keyed, error) {
	if o.IdleTimeout != 0 {
		return nil, invalid("an idle time-out of threads that belong to keys")
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	k := &Keyed{seed: maphash.MakeSeed(), pools: make([]*pool, o.Threads)}
	o.Threads = 1
	for i := range k.pools {
		k.pools[i] = newPool(o, i)
		if err := atExit.add(k.pools[i], o.Attr.Daemon); err != nil {
			closeEach(k.pools[:i])
			return nil, err
		}
	}
	runtime.AddCleanup(k, closeEach, k.pools) // nothing in a pool leads to k
	return k, nil
}

func closeEach(ps []*pool) {
	for _, p := range ps {
		p.close()
	}
}

func poolOf[K comparable](k *Keyed, key K) *pool {
	return k.pools[maphash.Comparable(k.seed, key)%uint64(len(k.pools))]
}

// SubmitKey is Submit of work that belongs to key. Key's type counts: 1 and int64(1) are two keys. It panics if key is an interface whose value
// cannot be compared.
func SubmitKey[K comparable, T any](k *Keyed, key K, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(k)
	p := poolOf(k, key)
	return submit(p, fn, p.Full, park.Forever())
}

// TrySubmitKey is SubmitKey that, whatever Options.Full says, neither waits nor runs fn if as many tasks wait for key's thread as may: it returns
// ErrFull.
func TrySubmitKey[K comparable, T any](k *Keyed, key K, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(k)
	return submit(poolOf(k, key), fn, Reject, park.Forever())
}

// SubmitKeyTimeout is SubmitKey that waits for a place for at most d; past that it returns ErrFull and fn will not run. d <= 0 never sleeps.
func SubmitKeyTimeout[K comparable, T any](k *Keyed, key K, fn func() (T, error), d time.Duration) (*Future[T], error) {
	defer runtime.KeepAlive(k)
	p := poolOf(k, key)
	return submit(p, fn, p.Full, park.For(d))
}

// SubmitKeyContext is SubmitKey that waits for a place until ctx is done; it then returns ctx's cause and fn will not run. If ctx is done already it
// does not try.
func SubmitKeyContext[K comparable, T any](ctx context.Context, k *Keyed, key K, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(k)
	l, err := park.Until(ctx)
	if err != nil {
		return nil, err
	}
	p := poolOf(k, key)
	return submit(p, fn, p.Full, l)
}

// Threads returns k's threads that are not gone, in the order of the numbers in their names.
func (k *Keyed) Threads() (threads []*osthread.Thread) {
	defer runtime.KeepAlive(k)
	for _, p := range k.pools {
		threads = append(threads, p.living()...)
	}
	return threads
}

// Queued returns how many tasks wait for their threads. By the time the caller looks at the result it may be otherwise.
func (k *Keyed) Queued() (n int) {
	defer runtime.KeepAlive(k)
	for _, p := range k.pools {
		n += p.queued()
	}
	return n
}

// Close is Executor.Close.
func (k *Keyed) Close() error {
	_, err := k.shutdown(park.Forever())
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
	closeEach(k.pools)
	for _, p := range k.pools {
		p.cancelAll()
	}
	return k.Shutdown(ctx)
}

// shutdown closes all pools before it waits for any.
func (k *Keyed) shutdown(l park.Limit) (running []*osthread.Thread, err error) {
	closeEach(k.pools)
	if m, ok := current.Get(); ok && slices.Contains(k.pools, m.pool) {
		return k.Threads(), ErrDeadlock
	}
	for _, p := range k.pools {
		if _, err = p.shutdown(l); err != nil {
			return k.Threads(), err
		}
	}
	return nil, nil
}

// String returns the prefix of the threads' names, and how many threads and waiting tasks there are.
func (k *Keyed) String() string {
	return fmt.Sprintf("Keyed(%s, %d threads, %d queued)", k.pools[0].Attr.Name, len(k.Threads()), k.Queued())
}
