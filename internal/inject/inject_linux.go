//go:build amd64 || arm64

// Package inject has the nth system call of a kind fail that an operation
// makes. For tests.
//
// A child process installs a filter (seccomp(2)) that asks about each call of
// some kinds, and sends the filter's descriptor to its parent, which answers
// (seccomp_unotify(2)): a call goes on, or fails with an errno. So the counting
// needs nothing of the child, where any lock or allocation could be what is
// tested.
//
//	child                         parent
//	Follow, all threads     --->  Serve
//	Arm(kind, nth, errno)   --->  counts calls of that kind from here on
//	  the operation         --->  lets them go on, but for the nth
//	Disarm                  --->  returns how many there were
//
// Arm and Disarm are system calls that do not exist, which the filter asks
// about, too.
//
// The calls of Go's runtime are let through, and not counted: it ends the
// process when its futex, or its tgkill, fails. A call is the runtime's if the
// instruction that made it is in a function of that package; what package
// syscall and golang.org/x/sys/unix call is in internal/runtime/syscall, and
// what C calls in none of Go's. The C library makes the runtime's threads as
// well, so what it does to make one counts on the thread that has armed only.
// That goroutine must be locked to its thread, from which the runtime makes no
// other.
package inject

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Call is a kind of system calls.
type Call struct {
	Name   string
	Number uintptr
	// Creates says that the C library makes the call for the runtime's threads
	// as well.
	Creates bool
	// NotC says that the C library's own calls go on: it ends the process when
	// they fail.
	NotC bool
	// Counts says which of the calls count, by their arguments; nil for all.
	Counts func(args [6]uint64) bool
}

// marker is no system call. Its first argument says what it is.
const (
	marker = 0x6f7374
	arm    = 1
	disarm = 2
)

// flags have each call answered once, even if a signal comes meanwhile.
const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
	unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH

// Available returns why nothing can be injected, or nil: an emulator has no
// filters, and Linux before 5.19 not these flags.
func Available() error {
	// The kernel checks the flags before the program, which is missing.
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0)
	if errno != unix.EFAULT {
		return os.NewSyscallError("seccomp", max(errno, syscall.EINVAL))
	}
	return nil
}

// Follow has the parent asked about the calls of all threads of the process. It
// sends what the parent needs over the socket with that descriptor.
func Follow(socket int, calls []Call) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var own [8]byte
	binary.NativeEndian.PutUint64(own[:], loadedAt())
	filter := program(calls)
	p := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	rights := unix.UnixRights(0)
	v := unix.Iovec{Base: &own[0], Len: uint64(len(own))}
	m := unix.Msghdr{Iov: &v, Iovlen: 1, Control: &rights[0], Controllen: uint64(len(rights))}
	fd := (*int32)(unsafe.Pointer(&rights[unix.CmsgLen(0)]))
	if call, errno := installAndSend(&p, socket, &m, fd); errno != 0 {
		return os.NewSyscallError(call, errno)
	}
	return os.NewSyscallError("close", unix.Close(int(*fd)))
}

// installAndSend makes no call but these: calls wait for the parent as soon as
// there is a filter, and the parent cannot answer before it has the descriptor.
// So no signal may bring the thread into the runtime, nor the stack grow.
//
//go:nosplit
func installAndSend(p *unix.SockFprog, socket int, m *unix.Msghdr, fd *int32) (call string, errno syscall.Errno) {
	all, old := ^uint64(0), uint64(0)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)),
		uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	r, _, errno := syscall.RawSyscall6(
		unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(p)), 0, 0, 0)
	if call = "seccomp"; errno == 0 {
		*fd, call = int32(r), "sendmsg"
		_, _, errno = syscall.RawSyscall6(unix.SYS_SENDMSG, uintptr(socket), uintptr(unsafe.Pointer(m)), 0, 0, 0, 0)
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	return call, errno
}

// loadedAt returns an address that is the same in all processes of the program
// that are loaded at the same place.
func loadedAt() uint64 { return uint64(reflect.ValueOf(Follow).Pointer()) }

