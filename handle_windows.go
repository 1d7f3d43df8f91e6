package thread

import (
	"runtime"

	"golang.org/x/sys/windows"

	"example.com/thread/internal/futex"
)

// A handle identifies a thread as long as it is open, unlike an id, which
// Windows may reuse at once for a new thread of any process. So the handle of a
// native thread is kept until a joiner has seen the thread gone, or the thread
// is detached. If the record becomes unreachable before, the garbage collector
// closes the handle.
type handle struct {
	h         windows.Handle // 0 for none
	forgotten runtime.Cleanup
}

// keepHandle stores h, the handle of the native thread t, which may have ended
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
	_ = windows.CloseHandle(h) // cannot fail: the handle is ours
}

// lingers reports whether the ended thread t still exists. The caller holds
// t.mu. Without a handle, for a pinned thread or a joiner that was waiting when
// t was detached, the id decides. It may have been reused for another thread,
// for which the joiner then waits until goneAtLast.
func (h *handle) lingers(t *Thread) bool {
	if h.h != 0 {
		event, err := windows.WaitForSingleObject(h.h, 0)
		return err == nil && event == uint32(windows.WAIT_TIMEOUT)
	}
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}
