package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

// Each value is delivered exactly once, and the values of a producer to a
// consumer in their order, from a queue that has one.
var queueLoads = []load{
	{"Queue", beginQueue(true, queue.New[value])},
	{"LIFO Queue", beginQueue(false, queue.NewLIFO[value])},
	{"priority Queue", beginQueue(true, func(n int) *queue.Queue[value] {
		return queue.NewPriority(n, func(a, b value) int { return cmp.Compare(a.n, b.n) })
	})},
	{"Simple", beginSimple},
}

// A value is the nth of its producer.
type value struct {
	from *producer
	n    int
}

// A producer notes which of its values were delivered.
type producer struct {
	put       int // it alone
	delivered [64]atomic.Uint64
}

func (p *producer) full() bool { return p.put+maxBatch > 64*len(p.delivered) }

// maxBatch is the size of the largest batch that is put or taken at once.
const maxBatch = 5

// producers are those of a queue in a round, and what consumers have seen.
type producers struct {
	ordered bool
	mu      sync.Mutex
	all     []*producer
}

// A part is what one worker does: it puts as one producer after the other, and
// takes as one consumer.
type part struct {
	producer *producer
	last     map[*producer]int
}

func (ps *producers) part(w *worker) *part {
	p, ok := w.state.(*part)
	if !ok {
		p = &part{last: map[*producer]int{}}
		w.state = p
	}
	if p.producer == nil || p.producer.full() {
		p.producer = new(producer)
		ps.mu.Lock()
		defer ps.mu.Unlock()
		ps.all = append(ps.all, p.producer)
	}
	return p
}

// deliver notes that v was delivered.
func (ps *producers) deliver(r *round, v value) {
	if v.from == nil {
		r.fail("a queue has delivered what was not put")
	}
	bit := uint64(1) << (v.n % 64)
	if v.from.delivered[v.n/64].Or(bit)&bit != 0 {
		r.fail("value %d of a producer was delivered twice", v.n)
	}
}

// take is deliver to a consumer.
func (p *part) take(w *worker, ps *producers, v value) {
	ps.deliver(w.round, v)
	if !ps.ordered {
		return
	}
	if last, ok := p.last[v.from]; ok && last >= v.n {
		w.fail("%v: value %d of a producer has come after %d", w, v.n, last)
	}
	p.last[v.from] = v.n
}

// check is called when the queue is empty.
func (ps *producers) check(r *round, what string) {
	for _, p := range ps.all {
		for n := range 64 * len(p.delivered) {
			if was := p.delivered[n/64].Load()>>(n%64)&1 != 0; was != (n < p.put) {
				r.fail("%s: value %d of the %d that a producer put: delivered: %v", what, n, p.put, was)
			}
		}
	}
}

// A queueUse is a queue in a round.
type queueUse struct {
	q     *queue.Queue[value]
	ps    producers
	awake awake
}

func beginQueue(ordered bool, newQueue func(int) *queue.Queue[value]) func(*round, int) use {
	return func(r *round, places int) use {
		u := &queueUse{q: newQueue(r.rnd.IntN(9)), awake: awake{places: int64(places)}}
		u.ps.ordered = ordered
		return use{
			step:  u.step,
			stop:  u.q.Shutdown,
			check: func() { u.check(r) },
		}
	}
}

func (u *queueUse) step(w *worker) {
	p := u.ps.part(w)
	switch w.rnd.IntN(5) {
	case 0, 1:
		u.put(w, p)
	case 2:
		u.putAll(w, p)
	case 3:
		u.get(w, p)
	default:
		u.getN(w, p)
	}
}

func (u *queueUse) wait(w *worker, s shapes) bool {
	plain, leave := u.awake.guard(s.plain)
	defer leave()
	s.plain = plain
	return w.wait(s)
}

