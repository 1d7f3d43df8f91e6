package thread

import (
	"os"
	"runtime"
	"sync"

	"example.com/thread/internal/park"
)

// A place is a P of Go's runtime. Reserved places are added to GOMAXPROCS:
//
//	GOMAXPROCS = base + places.added, added >= the sum of all reservations
//
// base is what the program, or the runtime by itself, has set. It is not
// stored: it is what GOMAXPROCS is without the places that were added, as long
// as GOMAXPROCS is what was set here last. If it is another value the program
// has set it in the meantime. That value is then the base, and nothing is added
// until the next Reserve.
//
// Setting GOMAXPROCS stops the world. So it is lowered only when half of the
// places that were added are no longer reserved: a reservation that comes and
// goes beside others stops it rarely.

// mostPlaces bounds the sum of all reservations. Each P costs some 20 KB.
const mostPlaces = 4096

var places reservedPlaces

type reservedPlaces struct {
	mu       sync.Mutex
	reserved int  // the sum of all reservations
	added    int  // to GOMAXPROCS, by the last call
	set      int  // GOMAXPROCS as the last call set it; 0 if nothing is added
	follows  bool // the runtime followed the system's limits before the first reservation
}

// Reserve makes room for n threads to run Go code at once beside what
// GOMAXPROCS allows, until release is called. It raises GOMAXPROCS by n.
//
// At most GOMAXPROCS threads of the process run Go code at a time, and by
// default that is the number of processors. A thread that wakes while all those
// places are taken sleeps again until it gets one: some 10 us, two thread
// switches, and up to 60 ms if goroutines compute on all of them, even if the
// thread has a real-time policy and so would get a processor at once. With a
// place for each thread it is the kernel that chooses which threads run, as in
// a C program. Reserve as many places as threads of the program want to run Go
// code at the same time; threads that sleep or run C code need none.
//
// The price is paid by the goroutines. Any of them may use the places, so more
// threads than processors may run goroutines at once, which the kernel then
// interrupts in the midst of their work, and the garbage collector, which takes
// a quarter of the places while it runs, gets more of the processors. On 2
// processors a program of goroutines that only allocates took 1.2 times as long
// with 1 place reserved and 1.4 times with 8; pairs on channels, a contended
// sync.Mutex and computing took no longer. Each call of Reserve or release may
// stop the world for some 20 us: reserve once for many threads. To stop it
// rarely, a release beside other reservations may leave its places until half
// of all that were added are no longer reserved.
//
// While places are reserved Go does not follow changes of the system's limits
// on processors (Go 1.25 and later follow a control group's). The last release
// restores GOMAXPROCS, and that Go follows the limits if GOMAXPROCS was the
// default before the first Reserve. A call of runtime.GOMAXPROCS by the program
// while places are reserved takes these away: the next Reserve adds all
// reserved places to the value that the program set, and the last release
// leaves the value alone.
//
// A negative n, or more than 4096 places in all, is syscall.EINVAL, and nothing
// is reserved. release may be called more than once and concurrently; only the
// first call counts.
func Reserve(n int) (release func(), err error) {
	if n < 0 {
		return nil, badAttr("reserve: %d places", n)
	}
	if err := places.change(n); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = places.change(-n) // fewer places are never refused
	}), nil
}

// change adds n, which may be negative, to the number of reserved places.
func (p *reservedPlaces) change(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > mostPlaces-p.reserved {
		return badAttr("reserve: %d places beside %d are more than %d", n, p.reserved, mostPlaces)
	}
	now := runtime.GOMAXPROCS(0)
	switch {
	case p.reserved == 0 && n > 0:
		p.added, p.follows = 0, isDefault(now)
	case now != p.set: // by the program
		p.added, p.follows = 0, false
	}
	p.reserved += n
	switch {
	case n > 0 && p.reserved > p.added, p.added > 0 && p.reserved <= p.added/2:
		p.add(now-p.added, p.reserved)
	}
	return nil
}

// base returns GOMAXPROCS without the places that were added.
func (p *reservedPlaces) base() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := runtime.GOMAXPROCS(0)
	if p.reserved == 0 || now != p.set {
		return now
	}
	return now - p.added
}

// add sets GOMAXPROCS to base and n places more.
func (p *reservedPlaces) add(base, n int) {
	if n == 0 && p.follows {
		runtime.SetDefaultGOMAXPROCS()
	} else {
		runtime.GOMAXPROCS(base + n)
	}
	p.set = runtime.GOMAXPROCS(0)
	p.added = p.set - base
	if n == 0 || p.added < n { // WebAssembly has one place, whatever is set
		p.added = 0
	}
	park.ForgetProcs()
}

// isDefault reports whether GOMAXPROCS, which is now, is what Go chooses by
// itself: then Go follows the system's limits.
func isDefault(now int) bool {
	if os.Getenv("GOMAXPROCS") != "" {
		return false
	}
	runtime.SetDefaultGOMAXPROCS()
	return runtime.GOMAXPROCS(0) == now
}
