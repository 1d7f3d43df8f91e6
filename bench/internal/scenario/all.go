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
			// As many readers as processors, which share nothing but the lock.
			if !quick || caller == Thread {
				add(Spec{Kind: RWLock, Caller: caller, Threads: p, Reads: 100, Procs: p})
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
			if caller == Goroutine {
				add(lua(p, quick)...)
			}
		}
	}
	for _, p := range procs {
		add(Spec{Kind: Park, Procs: p})
	}
	if !quick {
		for _, think := range []int{10_000, 50_000, 200_000, 1_000_000} { // ns, about
			add(Spec{Kind: Call, Caller: Goroutine, Think: think, Procs: procs[len(procs)-1]})
		}
	}
	for _, caller := range []Caller{Thread, Goroutine} {
		for _, p := range procs {
			if !quick || caller == Thread {
				add(dropIns(caller, p)...)
			}
		}
	}
	add(shared(quick)...)
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
	if all := procs[len(procs)-1]; !quick {
		const wait = 2_000_000 // ns: a period of a control loop
		add(
			Spec{Kind: Lateness, Sleep: sleep, Policy: Other, Slack: 1},
			Spec{Kind: Lateness, Sleep: wait, Policy: FIFO, Busy: all},
			Spec{Kind: Lateness, Sleep: wait, Policy: FIFO, Busy: all, Reserved: 1},
			Spec{Kind: Barrier, Caller: Thread, Parties: 8, Reserved: 8, Procs: all},
			Spec{Kind: Queue, Caller: Thread, Capacity: 1024, Producers: 4, Consumers: 4, Reserved: 8, Procs: all},
		)
	}
	for _, n := range []int{1, 100, 10_000} {
		if !quick || n < 10_000 {
			add(Spec{Kind: Many, Threads: n})
		}
	}
	add(growth(quick)...)
	return specs
}

// growth returns the rows that show how cost grows with the amount of work.
func growth(quick bool) (specs []Spec) {
	if quick {
		return []Spec{{Kind: Waiters, Caller: Goroutine, Object: "lock", Op: "cancel", Waiters: 1000}}
	}
	type amounts []int
	goroutines, threads := amounts{1, 10, 100, 1000, 10_000, 100_000}, amounts{10, 100, 1000}
	objects, tasks := amounts{1, 10, 100, 1000, 10_000}, amounts{1000, 10_000, 100_000, 1_000_000}
	ops := []string{"notify", "cancel", "timeout"}
	waiters := func(caller Caller, object string, ns amounts) {
		for _, op := range ops {
			for _, n := range ns {
				specs = append(specs, Spec{Kind: Waiters, Caller: caller, Object: object, Op: op, Waiters: n})
			}
		}
	}
	for _, object := range []string{"lock", "condition", "event", "semaphore", "queue", "future"} {
		waiters(Goroutine, object, goroutines)
	}
	for _, object := range []string{"lock", "condition", "event"} {
		waiters(Thread, object, threads)
	}
	for _, caller := range []Caller{Thread, Goroutine} {
		for _, n := range objects {
			specs = append(specs, Spec{Kind: WaitAny, Caller: caller, Objects: n})
		}
	}
	for _, op := range []string{"submit", "run", "cancel"} {
		for _, n := range tasks {
			specs = append(specs, Spec{Kind: Tasks, Op: op, Tasks: n})
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
	if caller == Thread && procs == runtime.NumCPU() {
		specs = append(specs, Spec{Kind: Lock, Caller: caller, Threads: 1000, Work: 50, Procs: procs})
	}
	const think = 1000 // steps: with 4 threads on 2 processors the lock is free half of the time, with 16 never
	for _, t := range []int{4, 16} {
		for _, w := range []int{50, 500} {
			specs = append(specs, Spec{Kind: Lock, Caller: caller, Threads: t, Work: w, Think: think, Procs: procs})
		}
	}
	return specs
}

func shared(quick bool) (specs []Spec) {
	if quick {
		return []Spec{{Kind: Shared, Object: "normal", Threads: 1}}
	}
	mutexes := []string{"normal", "errorcheck", "recursive", "robust", "inherit"}
	for _, m := range mutexes {
		specs = append(specs, Spec{Kind: Shared, Object: m, Threads: 1})
	}
	for _, m := range mutexes {
		specs = append(specs, Spec{Kind: Shared, Object: m, Threads: 2, Work: 50})
	}
	for _, m := range []string{"normal", "robust"} {
		specs = append(specs, Spec{Kind: Shared, Object: m, Op: Processes, Threads: 2, Work: 50})
	}
	for _, object := range []string{"semaphore", "event", "ring"} {
		specs = append(specs, Spec{Kind: Shared, Object: object})
	}
	return specs
}

func dropIns(caller Caller, procs int) []Spec {
	return []Spec{
		{Kind: DropIn, Caller: caller, Op: UseMutex, Threads: 4, Work: 500, Think: 1000, Procs: procs},
		{Kind: DropIn, Caller: caller, Op: UseRWMutex, Threads: 4, Work: 50, Reads: 90, Procs: procs},
		{Kind: DropIn, Caller: caller, Op: UseCond, Pairs: 1, Procs: procs},
		{Kind: DropIn, Caller: caller, Op: UseWaitGroup, Parties: 4, Procs: procs},
	}
}

func lua(procs int, quick bool) (specs []Spec) {
	if quick {
		return nil // absent without Lua
	}
	for _, n := range []int{1, 4, 16} {
		specs = append(specs, Spec{Kind: Lua, Caller: Goroutine, Threads: n, Procs: procs})
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
