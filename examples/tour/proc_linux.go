package main

import (
	"fmt"
	"os"
	"strings"

	"example.com/thread"
)

// kernelsView returns a row of what /proc says of t.
func kernelsView(t *thread.Thread) string {
	dir := fmt.Sprintf("/proc/self/task/%d/", t.NativeID())
	comm, _ := os.ReadFile(dir + "comm") // an empty cell, then
	status, _ := os.ReadFile(dir + "status")
	cpus := ""
	for line := range strings.Lines(string(status)) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			cpus = strings.TrimSpace(list)
		}
	}
	stat, _ := os.ReadFile(dir + "stat")
	nice := ""
	// proc_pid_stat(5): niceness is field 19, and the first behind the name in
	// parentheses is field 3.
	if f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])); len(f) > 16 {
		nice = f[16]
	}
	return fmt.Sprintf(
		"%s\t%d\t%#x\t%s\t%s\t%s",
		strings.TrimSpace(string(comm)),
		t.NativeID(),
		t.Ident(),
		stackOf(t),
		cpus,
		nice,
	)
}

// stackOf returns the size of the mapping that is the thread's stack. The C
// library keeps what pthread_self points to at the top of it.
func stackOf(t *thread.Thread) string {
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if _, err := fmt.Sscanf(line, "%x-%x ", &from, &to); err == nil && from <= uintptr(t.Ident()) &&
			uintptr(t.Ident()) < to {
			return fmt.Sprintf("%d KiB", (to-from)>>10)
		}
	}
	return "unknown"
}
