package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var systemStorms = []storm{
	{name: "SIGURG and SIGPROF to the process", pause: 2 * time.Millisecond, blow: signalProcess, native: true},
	{name: "SIGURG and SIGPROF to threads", pause: 5 * time.Millisecond, blow: signalThreads, native: true},
	{name: "cpuset", pause: 100 * time.Millisecond, blow: changeCPUs, calm: restoreCPUs},
}

// anySignal is one that Go's runtime has a handler for, which is used to being
// called at any time.
func anySignal(rnd *rand.Rand) syscall.Signal {
	if rnd.IntN(2) == 0 {
		return syscall.SIGURG
	}
	return syscall.SIGPROF
}

func signalProcess(r *round, rnd *rand.Rand) {
	for range 1 + rnd.IntN(20) {
		r.must(syscall.Kill(os.Getpid(), anySignal(rnd)))
	}
}

func signalThreads(r *round, rnd *rand.Rand) {
	for _, tid := range tasks(r) {
		if rnd.IntN(4) == 0 {
			_ = syscall.Tgkill(os.Getpid(), tid, anySignal(rnd)) // it may have ended
		}
	}
}

// tasks returns the ids of the threads of the process.
func tasks(r *round) (tids []int) {
	names, err := readNames("/proc/self/task")
	r.must(err)
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		r.must(err)
		tids = append(tids, tid)
	}
	return tids
}

func readNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// cpus is the cpuset of the process in the beginning.
var cpus = func() (set unix.CPUSet) {
	_ = unix.SchedGetaffinity(0, &set) // then it is empty, and changeCPUs does nothing
	return
}()

// changeCPUs has all threads run on some of the processors, as a change of the
// container's cpuset does.
func changeCPUs(r *round, rnd *rand.Rand) {
	var set unix.CPUSet
	left := cpus.Count()
	for cpu := 0; left > 0; cpu++ {
		if cpus.IsSet(cpu) {
			if left--; rnd.IntN(2) == 0 || left == 0 && set.Count() == 0 {
				set.Set(cpu)
			}
		}
	}
	if set.Count() > 0 {
		setCPUs(tasks(r), set)
	}
}

func setCPUs(tids []int, set unix.CPUSet) {
	for _, tid := range tids {
		_ = unix.SchedSetaffinity(tid, &set) // it may have ended
	}
}

// restoreCPUs does it over: a thread that was made meanwhile has inherited that
// of its maker.
func restoreCPUs() {
	for range 3 {
		names, _ := readNames("/proc/self/task")
		for _, name := range names {
			tid, _ := strconv.Atoi(name)
			setCPUs([]int{tid}, cpus)
		}
	}
}
