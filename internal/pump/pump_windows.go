// Package pump is where a thread in a single-threaded apartment of COM waits:
// for a wakeup, or a window message, which it dispatches. Calls of COM into
// the apartment come as messages, and a broadcast, like SendMessage to one of
// the thread's windows, waits until they are dispatched.
package pump

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// MsgWaitForMultipleObjectsEx waits for an event and for the thread's messages
// at once. The event resets itself, so a wakeup while the thread does not sleep
// ends its next sleep, and none is lost; several before a sleep count as one.
// With MWMO_INPUTAVAILABLE a pending message ends the sleep at once, even a
// message that PeekMessage has seen and left (without the flag only new ones
// do).

var (
	user32                      = windows.NewLazySystemDLL("user32.dll").NewProc
	msgWaitForMultipleObjectsEx = user32("MsgWaitForMultipleObjectsEx")
	peekMessage                 = user32("PeekMessageW")

	translateMessage, dispatchMessage = user32("TranslateMessage"), user32("DispatchMessageW")
)

const (
	allInput       = 0x04ff // QS_ALLINPUT
	inputAvailable = 0x0004 // MWMO_INPUTAVAILABLE
	remove         = 0x0001 // PM_REMOVE
)

// most bounds the messages that Attend dispatches: windows that post to each
// other without end must not keep the thread from its other work.
const most = 64

// message is MSG.
type message struct {
	window  uintptr
	number  uint32
	wparam  uintptr
	lparam  uintptr
	time    uint32
	x, y    int32
	private uint32
}

// A Pump is where one thread sleeps. Wake and Close may be called by any.
type Pump struct {
	event windows.Handle
	// of Attend: the address of a variable on a stack would not last when a
	// window procedure written in Go grows it
	msg message

	mu     sync.Mutex
	closed bool
}

// New returns a pump for the thread that will first call Sleep. The error is
// the system's, or errors.ErrUnsupported on a system without windows.
func New() (*Pump, error) {
	if err := peekMessage.Find(); err != nil {
		return nil, fmt.Errorf("message pump: %w: %w", errors.ErrUnsupported, err)
	}
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateEvent", err)
	}
	return &Pump{event: event}, nil
}

// Sleep returns when Wake has been called since it last returned, when there is
// a message, or spuriously. It holds the calling thread.
func (p *Pump) Sleep() {
	r, _, err := msgWaitForMultipleObjectsEx.Call(
		1,
		uintptr(unsafe.Pointer(&p.event)),
		windows.INFINITE,
		allInput,
		inputAvailable,
	)
	if uint32(r) == windows.WAIT_FAILED {
		panic(fmt.Errorf("pump: MsgWaitForMultipleObjectsEx: %w", err))
	}
}

// Attend dispatches the calling thread's messages, at most 64, and what other
// threads send meanwhile. WM_QUIT, and messages that were posted to the thread
// and not to a window, have nobody to go to but hooks and are dropped.
func (p *Pump) Attend() {
	msg := uintptr(unsafe.Pointer(&p.msg))
	for range most {
		if there, _, _ := peekMessage.Call(msg, 0, 0, 0, remove); there == 0 {
			return
		}
		_, _, _ = translateMessage.Call(msg) // whether it was a key
		_, _, _ = dispatchMessage.Call(msg)  // what the window procedure returned
	}
}

// Wake ends a Sleep, this or the next. After Close it does nothing.
func (p *Pump) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if err := windows.SetEvent(p.event); err != nil {
		panic(fmt.Errorf("pump: SetEvent: %w", err)) // the handle is ours until Close
	}
}

// Close frees the pump, which nobody sleeps in any more. It may be called
// again.
func (p *Pump) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		_ = windows.CloseHandle(p.event) // it fails for no handle of ours
	}
}
