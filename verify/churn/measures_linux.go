package main

import (
	"bytes"
	"os"
	"strconv"
)

// systemMeasures are read from /proc. Memory is in KiB.
var systemMeasures = []measure{
	{"tasks", func() int64 { return entries("/proc/self/task") }, spare},
	{"descriptors", func() int64 { return entries("/proc/self/fd") }, 0},
	{"mappings", mappings, 16 * spare},
	{"RSS KiB", func() int64 { return status("VmRSS:") }, 48 << 10},
	// Each thread that C makes has an arena of the allocator, of 64 MiB, as
	// long as there are fewer than 8 for each processor.
	{"VmSize KiB", func() int64 { return status("VmSize:") }, spare * 128 << 10},
}

func entries(dir string) int64 {
	e, _ := os.ReadDir(dir) // what cannot be read does not grow
	return int64(len(e))
}

func mappings() int64 {
	b, _ := os.ReadFile("/proc/self/maps")
	return int64(bytes.Count(b, []byte("\n")))
}

// status returns the number after key in /proc/self/status.
func status(key string) int64 {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(b, []byte("\n"+key))
	if f := bytes.Fields(rest); len(f) > 0 {
		n, _ := strconv.ParseInt(string(f[0]), 10, 64)
		return n
	}
	return 0
}
