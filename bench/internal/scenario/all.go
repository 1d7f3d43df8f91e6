package scenario

import "runtime"

// All returns every row, in the order of the report.
func All() []Spec {
	return build(procs(), false)
}

// Quick returns the rows of All for a run of under a minute.
func Quick() []Spec {
	return build([]int{runtime.NumCPU()}, true)
}

// procs returns the values of GOMAXPROCS to measure with: 1, 2, and the number
// of processors.
func procs() []int {
	switch n := runtime.NumCPU(); n {
	case 1:
		return []int{1}
	case 2:
		return []int{1, 2}
	default:
		return []int{1, 2, n}
	}
}

func build(procs []int, quick bool) (specs []Spec) {
	add := func(s ...Spec) { specs = append(specs, s...) }
	for _, caller := range []Caller{Thread, Goroutine} {
		all := procs[len(procs)-1]
		add(Spec{Kind: Lock, Caller: caller, Threads: 1, Procs: all}, Spec{Kind: Recursive, Caller: caller, Procs: all})
		for _, p := range procs {
			add(locks(caller, p, quick)...)
			for _, reads := range []int{99, 90} {
				add(Spec{Kind: RWLock, Caller: caller, Threads: 4, Work: 50, Reads: reads, Procs: p})
			}
			for _, pairs := range []int{1, 4} {
				add(
					Spec{Kind: Condition, Caller: caller, Pairs: pairs, Procs: p},
					Spec{Kind: Event, Caller: caller, Pairs: pairs, Procs: p},
				)
			}
			add(Spec{Kind: Semaphore, Caller: caller, Threads: 8, Permits: 2, Work: 50, Procs: p})
			for _, parties := range []int{2, 8} {
				add(Spec{Kind: Barrier, Caller: caller, Parties: parties, Procs: p})
			}
			add(queues(caller, p, quick)...)
			add(Spec{Kind: Call, Caller: caller, Procs: p}, Spec{Kind: Submit, Caller: caller, Procs: p})
		}
	}
	for _, p := range procs {
		add(Spec{Kind: Park, Procs: p})
	}
	add(Spec{Kind: StartJoin}, Spec{Kind: StartJoin, Stack: 64 << 10})
	for _, op := range []string{"first", "again"} {
		add(Spec{Kind: Callback, Op: op})
	}
	for _, op := range []string{"current", "ident", "nativeid", "local"} {
		add(Spec{Kind: Identity, Op: op})
	}
	const sleep = 200_000 // ns: short enough for many waits, longer than any spin
	add(
		Spec{Kind: Lateness, Sleep: sleep, Policy: Other},
		Spec{Kind: Lateness, Sleep: sleep, Policy: FIFO},
		Spec{Kind: Lateness, Sleep: sleep, Policy: FIFO, Bound: true},
	)
	for _, n := range []int{1, 100, 10_000} {
		if !quick || n < 10_000 {
			add(Spec{Kind: Many, Threads: n})
		}
	}
	return specs
}

func locks(caller Caller, procs int, quick bool) (specs []Spec) {
	threads, works := []int{2, 4, 16}, []int{0, 50, 500, 5000}
	if quick {
		threads, works = []int{2, 16}, []int{0, 500}
	}
	for _, t := range threads {
		for _, w := range works {
			specs = append(specs, Spec{Kind: Lock, Caller: caller, Threads: t, Work: w, Procs: procs})
		}
	}
	if quick {
		return specs
	}
	const think = 1000 // steps: with 4 threads on 2 processors the lock is free half of the time, with 16 never
	for _, t := range []int{4, 16} {
		for _, w := range []int{50, 500} {
			specs = append(specs, Spec{Kind: Lock, Caller: caller, Threads: t, Work: w, Think: think, Procs: procs})
		}
	}
	return specs
}

func queues(caller Caller, procs int, quick bool) (specs []Spec) {
	capacities := []int{1, 64, 1024}
	if quick {
		capacities = []int{1, 1024}
	}
	for _, n := range []int{1, 4} {
		for _, c := range capacities {
			specs = append(
				specs,
				Spec{Kind: Queue, Caller: caller, Capacity: c, Producers: n, Consumers: n, Procs: procs},
			)
		}
	}
	return specs
}