func (u *queueUse) put(w *worker, p *part) {
	v := value{p.producer, p.producer.put}
	if u.wait(w, shapes{
		plain:   func() error { return u.q.Put(v) },
		try:     func() error { return u.q.TryPut(v) },
		timeout: func(d time.Duration) error { return u.q.PutTimeout(v, d) },
		context: func(ctx context.Context) error { return u.q.PutContext(ctx, v) },
	}) {
		p.producer.put++
	}
}

// putAll puts a batch, of which a part may be put.
func (u *queueUse) putAll(w *worker, p *part) {
	var vs []value
	for i := range 1 + w.rnd.IntN(maxBatch) {
		vs = append(vs, value{p.producer, p.producer.put + i})
	}
	put := func(n int, err error) error {
		p.producer.put += n
		return err
	}
	u.wait(w, shapes{
		plain:   func() error { return put(u.q.PutAll(vs)) },
		try:     func() error { return put(u.q.TryPutAll(vs)) },
		timeout: func(d time.Duration) error { return put(u.q.PutAllTimeout(vs, d)) },
		context: func(ctx context.Context) error { return put(u.q.PutAllContext(ctx, vs)) },
	})
}

func (u *queueUse) get(w *worker, p *part) {
	got := func(v value, err error) error {
		if err == nil {
			p.take(w, &u.ps, v)
			u.q.TaskDone()
		}
		return err
	}
	u.wait(w, shapes{
		plain:   func() error { return got(u.q.Get()) },
		try:     func() error { return got(u.q.TryGet()) },
		timeout: func(d time.Duration) error { return got(u.q.GetTimeout(d)) },
		context: func(ctx context.Context) error { return got(u.q.GetContext(ctx)) },
	})
}

func (u *queueUse) getN(w *worker, p *part) {
	buf := make([]value, 1+w.rnd.IntN(maxBatch))
	got := func(n int, err error) error {
		for _, v := range buf[:n] {
			p.take(w, &u.ps, v)
			u.q.TaskDone()
		}
		return err
	}
	u.wait(w, shapes{
		plain:   func() error { return got(u.q.GetN(buf)) },
		try:     func() error { return got(u.q.TryGetN(buf)) },
		timeout: func(d time.Duration) error { return got(u.q.GetNTimeout(buf, d)) },
		context: func(ctx context.Context) error { return got(u.q.GetNContext(ctx, buf)) },
	})
}

func (u *queueUse) check(r *round) {
	for {
		v, err := u.q.TryGet()
		if errors.Is(err, osthread.ErrShutdown) {
			break
		}
		if err != nil {
			r.fail("a queue that is shut down: %v", err)
		}
		u.ps.deliver(r, v)
		u.q.TaskDone()
	}
	u.ps.check(r, "Queue")
	if g, p := u.q.Waiting(); g+p != 0 || u.q.Unfinished() != 0 || !u.q.TryJoin() {
		r.fail("%v in the end: %d unfinished", u.q, u.q.Unfinished())
	}
}

// A Simple is never full and has no shutdown, so a Get has a limit.
func beginSimple(r *round, _ int) use {
	q, ps := new(queue.Simple[value]), &producers{ordered: true}
	return use{
		step: func(w *worker) {
			p := ps.part(w)
			if w.rnd.IntN(2) == 0 {
				q.Put(value{p.producer, p.producer.put})
				p.producer.put++
				return
			}
			got := func(v value, err error) error {
				if err == nil {
					p.take(w, ps, v)
				}
				return err
			}
			w.wait(shapes{
				try:     func() error { return got(q.TryGet()) },
				timeout: func(d time.Duration) error { return got(q.GetTimeout(d)) },
				context: func(ctx context.Context) error { return got(q.GetContext(ctx)) },
			})
		},
		check: func() {
			for !q.Empty() {
				ps.deliver(r, q.Get())
			}
			ps.check(r, "Simple")
			if q.Waiting() != 0 {
				r.fail("%v in the end", q)
			}
		},
	}
}
