package thread

import (
	"runtime"

	"example.com/thread/internal/ident"
)

// An attached thread's record ends with the first of
//
//   - Detach, as often as Attach was called;
//   - the thread's end. On a thread of C the key's destructor (pthread.c), on
//     Windows an FLS callback (internal/fls), calls ended there, so Keys are
//     destroyed on the thread itself. A thread of Go's ends when a goroutine
//     does that is locked to it; Go cannot be called any more then, so
//     collectOrphans finds the slot, and the values are forgotten;
//   - a look at the record of a thread that ended in no such way (lost.go).
//     Until then it is taken for no other thread's: the slot of a new thread is
//     0.

// Attach locks the calling goroutine to the thread it is on and gives that
// thread a record, until Detach. Calls nest: if the thread has a record already
// it returns that. What a setter changes about the thread stays so when it is
// Go's alone again. It fails with syscall.EAGAIN or ENOMEM when the process has
// no thread-specific key (on Windows no FLS index, or no room for a handle) or
// no memory left.
//
// On an alien thread, which has a record from the first time it calls this
// package, Attach lets the record be ended by Detach, before the thread does.
// An attached thread cannot be joined: to wait for its end give it a value of a
// Key whose Destructor closes a channel. Without cgo, except on Windows, a
// goroutine that is attached must not end before Detach.
//
// Between Attach and Detach Go ends the process if the goroutine calls next or
// stop of an iter.Pull made before, or after Detach those of one made
// meanwhile.
//
// Windows tells of the end of a thread of C by fiber-local storage. So an alien
// thread that makes itself fibers must call Go on one of them alone, and its
// record ends with DeleteFiber of that one, which must be called on that
// thread.
func Attach() (*Thread, error) {
	runtime.LockOSThread()
	t := Current()
	if t == nil {
		var err error
		if t, err = attach(bound); err != nil {
			runtime.UnlockOSThread()
			return nil, err
		}
	}
	if t.attached++; t.attached > 1 {
		runtime.UnlockOSThread() // the first Attach holds the thread
	}
	return t, nil
}

// Detach undoes one Attach of the calling goroutine. The last one runs the
// destructors of the thread's Keys and ends the record, if the thread does not
// come from Start. It returns ErrNotAttached if there was no Attach.
//
// A destructor, or a panic hook, that calls runtime.Goexit there ends the
// goroutine. On an alien thread it ends the thread, at once: neither deferred
// calls nor frames of C further out are returned to.
func Detach() error {
	t := Current()
	if t == nil || t.attached == 0 {
		return ErrNotAttached
	}
	if t.attached--; t.attached > 0 {
		return nil
	}
	defer runtime.UnlockOSThread()
	if t.kind == bound || t.kind == alien {
		t.endAttached()
	}
	return nil
}

// attach makes a record for the calling thread, which the goroutine must be
// locked to.
func attach(k kind) (*Thread, error) {
	collectOrphans()
	records.sweep()
	t := &Thread{kind: k, ident: osSelf(), nativeID: osNativeID()}
	slot := ident.Slot()
	if slot == unknown {
		slot = newSlot()
	}
	t.serial = ident.Serial(slot)
	t.name = osGetName(t)
	t.since = osClock()
	records.add(t)
	if err := osWatch(t); err != nil {
		records.remove(t)
		return nil, err
	}
	ident.SetSlot(t.slot)
	t.begun.Store(true)
	if k == alien {
		osMakePreemptible(t)
	}
	return t, nil
}

// endAttached destroys the values of the calling, attached thread and ends its
// record. A destructor that calls Goexit ends the goroutine; on an alien thread
// that is the thread itself, which leaves here, since the runtime would end the
// process once the deferred functions further out have run.
func (t *Thread) endAttached() {
	returned := false
	defer func() {
		if !returned && t.kind == alien {
			leave(0, 0)
		}
	}()
	var end error
	t.conclude(&end, func(end error) {
		osUnwatch()
		t.finish(end)
	})
	returned = true
}

// ended is called on a watched thread of C that ends: an alien one, or a native
// one that C code ended under its body. back is for leave.
func ended(slot, back uintptr) (how int) {
	runtime.LockOSThread() // as in nativeMain
	defer runtime.UnlockOSThread()
	t := records.at(slot)
	returned := false
	defer func() {
		if !returned {
			leave(back, how)
		}
	}()
	var end error
	if t.kind == native {
		end = ErrPthreadExit
	}
	if !calledByCAlone() {
		how = endLeave
	}
	t.conclude(&end, func(end error) {
		if detach := t.finish(end); t.kind == native {
			how |= detach
		}
	})
	returned = true
	return how
}
