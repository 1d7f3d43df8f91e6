package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// machine writes what the figures depend on.
func machine(w io.Writer) {
	fmt.Fprintf(w, "machine  %s, %d cores, %s %s, %s, GOMAXPROCS %d\n", cpu(), runtime.NumCPU(), runtime.GOOS, firstLine("/proc/sys/kernel/osrelease"), runtime.Version(), runtime.GOMAXPROCS(0))
	if load, _, ok := strings.Cut(firstLine("/proc/loadavg"), " "); ok {
		fmt.Fprintf(w, "load     %s\n", load)
	}
}

func cpu() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH
}

// firstLine returns "" for a file that is not there.
func firstLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}
