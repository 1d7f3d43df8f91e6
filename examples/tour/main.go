// Tour shows what package thread does, on this machine, in a few seconds:
//
//	go run ./examples/tour
package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"example.com/thread"
)

func main() {
	steps := []struct {
		title string
		run   func() error
	}{
		{"Threads, as the kernel sees them", named},
		{"How a thread can end", ends},
		{"Deep recursion of C code on a big stack", recursion},
		{"Threads that C makes and that call Go", aliens},
		{"A file compressed in the background", compress},
		{"Locks: lock and unlock by one thread, and alternation of two threads", locks},
	}
	for i, s := range steps {
		fmt.Printf("%d. %s\n\n", i+1, s.title)
		if err := s.run(); err != nil {
			if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, thread.ErrStackSize) {
				fmt.Printf("   not here: %v\n\n", err)
				continue
			}
			fmt.Fprintf(os.Stderr, "tour: %s: %v\n", s.title, err)
			os.Exit(1)
		}
		fmt.Println()
	}
}

// table prints rows whose cells are separated by tabs.
func table(rows ...string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(w, "   %s\n", r)
	}
	_ = w.Flush() // standard output; without one there is nothing to report
}

func named() error {
	attrs := []*thread.Attr{
		{Name: "small", StackSize: 64 << 10},
		{Name: "big", StackSize: 64 << 20},
		{Name: "on-cpu-0", Affinity: []int{0}},
		{Name: "polite", Nice: 10},
		{Name: "pinned", Pinned: true},
	}
	leave := make(chan struct{})
	rows := []string{"name\tnative id\tident\tstack\tcpus\tnice"}
	var all []*thread.Thread
	for _, a := range attrs {
		t, err := thread.Start(func() { <-leave }, a)
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, thread.ErrStackSize) {
			rows = append(rows, fmt.Sprintf("%s\tnot here", a.Name))
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, t)
		rows = append(rows, kernelsView(t))
	}
	table(rows...)
	close(leave)
	return joinAll(all)
}

func joinAll(threads []*thread.Thread) error {
	for _, t := range threads {
		if err := t.Join(); err != nil {
			return err
		}
	}
	return nil
}

func ends() error {
	thread.SetPanicHook(func(*thread.Thread, *thread.PanicError) {}) // Join returns them as well
	defer thread.SetPanicHook(nil)
	rows := []string{"body\tJoin returns"}
	for _, b := range []struct {
		name string
		body func()
	}{
		{"func() {}", func() {}},
		{"thread.Exit", thread.Exit},
		{"runtime.Goexit", runtime.Goexit},
		{`panic("oops")`, func() { panic("oops") }},
	} {
		t, err := thread.Start(b.body, nil)
		if err != nil {
			return err
		}
		rows = append(rows, fmt.Sprintf("%s\t%v", b.name, t.Join()))
	}
	table(rows...)
	return nil
}

func recursion() error {
	const need, stack = 200 << 20, 256 << 20
	t, err := thread.Start(func() { recurseInC(need) }, &thread.Attr{StackSize: stack})
	if err != nil {
		return err
	}
	if err := t.Join(); err != nil {
		return err
	}
	fmt.Printf("   C used %d MiB of a stack of %d MiB.\n", need>>20, stack>>20)
	return nil
}

func aliens() error {
	const threads = 100
	var ended atomic.Int64
	key := thread.Key[int]{Destructor: func(int) { ended.Add(1) }}
	var mu sync.Mutex
	serials := map[uint64]bool{}
	err := callFromC(threads, func(n int) {
		t := thread.Current()
		mu.Lock()
		serials[t.Serial()] = true
		mu.Unlock()
		_ = key.Set(n) // an alien thread is attached, so there is nothing that could fail
	})
	if err != nil {
		return err
	}
	fmt.Printf(
		"   %d pthreads called in; each was attached (%d records) and its value destroyed at its end (%d).\n",
		threads,
		len(serials),
		ended.Load(),
	)
	return nil
}

// compress gzips this program's own file on a thread while this one goes on.
func compress() error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	in, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	out, err := os.CreateTemp("", "tour-*.gz")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	var failed error
	var done atomic.Int64
	t, err := thread.Start(func() { failed = gzipTo(out, in, &done) }, &thread.Attr{Name: "gzip"})
	if err != nil {
		return err
	}
	polls := 0
	for err = t.TryJoin(); errors.Is(err, thread.ErrTimeout); err = t.JoinTimeout(20 * time.Millisecond) {
		polls++
		fmt.Printf("\r   %3d%%", 100*done.Load()/int64(len(in)))
	}
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	cpu, err := t.CPUTime()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	size, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	fmt.Printf(
		"\r   %d KB became %d KB in %v of the thread's processor time; this one polled %d times meanwhile.\n",
		len(in)>>10,
		size>>10,
		cpu.Round(time.Millisecond),
		polls,
	)
	return nil
}

func gzipTo(w io.Writer, in []byte, done *atomic.Int64) error {
	z := gzip.NewWriter(w)
	for piece := range slices.Chunk(in, 64<<10) {
		if _, err := z.Write(piece); err != nil {
			return err
		}
		done.Add(int64(len(piece)))
	}
	return z.Close()
}

func locks() error {
	const rounds, turns = 7, 20_000
	var m sync.Mutex
	var l thread.Lock
	var unlocked, mutexes, parks, channels []float64
	for range rounds { // one after the other, so that what else runs here meets them all
		unlocked = append(unlocked, perOp(1_000_000, func(n int) {
			for range n {
				l.Lock()
				//lint:ignore SA2001 the pair is what is measured
				l.Unlock()
			}
		}))
		mutexes = append(mutexes, perOp(1_000_000, func(n int) {
			for range n {
				m.Lock()
				//lint:ignore SA2001 the pair is what is measured
				m.Unlock()
			}
		}))
		p, err := parkSteps(turns)
		if err != nil {
			return err
		}
		parks = append(parks, p)
		channels = append(channels, channelTurns(turns/20))
	}
	table(
		"\tns",
		fmt.Sprintf("thread.Lock\t%.1f", median(unlocked)),
		fmt.Sprintf("sync.Mutex\t%.1f", median(mutexes)),
		fmt.Sprintf("one step by Park and Unpark\t%.0f", median(parks)),
		fmt.Sprintf("one step by channels, goroutines locked to their threads\t%.0f", median(channels)),
	)
	fmt.Println("   For more: go run -C bench .")
	return nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

func perOp(n int, f func(n int)) float64 {
	start := time.Now()
	f(n)
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// parkSteps has two threads alternate, and returns the ns that a step takes.
func parkSteps(n int) (float64, error) {
	var ping, pong *thread.Thread
	ready := make(chan struct{})
	ping, err := thread.Start(func() {
		<-ready
		for range n {
			pong.Unpark()
			_ = thread.Park() // fails only without a thread
		}
	}, nil)
	if err != nil {
		return 0, err
	}
	pong, err = thread.Start(func() {
		<-ready
		for range n {
			_ = thread.Park() // fails only without a thread
			ping.Unpark()
		}
	}, nil)
	if err != nil {
		close(ready) // ping waits for ever, and main ends
		return 0, err
	}
	return perOp(2*n, func(int) {
		close(ready)
		err = joinAll([]*thread.Thread{ping, pong})
	}), err
}

func channelTurns(n int) float64 {
	there, back := make(chan struct{}), make(chan struct{})
	return perOp(2*n, func(int) {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for range n {
				<-there
				back <- struct{}{}
			}
		}()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for range n {
			there <- struct{}{}
			<-back
		}
	})
}
