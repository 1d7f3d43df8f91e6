package headroom

import (
	"errors"
	"math"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// room returns how many threads the nearest limit leaves: the ones that
// clone(2) and pthread_create(3) name for EAGAIN. What cannot be read limits
// nothing.
//
// A refusal counts for as long as refusalFor says.
func room(refusalFor time.Duration) int {
	own := ownThreads()
	return min(
		userRoom(own),
		readInt("/proc/sys/vm/max_map_count")/2-own, // a stack and its guard are two maps
		min(readInt("/proc/sys/kernel/threads-max"), readInt("/proc/sys/kernel/pid_max"))-tasks(),
		cgroupRoom(),
		refusal.room(own, refusalFor),
	)
}

// userRoom is what RLIMIT_NPROC leaves, which counts the threads of all
// processes of the user.
func userRoom(own int) int {
	if exempt() {
		return math.MaxInt
	}
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &r) != nil || r.Cur > math.MaxInt {
		return math.MaxInt
	}
	return int(r.Cur) - own - others.count()
}

// exempt reports whether the process is exempt from RLIMIT_NPROC: as root, or
// with one of two capabilities, in the first user namespace. In another one, as
// in a rootless container, they are of no use here (copy_process in
// kernel/fork.c).
func exempt() bool { return inFirstNamespace() && (os.Getuid() == 0 || capable()) }

// inFirstNamespace reads the map of the process's user namespace, which does
// not change once Go runs. In the first one every id stands for itself.
var inFirstNamespace = sync.OnceValue(func() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	return err != nil || slices.Equal(strings.Fields(string(b)), []string{"0", "0", "4294967295"})
})

// capable reports whether the process has a capability that exempts it from
// RLIMIT_NPROC.
func capable() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_ADMIN|1<<unix.CAP_SYS_RESOURCE) != 0
}

// others holds the number of threads of the user's other processes. Counting
// them takes a system call for each process there is.
var others othersCount

type othersCount struct {
	n  int
	at time.Time
}

// othersFor bounds how often processes are counted.
const othersFor = 10 * time.Millisecond

// count is called under looking.
func (o *othersCount) count() int {
	if now := time.Now(); o.at.IsZero() || now.Sub(o.at) > othersFor {
		o.n, o.at = threadsOfOthers(), now
	}
	return o.n
}

// threadsOfOthers counts in /proc, where a process's folder of threads belongs
// to its user, and has a link for each thread besides its own two. Processes of
// other pid namespaces are not seen.
//
// A user namespace counts for itself what is in it, and all of that counts for
// its maker as well, the user that created it, with the processes which that
// user has outside (Linux 5.14). The maker's limit is what it was then, which
// cannot be read: it is taken to be ours, and the larger count is returned.
func threadsOfOthers() int {
	d, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1) // what cannot be read limits nothing
	uid, self := uint32(os.Getuid()), strconv.Itoa(os.Getpid())
	maker, hasMaker := namespaceMaker()
	user, makers := 0, 0
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' || name == self {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+name+"/task", &st) != nil {
			continue
		}
		n := max(int(st.Nlink)-2, 1)
		inside := inOurNamespace(name)
		if inside && st.Uid == uid {
			user += n
		}
		if hasMaker && (inside || st.Uid == maker) {
			makers += n
		}
	}
	return max(user, makers)
}

// inOurNamespace reports whether the process with that name in /proc counts in
// our user namespace. The first one counts those of all others too; of another
// one only processes in it may be asked.
func inOurNamespace(name string) bool {
	if inFirstNamespace() {
		return true
	}
	var ours, its unix.Stat_t
	return unix.Stat("/proc/self/ns/user", &ours) == nil && unix.Stat("/proc/"+name+"/ns/user", &its) == nil &&
		ours.Ino == its.Ino
}

// namespaceMaker returns the user that created our user namespace, by the
// user's id in it, if that is not the first namespace and has an id for that
// user (ioctl_ns(2)).
func namespaceMaker() (uid uint32, ok bool) {
	if inFirstNamespace() {
		return 0, false
	}
	f, err := os.Open("/proc/self/ns/user")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	maker, err := unix.IoctlGetUint32(int(f.Fd()), unix.NS_GET_OWNER_UID)
	return maker, err == nil && int(maker) != readInt("/proc/sys/kernel/overflowuid")
}

// refusal is where the system last refused a thread. It knows limits that
// cannot be read: of a user namespace's maker, of a control group or of
// processes that are not seen.
var refusal refused

type refused struct {
	threads int // of the process
	at      time.Time
}

// room is called under looking.
func (r *refused) room(own int, lasts time.Duration) int {
	age := time.Since(r.at)
	if age > pinnedRefusal {
		refusalStands.Store(false)
	}
	if r.at.IsZero() || age > lasts {
		return math.MaxInt
	}
	return r.threads - own
}

