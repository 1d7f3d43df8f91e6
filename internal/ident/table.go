package ident

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// table is the slot of threads whose own memory cannot be reached: one row a
// thread, under the kernel's thread id.
var table slotTable

type slotTable struct {
	rows atomic.Int64 // how many there are: a program that uses none pays no system call
	m    sync.Map     // thread id -> word
}

// load holds the goroutine on its thread while it reads the id and then the
// row: else it could read the row as it is after another goroutine got the
// thread.
func (t *slotTable) load() uintptr {
	if t.rows.Load() == 0 {
		return 0
	}
	runtime.LockOSThread()
	v, ok := t.m.Load(nativeID())
	runtime.UnlockOSThread()
	if !ok {
		return 0
	}
	return v.(uintptr)
}

// Forget clears the row of a thread that ended without clearing it, if it is
// still the thread's. A slot in the thread's own memory is gone with it.
func Forget(id int, slot uintptr) {
	if table.m.CompareAndDelete(id, slot) {
		table.rows.Add(-1)
	}
}

// store needs no lock against another store to the same row: only the thread
// itself writes its row.
func (t *slotTable) store(v uintptr) {
	id := nativeID()
	if v == 0 {
		if _, ok := t.m.LoadAndDelete(id); ok {
			t.rows.Add(-1)
		}
		return
	}
	if _, ok := t.m.Swap(id, v); !ok {
		t.rows.Add(1)
	}
}
