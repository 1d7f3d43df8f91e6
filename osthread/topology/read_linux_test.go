package topology

import (
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// files is a root with these files.
func files(texts map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range texts {
		root[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return root
}

func TestReadLinux(t *testing.T) {
	texts := map[string]string{
		"sys/devices/system/cpu/online":          "0-3",
		"sys/devices/system/cpu/isolated":        "3",
		"sys/devices/system/node/online":         "0-1",
		"sys/devices/system/node/node0/cpulist":  "0,2",
		"sys/devices/system/node/node1/cpulist":  "1,3",
		"proc/7/cgroup":                          "0::/a/b",
		"sys/fs/cgroup/cpuset.cpus.effective":    "0-3",
		"sys/fs/cgroup/a/cpuset.cpus.effective":  "0-2,9",
		"sys/devices/system/cpu/cpu0/topology/x": "",
	}
	for id, at := range [][2]string{{"0", "0"}, {"0", "1"}, {"5", "0"}, {"5", "1"}} {
		dir := "sys/devices/system/cpu/cpu" + strconv.Itoa(id) + "/topology/"
		texts[dir+"core_id"], texts[dir+"physical_package_id"] = at[0], at[1]
	}
	m, err := read(files(texts), 7)
	require.NoError(t, err)
	assert.Equal(t, []CPU{{0, 0, 0, 0}, {1, 0, 1, 1}, {2, 5, 0, 0}, {3, 5, 1, 1}}, m.CPUs)
	assert.Equal(t, "0-2", m.Allowed.String())
	assert.Equal(t, "3", m.Isolated.String())

	// The cpuset shrinks.
	texts["sys/fs/cgroup/a/b/cpuset.cpus.effective"] = "1"
	m, err = read(files(texts), 7)
	require.NoError(t, err)
	assert.Equal(t, "1", m.Allowed.String())

	// Version 1, a kernel without cpusets, one without cgroups, without NUMA,
	// without a topology.
	texts["proc/7/cgroup"] = "9:cpuset,cpu:/c\n0::/"
	texts["sys/fs/cgroup/cpuset/c/cpuset.effective_cpus"] = "2-3"
	m, err = read(files(texts), 7)
	require.NoError(t, err)
	assert.Equal(t, "2-3", m.Allowed.String())
	m, err = read(files(map[string]string{"sys/devices/system/cpu/online": "0-1", "proc/7/cgroup": "0::/"}), 7)
	require.NoError(t, err)
	assert.Equal(t, "0-1", m.Allowed.String())
	assert.Equal(t, []CPU{{0, 0, 0, 0}, {1, 1, 0, 0}}, m.CPUs)
	m, err = read(files(map[string]string{"sys/devices/system/cpu/online": "0"}), 7)
	require.NoError(t, err)
	assert.Equal(t, "0", m.Allowed.String())
}

func TestReadLinuxReportsWhatItCannotRead(t *testing.T) {
	good := map[string]string{
		"sys/devices/system/cpu/online": "0", "sys/devices/system/cpu/isolated": "", "proc/7/cgroup": "0::/",
		"sys/devices/system/node/online": "0", "sys/devices/system/node/node0/cpulist": "0",
		"sys/fs/cgroup/cpuset.cpus.effective":                      "0",
		"sys/devices/system/cpu/cpu0/topology/core_id":             "0",
		"sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
	}
	for name := range good {
		if name == "proc/7/cgroup" {
			continue // a line that is none is ignored
		}
		bad := files(good)
		bad[name] = &fstest.MapFile{Data: []byte("nonsense")}
		_, err := read(bad, 7)
		assert.ErrorContains(t, err, name)
	}
	_, err := read(files(nil), 7)
	assert.ErrorContains(t, err, "cpu/online")
}

// What lscpu says.
func TestReadAgreesWithLscpu(t *testing.T) {
	lscpu, err := exec.LookPath("lscpu")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(lscpu, "-p=CPU,SOCKET,NODE").Output()
	require.NoError(t, err)
	m, err := Read()
	require.NoError(t, err)
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if strings.HasPrefix(line, "#") || len(fields) != 3 {
			continue
		}
		id, err := strconv.Atoi(fields[0])
		require.NoError(t, err)
		seen++
		for _, c := range m.CPUs {
			if c.ID == id {
				assert.True(t, m.PackageOf(id).Has(id))
				node, _ := strconv.Atoi(fields[2]) // empty without NUMA
				assert.Equal(t, node, c.Node)
			}
		}
	}
	assert.Equal(t, m.Online.Len(), seen)
}

// A thread can be bound to each processor that Allowed returns.
func TestAllowedIsWhatThreadsCanBeBoundTo(t *testing.T) {
	allowed, err := Allowed()
	require.NoError(t, err)
	for cpu := range allowed.All() {
		th, err := thread.Start(func() {
			got, err := thread.Current().Affinity()
			assert.NoError(t, err)
			assert.Equal(t, []int{cpu}, got)
		}, &thread.Attr{Affinity: []int{cpu}})
		require.NoError(t, err)
		require.NoError(t, th.Join())
	}
	assert.GreaterOrEqual(t, allowed.Len(), runtime.NumCPU())
}
