package shared

import (
	"bytes"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// canRobust says that dead owners are seen.
const canRobust = true

// readSelf returns the calling thread as an owner. A caller that does not need
// the incarnation gets 0 for it.
func readSelf(incarnation bool) uint64 {
	self := uint64(ident.NativeID()) & ownerID
	if incarnation {
		if _, i, ok := look(int(self)); ok {
			self |= uint64(i) << 32
		}
	}
	return self
}

// isDead reports whether the owner in the word s is known to be dead.
func isDead(s uint64) bool {
	id := int(s & ownerID)
	if id == 0 || isOver(s) {
		return false
	}
	if isGone(id) {
		return true
	}
	state, i, ok := look(id)
	if !ok {
		return isGone(id) // meanwhile, or there is no /proc
	}
	return (state == 'Z' || state == 'X' || state == 'x' || !sameIncarnation(uint32(s>>32), i))
}

// isGone reports whether no thread has that id.
func isGone(id int) bool { return unix.Kill(id, 0) == unix.ESRCH }

// firstThread is the thread that Go began on, as package initialization does.
var firstThread = ident.NativeID()

func onFirstThread(self uint64) bool { return int(self&ownerID) == firstThread }

// leaveFirstThread moves the calling goroutine, which pin has pinned, off the
// process's first thread: if a goroutine ends locked to that, Go stops the
// thread for good and does not end it, so no waiter would find the owner dead.
//
// Another goroutine occupies the first thread until the caller has a different
// one. It is the next to run where the caller yields, which is the first
// thread. If another thread runs it nevertheless, or the caller returns before
// it, there is another try. A caller that its own LockOSThread keeps on the
// first thread stays.
func leaveFirstThread() {
	for range 16 {
		runtime.UnlockOSThread()
		if park.Locked() {
			runtime.LockOSThread()
			return
		}
		away := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if ident.NativeID() == firstThread {
				<-away
			}
		}()
		runtime.Gosched()
		runtime.LockOSThread()
		close(away)
		if ident.NativeID() != firstThread {
			return
		}
	}
}

// exiting is the kernel's flag PF_EXITING, of a thread that runs no more code.
// It has died even if its end takes a while: join(3) returns before it is over.
const exiting = 0x4

// look reads what the kernel says of the thread id: its state, a letter of
// ps(1), and its incarnation. It is ost_look_ of csrc/ost_owner.h, which must
// have the same results.
func look(id int) (state byte, incarnation uint32, ok bool) {
	n := strconv.Itoa(id)
	line := make([]byte, 1024)
	got := readFile("/proc/"+n+"/task/"+n+"/stat", line)
	line = line[:max(got, 0)]
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return 0, 0, false
	}
	fields := bytes.Fields(line[end+1:]) // from field 3 on
	if len(fields) < 26 {
		return 0, 0, false
	}
	state = fields[0][0]
	if number(fields[9-3])&exiting != 0 {
		state = 'X'
	}
	return state, makeIncarnation(number(fields[22-3]), number(fields[26-3]), number(fields[28-3])), true
}

// makeIncarnation returns the incarnation of a thread that began at start, in a
// process with that code and stack, 0 if those may not be known.
func makeIncarnation(start, code, stack uint64) uint32 {
	i := uint32(start & 0xfffff)
	if stack == 0 {
		return i
	}
	h := stack ^ (code>>12 | code<<52)
	h ^= h >> 36
	h ^= h >> 18
	return i | uint32(h%4095+1)<<20
}

func number(digits []byte) (n uint64) {
	for _, d := range digits {
		n = n*10 + uint64(d-'0')
	}
	return n
}

// readFile reads the start of the file path into line, and returns how much, or
// -1 if it cannot.
func readFile(path string, line []byte) int {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1
		}
		n, err := unix.Read(fd, line)
		_ = unix.Close(fd) // of a file that was only read
		if err == unix.EINTR {
			continue
		}
		return n
	}
}
