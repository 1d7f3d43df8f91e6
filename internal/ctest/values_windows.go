package ctest

import (
	"syscall"

	"golang.org/x/sys/windows"
)

var (
	values   int
	countAll = syscall.NewCallback(func(uintptr) uintptr {
		values = 0
		get := windows.NewLazySystemDLL("kernel32.dll").NewProc("FlsGetValue")
		for i := range uintptr(128) { // as many as there are before Windows 10 1903
			if v, _, _ := get.Call(i); v != 0 {
				values++
			}
		}
		return 0
	})
)

// ValuesOfNew makes a thread of Windows', and returns how many indexes of FLS
// have a value there when it begins, -1 if it fails.
func ValuesOfNew() int {
	h, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateThread").Call(0, 0, countAll, 0, 0, 0)
	if h == 0 {
		return -1
	}
	defer windows.CloseHandle(windows.Handle(h))
	if _, err := windows.WaitForSingleObject(windows.Handle(h), windows.INFINITE); err != nil {
		return -1
	}
	return values
}
