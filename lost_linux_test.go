package thread

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// The tests run in children, since a thread that C ends by the system call
// leaves its M and goroutine behind.

// inPanic makes assertions panic, for what runs in a child.
type inPanic struct{}

func (inPanic) Errorf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

// endAttachedUnnoticed returns the record of a goroutine that was attached and
// has ended with its thread, without Detach.
func endAttachedUnnoticed() *Thread {
	c := make(chan *Thread)
	var end func()
	end = func() {
		th, err := Attach()
		testutil.Must(err)
		if osOnFirstThread() { // which cannot end
			testutil.Must(Detach())
			go end()
			return
		}
		c <- th
	}
	go end()
	th := <-c
	awaitGoneFromKernel(th)
	return th
}

var goneWithin = testutil.Timeout

// awaitGoneFromKernel gives up after goneWithin: a test that gives ids out
// again may have had the id taken by a thread of Go's, of the same hundredth of
// a second.
func awaitGoneFromKernel(th *Thread) {
	for end := time.Now().Add(goneWithin); !osIsGone(th) && time.Now().Before(end); {
		runtime.Gosched()
	}
}

// unnoticed has a row for each way in which an attached thread ends unnoticed.
var unnoticed = map[string]func() *Thread{"attached goroutine": endAttachedUnnoticed}

func assertEnded(t assert.TestingT, th *Thread) {
	assert.False(t, th.Alive())
	assert.Contains(t, th.String(), "ended")
	assert.Equal(t, ErrEnded, th.SetName("x"))
	assert.NotEqual(t, "x", th.Name())
	assert.Equal(t, ErrEnded, th.SetAffinity([]int{0}))
	_, err := th.Affinity()
	assert.Equal(t, ErrEnded, err)
	assert.Equal(t, ErrEnded, th.SetPriority(PolicyBatch, 0))
	_, _, err = th.Priority()
	assert.Equal(t, ErrEnded, err)
	assert.Equal(t, ErrEnded, th.SetNice(7))
	_, err = th.CPUTime()
	assert.Equal(t, ErrEnded, err)
	assert.Equal(t, ErrNotJoinable, th.Join())
	assert.NotSame(t, th, records.at(th.slot), "it has its row")
}

func TestRecordNoticesTheEndOfItsThread(t *testing.T) {
	leak.InChild(t, func() {
		t := inPanic{}
		for _, end := range unnoticed {
			for _, look := range []func(*Thread){
				func(th *Thread) { assert.False(t, th.Alive()) },
				func(th *Thread) { assert.Equal(t, ErrEnded, th.SetNice(7)) },
				func(th *Thread) { assert.Equal(t, ErrEnded, th.SetName("x")) },
				func(th *Thread) { assert.Contains(t, th.String(), "ended") },
				func(th *Thread) { _, err := th.CPUTime(); assert.Equal(t, ErrEnded, err) },
			} {
				th := end()
				look(th)
				assertEnded(t, th)
			}
		}
	})
}

// Records of threads that ended unnoticed, and that nobody asks about, go when
// others are attached.
func TestRecordsOfEndedThreadsAreSwept(t *testing.T) {
	leak.InChild(t, func() {
		for name, end := range unnoticed {
			before := records.count()
			for range 100 {
				end()
			}
			if n := records.count() - before; n > 32 {
				panic(fmt.Sprintf("%s: %d records of 100", name, n))
			}
		}
	})
}

// After its thread's end a record's id may be a thread's of another process,
// which must not be touched.
func TestRecordNeverAffectsAReusedIdInAnotherProcess(t *testing.T) {
	inChildWithIDs(t, func() {
		t := inPanic{}
		for _, end := range unnoticed {
			var stranger *exec.Cmd
			th := giveID(end, func(id int) (got bool) {
				stranger = exec.Command("sleep", "60")
				testutil.Must(stranger.Start())
				if got = stranger.Process.Pid == id; !got {
					testutil.Must(stranger.Process.Kill())
					_ = stranger.Wait() // killed
				}
				return got
			})
			state := func() string {
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", th.NativeID()))
				testutil.Must(err)
				var set unix.CPUSet
				testutil.Must(unix.SchedGetaffinity(th.NativeID(), &set))
				f := strings.Fields(string(b))
				return fmt.Sprint(f[1], f[18], f[40], set) // name, niceness, policy
			}
			for !strings.HasPrefix(state(), "(sleep)") { // it has the name of its parent until it executes
				runtime.Gosched()
			}
			before := state()
			assertEnded(t, th)
			assert.Equal(t, before, state(), "the stranger has changed")
			testutil.Must(stranger.Process.Kill())
			_ = stranger.Wait() // killed
		}
	})
}

// Or a younger one of this process.
func TestRecordNeverAffectsAReusedIdInThisProcess(t *testing.T) {
	inChildWithIDs(t, func() {
		t := inPanic{}
		for _, end := range unnoticed {
			// The kernel reports the start of a thread in hundredths of a
			// second.
			old := func() *Thread {
				th := end()
				for gone := osClock(); osClock() < gone+int64(20*time.Millisecond); {
					runtime.Gosched()
				}
				return th
			}
			var stranger *Thread
			leave := make(chan struct{})
			th := giveID(old, func(id int) (got bool) {
				quit := make(chan struct{})
				s, err := Start(func() {
					select {
					case <-leave:
					case <-quit:
					}
				}, &Attr{Name: "stranger"})
				testutil.Must(err)
				if got = s.NativeID() == id; !got {
					close(quit)
					testutil.Must(s.Join())
				}
				stranger = s
				return got
			})
			comm := func() string {
				b, err := os.ReadFile(commOf(stranger))
				testutil.Must(err)
				return string(b)
			}
			assert.Equal(t, ErrEnded, th.SetNice(7))
			assert.Equal(t, ErrEnded, th.SetName("x"))
			assert.False(t, th.Alive())
			assert.Equal(t, "stranger\n", comm())
			assert.True(t, stranger.Alive())
			close(leave)
			testutil.Must(stranger.Join())
		}
	})
}

// cannotGiveID is what a child writes that does not get an id again.
const cannotGiveID = "cannot have the id given out again: "

// inChildWithIDs is inChild that skips the test if body has written that.
func inChildWithIDs(t *testing.T, body func()) {
	t.Helper()
	if _, why, ok := strings.Cut(leak.InChild(t, body), cannotGiveID); ok {
		t.Skip(why)
	}
}

// giveID has the kernel give out the id of the record that end returns, by
// setting which was last before each try, until try reports that it got it.
// Go's runtime, or another process, may get it first; then it takes another
// record. If that cannot be had it ends the child.
func giveID(end func() *Thread, try func(id int) bool) *Thread {
	const last = "/proc/sys/kernel/ns_last_pid"
	goneWithin = 200 * time.Millisecond // in this child
	var err error
	for range 20 {
		th := end()
		id := th.NativeID()
		// Bounded: Go may have a thread ready, so that no id is given out.
		for tries := 0; tries < 500 && unix.Kill(id, 0) == unix.ESRCH; tries++ { // also asks for threads
			if err = os.WriteFile(last, []byte(strconv.Itoa(id-1)), 0); err != nil {
				break
			}
			if try(id) {
				return th
			}
		}
	}
	fmt.Println(cannotGiveID, err)
	os.Exit(0)
	return nil
}
