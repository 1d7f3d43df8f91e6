package thread

import (
	"runtime"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/proflabel"
	"example.com/thread/internal/watch"
)

// An attached thread's record ends with the first of
//
//   - Detach, called as often as Attach;
//   - the thread's end. On a thread of C a destructor (pthread.c), on Windows
//     an FLS callback (internal/fls), calls ended there, so the values of Keys
//     are destroyed on the thread itself. A thread of Go's ends when a
//     goroutine ends locked to it. Go cannot be called any more then, so
//     collectExited finds the slot later, and the values are dropped;
//   - a use of the record after a thread ended in any other way (lost.go).
//     Until then the record is not mistaken for another thread's: the slot of a
//     new thread is 0.

// Attach locks the calling goroutine to its thread and gives that thread a
// record, until Detach. Calls nest: if the thread has a record, Attach returns
// it. What a setter changes on the thread stays changed after Detach. Attach
// fails with syscall.EAGAIN or ENOMEM if the process has no thread-specific key
// left (on Windows no FLS index, or no room for a handle), or no memory.
//
// On an alien thread, which gets a record when it first calls this package,
// Attach lets Detach end the record before the thread ends. An attached thread
// cannot be joined: to wait for its end, give it a value of a Key whose
// Destructor closes a channel. Without cgo, except on Windows, an attached
// goroutine must not end before Detach; nor on the process's first thread,
// which Go does not end but stops for good, so that its record stays.
//
// Between Attach and Detach, calling next or stop of an iter.Pull made before
// Attach aborts the process, and so does calling those of one made in between
// after Detach.
//
// Windows reports the end of a thread of C by fiber-local storage. So an alien
// thread that converts itself to fibers must call Go on one of them only. Its
// record ends with DeleteFiber of that fiber, which must be called on that
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
// destructors of the thread's Keys and ends the record, unless Start made the
// thread. It returns ErrNotAttached if there was no Attach.
//
// A destructor, or a panic hook, that calls runtime.Goexit there ends the
// goroutine. On an alien thread it ends the thread at once, without running
// deferred calls or returning to frames of C.
func Detach() error {
	t := Current()
	if t == nil || t.attached == 0 {
		return ErrNotAttached
	}
	if t.attached--; t.attached > 0 {
		return nil
	}
	defer runtime.UnlockOSThread()
	if !t.fromStart() {
		t.endAttached()
	}
	if watch.On {
		watch.Here().Move()
	}
	return nil
}

// attach makes a record for the calling thread, to which the goroutine must be
// locked.
func attach(k kind) (*Thread, error) {
	collectExited()
	records.sweep()
	t := &Thread{kind: k, ident: osSelf(), nativeID: osNativeID()}
	slot := ident.Slot()
	if slot == unknown {
		slot = newSlot()
	}
	t.serial = ident.Serial(slot)
	t.since = osClock()
	records.add(t)
	if err := osWatch(t); err != nil {
		records.remove(t)
		return nil, err
	}
	ident.SetSlot(t.slot)
	t.name = osGetName(t) // by a quicker call once the slot is set
	t.labels.begin(proflabel.Get(), t.name)
	t.made.Store(true)
	t.begun.Store(true)
	t.countStart()
	if k == alien {
		if watch.On {
			watch.BeginAlien()
		}
		osMakePreemptible(t)
	}
	return t, nil
}

// endAttached destroys the values of the calling, attached thread and ends its
// record. A destructor that calls Goexit ends the goroutine. On an alien thread
// endAttached then ends the thread itself: once the remaining deferred
// functions had run, the runtime would abort the process.
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

// ended is called at the end of a watched thread of C, on it: an alien thread,
// or a native thread that C code ended under its body. back is for leave.
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
	if !onlyCallByC() {
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
