package thread

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"
)

// handleOf returns a handle of th, for the test's own use.
func handleOf(t *testing.T, th *Thread) windows.Handle {
	t.Helper()
	h, err := windows.OpenThread(windows.SYNCHRONIZE, false, uint32(th.NativeID()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, windows.CloseHandle(h)) })
	return h
}

func awaitHandle(t *testing.T, h windows.Handle) {
	t.Helper()
	event, err := windows.WaitForSingleObject(h, 30_000)
	require.NoError(t, err)
	require.EqualValues(t, windows.WAIT_OBJECT_0, event)
}

func (t *Thread) hasHandle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handle.h != 0
}

// A thread that has ended is gone, also where a living thread has its id.
func TestJoinDoesNotWaitForAReusedId(t *testing.T) {
	leave := make(chan struct{})
	th, err := Start(func() { <-leave }, nil)
	require.NoError(t, err)
	h := handleOf(t, th)
	close(leave)
	awaitHandle(t, h)
	th.nativeID = hold(t, nil).NativeID()
	require.True(t, osExists(th.NativeID()))
	assert.NoError(t, th.TryJoin())
	assert.False(t, th.hasHandle(), "nobody needs it any more")
	assert.NoError(t, th.Join(), "again")
}

func TestDetachClosesTheHandle(t *testing.T) {
	leave := make(chan struct{})
	var all []*Thread
	for _, a := range []*Attr{nil, nil, {Detached: true}} {
		th, err := Start(func() { <-leave }, a)
		require.NoError(t, err)
		all = append(all, th)
	}
	late, early, never := all[0], all[1], all[2]
	assert.True(t, early.hasHandle())
	require.NoError(t, early.Detach())
	var handles []windows.Handle
	for _, th := range all {
		handles = append(handles, handleOf(t, th))
	}
	close(leave)
	for _, h := range handles {
		awaitHandle(t, h)
	}
	assert.True(t, late.hasHandle())
	require.NoError(t, late.Detach())
	for _, th := range []*Thread{late, early, never} {
		assert.False(t, th.hasHandle())
	}
}

// Ids are unique in the system, not in the process.
func TestThreadIdOfAnotherProcessDoesNotExist(t *testing.T) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	require.NoError(t, err)
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	strangers := 0
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != windows.GetCurrentProcessId() {
			strangers++
			assert.False(t, osExists(int(entry.ThreadID)))
		}
	}
	assert.Equal(t, windows.ERROR_NO_MORE_FILES, err)
	assert.NotZero(t, strangers)
	assert.True(t, osExists(osNativeID()))
}
