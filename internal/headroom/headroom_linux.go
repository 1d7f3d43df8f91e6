package headroom

import (
	"bytes"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

var errAgain error = syscall.EAGAIN

// room returns how many threads the nearest limit leaves: the ones that clone(2) and pthread_create(3) name for EAGAIN. What cannot
// be read limits nothing.
func room() int {
	own := threads()
	return min(
		userLimit()-own,
		readInt("/proc/sys/vm/max_map_count")/2-own, // a stack and its guard are two maps
		min(readInt("/proc/sys/kernel/threads-max"), readInt("/proc/sys/kernel/pid_max"))-tasks(),
		cgroupRoom(),
	)
}

// userLimit is RLIMIT_NPROC, which counts the threads of all processes of the user. Those of other processes are left out: counting
// them means reading all of /proc.
func userLimit() int {
	if os.Getuid() == 0 || capable() {
		return math.MaxInt
	}
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &r) != nil || r.Cur > math.MaxInt {
		return math.MaxInt
	}
	return int(r.Cur)
}

// capable reports whether the process is exempt from RLIMIT_NPROC.
func capable() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_ADMIN|1<<unix.CAP_SYS_RESOURCE) != 0
}

// threads returns the number of threads of the process: field 20 of proc_pid_stat(5), counted behind the name, which may hold
// anything.
func threads() int {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const numThreads = 20 - 3 // the first field here is the third
	if len(fields) <= numThreads {
		return 0
	}
	n, _ := strconv.Atoi(fields[numThreads])
	return n
}

// tasks returns the number of threads of the whole system, from proc_loadavg(5): "0.10 0.05 0.01 1/82 4711".
func tasks() int {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 4 {
		return 0
	}
	_, total, _ := strings.Cut(fields[3], "/")
	n, _ := strconv.Atoi(total)
	return n
}

// cgroupRoom returns what pids.max leaves in the process's control group and those above it.
func cgroupRoom() int {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return math.MaxInt
	}
	left := math.MaxInt
	for line := range strings.Lines(string(b)) {
		// hierarchy:controllers:path, cgroups(7)
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		root := ""
		switch {
		case f[0] == "0" && f[1] == "":
			root = "/sys/fs/cgroup"
		case f[1] == "pids":
			root = "/sys/fs/cgroup/pids"
		default:
			continue
		}
		for dir := path.Clean("/" + f[2]); ; dir = path.Dir(dir) {
			most := readInt(path.Join(root, dir, "pids.max"))
			if most != math.MaxInt {
				left = min(left, most-readInt(path.Join(root, dir, "pids.current")))
			}
			if dir == "/" {
				break
			}
		}
	}
	return left
}

// readInt returns the number in a file, math.MaxInt if there is none ("max").
func readInt(name string) int {
	b, err := os.ReadFile(name)
	if err != nil {
		return math.MaxInt
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return math.MaxInt
	}
	return n
}