func program(calls []Call) []unix.SockFilter {
	all := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number
	numbers := []uintptr{marker}
	for _, c := range calls {
		numbers = append(numbers, c.Number)
	}
	for _, n := range numbers {
		all = append(all,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(n), Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		)
	}
	return append(all, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
}

// Arm has the nth call of that index fail with errno, from 1; with 0 they are
// only counted.
func Arm(call, nth int, errno syscall.Errno) {
	syscall.RawSyscall6(marker, arm, uintptr(call), uintptr(nth), uintptr(errno), 0, 0)
}

// Disarm ends what Arm began, and returns how many such calls there were.
func Disarm() int {
	n, _, _ := syscall.RawSyscall6(marker, disarm, 0, 0, 0, 0, 0)
	return int(n)
}

// notice and answer are struct seccomp_notif and seccomp_notif_resp.
type notice struct {
	id    uint64
	tid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type answer struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// A Server answers for one child.
type Server struct {
	calls []Call
	tid   uint32 // which has armed
	armed int    // an index of calls, or -1
	nth   uint64
	errno syscall.Errno
	seen  uint64
	// Injected counts the calls that failed.
	Injected int
	moved    uint64          // by how much the child is loaded elsewhere
	runtimes map[uint64]bool // by the address of the instruction
}

// Serve answers for the child at the other end of the socket until it has
// ended. The child must be a process of the same program.
func (s *Server) Serve(socket *net.UnixConn, calls []Call) error {
	s.calls, s.armed, s.runtimes = calls, -1, map[uint64]bool{}
	fd, at, err := receive(socket)
	if err != nil {
		return err
	}
	s.moved = at - loadedAt()
	defer unix.Close(fd)
	for {
		// With no thread left to ask for, the call would wait: poll does not.
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err == unix.EINTR {
			continue
		}
		if p[0].Revents&unix.POLLIN == 0 {
			return nil
		}
		var n notice
		if err := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); err != nil {
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINTR) {
				continue // a signal, or the thread's end, was quicker
			}
			return err
		}
		a := s.answer(&n)
		err := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a))
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
}

func receive(socket *net.UnixConn) (fd int, at uint64, err error) {
	rights, data := make([]byte, unix.CmsgSpace(4)), make([]byte, 8)
	_, n, _, _, err := socket.ReadMsgUnix(data, rights)
	if err != nil {
		return 0, 0, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return 0, 0, err
	}
	if len(messages) == 0 {
		return 0, 0, errors.New("inject: the child has sent no descriptor")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, 0, err
	}
	return fds[0], binary.NativeEndian.Uint64(data), nil
}

func ioctl(fd int, request uintptr, p unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(p)); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}

func (s *Server) answer(n *notice) answer {
	a := answer{id: n.id}
	switch {
	case n.nr == marker && n.args[0] == arm:
		s.tid, s.armed, s.nth, s.errno, s.seen = n.tid, int(n.args[1]), n.args[2], syscall.Errno(n.args[3]), 0
	case n.nr == marker:
		a.value, s.armed = int64(s.seen), -1
	case s.counts(n) && s.count() == s.nth:
		s.Injected++
		a.errno = -int32(s.errno)
	default:
		a.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	return a
}

func (s *Server) count() uint64 {
	s.seen++
	return s.seen
}

// counts reports whether the call is one of the armed kind.
func (s *Server) counts(n *notice) bool {
	if s.armed < 0 || uintptr(n.nr) != s.calls[s.armed].Number {
		return false
	}
	c := &s.calls[s.armed]
	ofC := runtime.FuncForPC(uintptr(n.ip-s.moved)) == nil
	if ofC && (c.NotC || c.Creates && n.tid != s.tid) {
		return false
	}
	return !s.isRuntime(n.ip) && (c.Counts == nil || c.Counts(n.args))
}

// isRuntime reports whether the instruction at ip is of Go's runtime.
func (s *Server) isRuntime(ip uint64) bool {
	is, known := s.runtimes[ip]
	if !known {
		f := runtime.FuncForPC(uintptr(ip - s.moved))
		is = f != nil && strings.HasPrefix(f.Name(), "runtime.")
		s.runtimes[ip] = is
	}
	return is
}

// Current describes what is armed, for a child that has hung or crashed.
func (s *Server) Current() string {
	if s.armed < 0 {
		return "nothing armed"
	}
	return fmt.Sprintf("%s no. %d: %s", s.calls[s.armed].Name, s.nth, unix.ErrnoName(s.errno))
}

// Index returns the index of the call with that name.
func Index(calls []Call, name string) int {
	return slices.IndexFunc(calls, func(c Call) bool { return c.Name == name })
}
