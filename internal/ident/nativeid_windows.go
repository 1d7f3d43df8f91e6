package ident

import "golang.org/x/sys/windows"

func nativeID() int { return int(windows.GetCurrentThreadId()) }
