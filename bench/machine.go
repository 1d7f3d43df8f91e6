package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"example.com/thread/bench/internal/result"
)

// machine returns the properties that the figures depend on.
func machine() result.Machine {
	m := result.Machine{
		CPU: cpu(), Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		Kernel:   firstLine("/proc/sys/kernel/osrelease"),
		Governor: firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
	}
	if out, err := exec.Command("getconf", "GNU_LIBC_VERSION").Output(); err == nil { // fails with another libc
		m.Libc = strings.TrimSpace(string(out))
	}
	for i, f := range strings.Fields(firstLine("/proc/loadavg")) {
		if load, err := strconv.ParseFloat(f, 64); err == nil && i < 3 {
			m.Load = append(m.Load, load)
		}
	}
	return m
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

// firstLine returns the first line of a file, "" if it does not exist.
func firstLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}
