//go:build unix

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/thread"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/mainthread"
)

// A child is the process that makes the calls. Each call has a carrier of its
// own: a goroutine, an attached one, a thread. One that blocks is left there;
// when there are many the child begins no more.
type child struct {
	seed    uint64
	life    time.Duration
	log     *os.File
	begun   atomic.Uint64 // calls, which also seed the arguments
	blocked atomic.Int64  // calls that have not returned
	pool    pool
	calls   []call
	guards  sync.Map // reflect.Value's pointer of an object of one user: *sync.Mutex
}

const (
	mostBlocked = 150
	grace       = 2 * time.Millisecond // how long a carrier is waited for
	workers     = 4
	mostFile    = 64 << 20 // bytes: the file system is others', too
)

func runChild() {
	seed, err := strconv.ParseUint(os.Getenv(childEnv), 10, 64)
	testutil.Must(err)
	life, err := time.ParseDuration(os.Getenv(lifeEnv))
	testutil.Must(err)
	log, err := os.OpenFile(logName, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	testutil.Must(err)
	c := &child{seed: seed, life: life, log: log, calls: table()}
	signal.Notify(make(chan os.Signal, 1), signals...)
	signal.Ignore(syscall.SIGXFSZ)
	testutil.Must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: mostFile, Max: mostFile}))
	switch seed % 3 { // each ends the process itself
	case 0:
		c.run()
	case 1:
		testutil.Must(mainthread.Run(c.run))
	default:
		testutil.Must(osthread.RunMain(func() error { c.run(); return nil }))
	}
}

// run makes calls, and ends the process.
func (c *child) run() {
	untouched := canaries()
	c.pool.fill(c)
	var done sync.WaitGroup
	end := time.Now().Add(c.life)
	for w := range workers {
		done.Go(func() {
			rng := rand.New(rand.NewPCG(c.seed, uint64(w)))
			for time.Now().Before(end) && c.blocked.Load() < mostBlocked {
				c.carry(rng)
			}
		})
	}
	done.Wait()
	runtime.GC()
	runtime.GC()
	if !untouched() {
		os.Exit(canary)
	}
	_, err := c.log.WriteString(endMark)
	testutil.Must(err)
	os.Exit(0)
}

// canaries fills memory, and returns whether it is as it was.
func canaries() func() bool {
	blocks := make([][]uint64, 256)
	for i := range blocks {
		blocks[i] = make([]uint64, 8<<(i%8))
		for j := range blocks[i] {
			blocks[i][j] = uint64(i*j) ^ 0x5a5a5a5a
		}
	}
	return func() bool {
		for i := range blocks {
			for j := range blocks[i] {
				if blocks[i][j] != uint64(i*j)^0x5a5a5a5a {
					return false
				}
			}
		}
		return true
	}
}

// carry makes one call on a carrier of its own, and waits for it for a moment.
// A goroutine starts the carrier, since a hook may block or end that, too.
func (c *child) carry(rng *rand.Rand) {
	n, kind := c.begun.Add(1), rng.IntN(8)
	ended := make(chan struct{})
	c.blocked.Add(1)
	over := sync.OnceFunc(func() { c.blocked.Add(-1); close(ended) })
	go func() {
		started := false
		defer func() {
			_ = recover() // of a hook
			if !started {
				over()
			}
		}()
		started = carriers[kind%len(carriers)](func() { defer over(); c.call(n, 0) })
	}()
	select {
	case <-ended:
	case <-time.After(grace):
	}
}

// carriers run body, and return whether they have begun it.
var carriers = []func(body func()) bool{
	func(body func()) bool { body(); return true },
	func(body func()) bool {
		_, err := thread.Start(body, nil)
		return err == nil
	},
	func(body func()) bool {
		_, err := osthread.Go(func() error { body(); return nil })
		return err == nil
	},
	func(body func()) bool { // and ends attached
		_, err := thread.Attach()
		body()
		return err == nil
	},
	func(body func()) bool {
		_, err := thread.Attach()
		body()
		_ = thread.Detach() // fails if body has detached
		return err == nil
	},
}

// call makes the call number n, and recovers its panic.
func (c *child) call(n uint64, depth int) {
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(error); ok {
				_ = errors.Is(err, thread.ErrTimeout)
				_ = err.Error()
			}
		}
	}()
	v := &values{c: c, rng: rand.New(rand.NewPCG(c.seed, n)), depth: depth}
	name, f := c.pick(v)
	if !f.IsValid() {
		return
	}
	args := v.args(f.Type())
	fmt.Fprintf(c.log, "%d/%d %s%s\n", n, depth, name, describe(args))
	var results []reflect.Value
	if f.Type().IsVariadic() {
		results = f.CallSlice(args)
	} else {
		results = f.Call(args)
	}
	for _, r := range results {
		c.pool.add(v.rng, r)
		if r.Kind() == reflect.Func && !r.IsNil() && v.rng.IntN(2) == 0 { // an iterator, or what undoes the call
			r.Call(v.args(r.Type()))
		}
	}
}

// pick returns a function of the table, or a method of a value.
func (c *child) pick(v *values) (string, reflect.Value) {
	if v.rng.IntN(3) == 0 {
		f := c.calls[v.rng.IntN(len(c.calls))]
		return f.name, f.f
	}
	r := c.pool.any(v.rng)
	if !r.IsValid() || r.NumMethod() == 0 {
		return "", reflect.Value{}
	}
	i := v.rng.IntN(r.NumMethod())
	name := typeName(r.Type()) + "." + r.Type().Method(i).Name
	if _, left := leftOut[name]; left {
		return "", reflect.Value{}
	}
	if v.rng.IntN(40) == 0 && r.Kind() == reflect.Pointer {
		r = reflect.Zero(r.Type())
	}
	return name, c.alone(r, r.Method(i))
}

// alone returns method, made to do nothing while another call uses r, if r is
// an object that one caller at a time may use.
func (c *child) alone(r, method reflect.Value) reflect.Value {
	if !oneUser[typeName(r.Type())] || r.Kind() != reflect.Pointer || r.IsNil() {
		return method
	}
	g, _ := c.guards.LoadOrStore(r.Pointer(), new(sync.Mutex))
	guard := g.(*sync.Mutex)
	return reflect.MakeFunc(method.Type(), func(args []reflect.Value) []reflect.Value {
		if !guard.TryLock() {
			panic("in use")
		}
		defer guard.Unlock()
		if method.Type().IsVariadic() {
			return method.CallSlice(args)
		}
		return method.Call(args)
	})
}