// Refused records that the system refused a thread with a stack of that many
// bytes, 0 for the default, with err. EAGAIN counts as a limit for a while,
// unless the memory for the stack was not available.
func Refused(err error, stack int) {
	if !errors.Is(err, errAgain) {
		return
	}
	if !CanMap(stack) {
		return
	}
	looking.Lock()
	defer looking.Unlock()
	refusal = refused{ownThreads(), time.Now()}
	refusalStands.Store(true)
	threads.left.Store(0)
}

// CanMap reports whether there is address space for a stack of that many bytes,
// 0 for the default.
func CanMap(stack int) bool {
	n := int(min(stackBytes(stack), math.MaxInt))
	m, err := unix.Mmap(
		-1,
		0,
		n,
		unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_STACK,
	)
	if err != nil {
		return false
	}
	_ = unix.Munmap(m) // of our own map
	return true
}

// noLimit is more than any limit, and may be halved and counted down.
const noLimit = math.MaxInt64 / 2

// The limits on memory, each with the column of proc_pid_statm(5) that it
// bounds.
var memoryLimits = [...]struct {
	resource, column int
	atFirst          int64 // what was left at the first look that found a limit
}{{resource: unix.RLIMIT_AS, column: 0}, {resource: unix.RLIMIT_DATA, column: 5}}

// memory returns how many bytes the limits on memory leave beyond what the
// runtime may want with that many threads more; see keptBack. It is called
// under looking.
//
// No more than half of what was left at the first look is kept back, or a small
// limit would leave no thread at all.
func memory(threads int64) int64 {
	left := int64(noLimit)
	for i := range memoryLimits {
		l := &memoryLimits[i]
		most := limitOf(l.resource)
		if most == noLimit {
			continue
		}
		used := inUse(l.column)
		if most == all32bit && used > most {
			continue // an emulator, whose own memory this is
		}
		free := most - used
		if l.atFirst == 0 {
			l.atFirst = free
		}
		left = min(left, free-min(keptBack(threads), l.atFirst/2))
	}
	return left
}

// all32bit is the address space of a 32-bit process; on a 64-bit kernel it is 4
// GiB.
const all32bit = 3 << 30

// limitOf returns the soft limit of a resource of memory.
func limitOf(resource int) int64 {
	most := int64(noLimit)
	if !is64bit {
		most = all32bit
	}
	var r unix.Rlimit
	if unix.Getrlimit(resource, &r) == nil && r.Cur < uint64(most) {
		most = int64(r.Cur)
	}
	return most
}

const (
	is64bit = math.MaxInt == math.MaxInt64
	bit64   = math.MaxInt >> 62 // 1 on 64-bit systems, else 0
)

// What Go's runtime and the C library take of the address space at once, on
// 64-bit and 32-bit systems.
const (
	heapPiece = 4<<20 + (64-4)<<20*bit64 // of Go's heap (heapArenaBytes)
	// of each arena of glibc's malloc (HEAP_MAX_SIZE), which a new thread makes
	// while there are few
	mallocPiece  = 1<<20 + (64-1)<<20*bit64
	arenasPerCPU = 2 + (8-2)*bit64 // (NARENAS_FROM_NCORES)
)

// keptBack is what the runtime may want with that many threads more: their
// stacks, the C library's memory for each, and heap.
func keptBack(threads int64) int64 {
	arenas := min(threads, max(0, int64(arenasPerCPU)*int64(runtime.NumCPU())-int64(ownThreads())))
	return 2*heapPiece + threads*int64(goStack) + arenas*mallocPiece
}

// arenaBytes returns the address space that glibc's malloc takes for the next
// thread that C makes. It counts those that were ever made: arenas stay.
func arenaBytes() int64 {
	if natives.Add(1) > int64(arenasPerCPU*runtime.NumCPU()) {
		return 0
	}
	return mallocPiece
}

var natives atomic.Int64

// inUse returns a column of proc_pid_statm(5) in bytes: 0 is the address space,
// 5 the data, in the sense of the limits.
func inUse(column int) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if column >= len(f) {
		return 0
	}
	n, _ := strconv.ParseInt(f[column], 10, 64)
	return n * int64(os.Getpagesize())
}

// stackBytes returns the address space that a thread of C takes with that
// stack, 0 for the default.
func stackBytes(stack int) int64 {
	if stack != 0 {
		return int64(stack)
	}
	return int64(defaultStack())
}

// defaultStack is RLIMIT_STACK as the process began with it, as in glibc, which
// takes 2 MiB for no limit. musl's is less.
var defaultStack = sync.OnceValue(func() int {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &r) != nil || r.Cur > math.MaxInt32 {
		return 2 << 20
	}
	return int(r.Cur)
})

// ownThreads returns the number of threads of the process, from
// proc_pid_status(5). /proc/self/stat has it too, but qemu's user mode makes
// that one up, with 0.
func ownThreads() int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "\nThreads:") // a newline in the name before it is escaped
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(strings.TrimSpace(line))
	return n
}

// tasks returns the number of threads of the whole system, from
// proc_loadavg(5): "0.10 0.05 0.01 1/82 4711".
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

// cgroupRoom returns what pids.max leaves in the process's control group and
// those above it.
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
