package thread

import (
	"runtime"

	"golang.org/x/sys/windows"

	"example.com/thread/internal/futex"
)

// A handle names a thread for as long as it is open, unlike an id, which
// Windows may give at once to a new thread of any process. So that of a native
// thread is kept until a joiner has seen the thread gone, or nobody may join
// it. If the record is forgotten before, the collector closes it.
type handle struct {
	h         windows.Handle // 0 for none
	forgotten runtime.Cleanup
}

// keepHandle takes over h, of the native thread t, which may have ended
// already.
func (t *Thread) keepHandle(h windows.Handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.detached {
		closeHandle(h)
		return
	}
	t.handle = handle{h: h, forgotten: runtime.AddCleanup(t, closeHandle, h)}
}

// close is called with the thread's mu held.
func (h *handle) close() {
	if h.h == 0 {
		return
	}
	h.forgotten.Stop()
	closeHandle(h.h)
	*h = handle{}
}

func closeHandle(h windows.Handle) {
	_ = windows.CloseHandle(h) // it fails for no handle of ours
}

// lingers reports whether t, whose handle it is, is still there after its end.
// It is called with t.mu held. Without a handle the id must serve: for a pinned
// thread, and for a joiner that waits already when t is detached. The id may be
// a stranger's by then, which is waited for until goneAtLast.
func (h *handle) lingers(t *Thread) bool {
	if h.h != 0 {
		event, err := windows.WaitForSingleObject(h.h, 0)
		return err == nil && event == uint32(windows.WAIT_TIMEOUT)
	}
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}
