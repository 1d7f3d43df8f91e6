package topology

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Where Linux says it, with the kernel's documentation: /sys/devices/system
// (Documentation/admin-guide/cputopology.rst), /proc/self/cgroup and cgroups
// (cgroup-v2.rst, cgroup-v1/cpusets.rst).

// Read returns the machine's processors as they are now.
func Read() (*Machine, error) { return read(os.DirFS("/"), unix.Getpid()) }

// Allowed returns the processors that the process may be bound to now: those of
// its cpuset that are online. It is what thread.Thread.SetAffinity accepts,
// even if a thread is bound to fewer.
func Allowed() (Set, error) {
	root := os.DirFS("/")
	online, err := readSet(root, "sys/devices/system/cpu/online")
	if err != nil {
		return Set{}, err
	}
	return allowed(root, online, unix.Getpid())
}

func read(root fs.FS, pid int) (*Machine, error) {
	m := new(Machine)
	var err error
	if m.Online, err = readSet(root, "sys/devices/system/cpu/online"); err != nil {
		return nil, err
	}
	if m.Allowed, err = allowed(root, m.Online, pid); err != nil {
		return nil, err
	}
	// Kernels without that option have no such file.
	m.Isolated, err = readSet(root, "sys/devices/system/cpu/isolated")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	nodes, err := nodesOf(root)
	if err != nil {
		return nil, err
	}
	for id := range m.Online.All() {
		c := CPU{ID: id, Node: nodes[id]}
		dir := fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology", id)
		for name, field := range map[string]*int{"core_id": &c.Core, "physical_package_id": &c.Package} {
			n, err := readInt(root, dir+"/"+name)
			switch {
			case errors.Is(err, fs.ErrNotExist): // some architectures say nothing: each is a core
				n = 0
				if name == "core_id" {
					n = id
				}
			case err != nil:
				return nil, err
			}
			*field = n
		}
		m.CPUs = append(m.CPUs, c)
	}
	return m, nil
}

// nodesOf returns the memory node of each processor, none without NUMA.
func nodesOf(root fs.FS) (map[int]int, error) {
	nodes := map[int]int{}
	const dir = "sys/devices/system/node"
	online, err := readSet(root, dir+"/online")
	if errors.Is(err, fs.ErrNotExist) {
		return nodes, nil
	}
	if err != nil {
		return nil, err
	}
	for n := range online.All() {
		cpus, err := readSet(root, fmt.Sprintf("%s/node%d/cpulist", dir, n))
		if err != nil {
			return nil, err
		}
		for id := range cpus.All() {
			nodes[id] = n
		}
	}
	return nodes, nil
}

// allowed returns the processors of the process's cpuset that are online; all
// of them without cpusets.
func allowed(root fs.FS, online Set, pid int) (Set, error) {
	text, err := fs.ReadFile(root, fmt.Sprintf("proc/%d/cgroup", pid))
	if errors.Is(err, fs.ErrNotExist) { // no cgroups in this kernel
		return online, nil
	}
	if err != nil {
		return Set{}, fmt.Errorf("topology: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		mount, file := "", ""
		switch {
		case fields[0] == "0" && fields[1] == "": // version 2
			mount, file = "sys/fs/cgroup", "cpuset.cpus.effective"
		case strings.Contains(","+fields[1]+",", ",cpuset,"):
			mount, file = "sys/fs/cgroup/cpuset", "cpuset.effective_cpus"
		default:
			continue
		}
		// Where the controller is off, or in a namespace that shows only a part
		// of the tree, the nearest group above counts.
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			cpus, err := readSet(root, path.Join(mount, group, file))
			if err == nil && !cpus.IsEmpty() {
				return cpus.Intersect(online), nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return Set{}, err
			}
			if group == "/" {
				break
			}
		}
	}
	return online, nil
}

func readSet(root fs.FS, name string) (Set, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return Set{}, fmt.Errorf("topology: %w", err)
	}
	s, err := Parse(string(text))
	if err != nil {
		return Set{}, fmt.Errorf("/%s: %w", name, err)
	}
	return s, nil
}

func readInt(root fs.FS, name string) (int, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, fmt.Errorf("topology: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("topology: /%s: %w", name, err)
	}
	return n, nil
}
