package main

import (
	"bytes"
	"os"
	"strconv"

	"example.com/thread/internal/buildinfo"
)

// systemMeasures are read from /proc, and 0 where there is none.
var systemMeasures = []measure{
	{name: "descriptors", count: func() int64 { return entries("/proc/self/fd") }},
	{name: "threads of the system", count: func() int64 { return entries("/proc/self/task") }, slack: 64},
	{name: "mappings", count: mappings, slack: 256},
	{name: "resident memory", count: resident, slack: residentSlack(), size: true},
}

// residentSlack is large under the race detector, which keeps what it knows of
// each thread and address that there has been.
func residentSlack() int64 {
	if buildinfo.Race {
		return 512 << 20
	}
	return 64 << 20
}

func entries(dir string) int64 {
	names, _ := readNames(dir)
	return int64(len(names))
}

func mappings() int64 {
	maps, _ := os.ReadFile("/proc/self/maps")
	return int64(bytes.Count(maps, []byte("\n")))
}

func resident() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}
