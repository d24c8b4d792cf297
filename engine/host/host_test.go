package host

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine writes the files of a machine under a folder and returns it as free takes it.
func machine(t *testing.T, files map[string]string) string {
	root := t.TempDir() + "/"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(root+name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestFreeOfControlGroups: a limit is seen at every level above the process's own
// group, in both versions; what the system would reclaim counts as free.
func TestFreeOfControlGroups(t *testing.T) {
	meminfo := "MemTotal: 100000 kB\nMemAvailable: 50000 kB\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing is known", nil, 0},
		{"no group", map[string]string{"proc/meminfo": meminfo}, 50000 << 10},
		{"version 2, own group", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user.slice/run.scope\n",
			"sys/fs/cgroup/user.slice/run.scope/memory.max": "3000000\n", "sys/fs/cgroup/user.slice/run.scope/memory.current": "1000000\n"}, 2000000},
		{"version 2, a group above", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/system.slice/slurmstepd.scope/job_1/step_0\n",
			"sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/memory.max": "3000000\n", "sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/memory.current": "2500000\n",
			"sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/step_0/memory.max": "max\n", "sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/step_0/memory.current": "2500000\n"}, 500000},
		{"version 2, a container's own root", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "3000000\n", "sys/fs/cgroup/memory.current": "2900000\n", "sys/fs/cgroup/memory.stat": "anon 200000\ninactive_file 1500000\nactive_file 1000000\n"}, 2600000},
		{"version 2, a path of the host that is not mounted", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/docker/0123\n",
			"sys/fs/cgroup/memory.max": "3000000\n", "sys/fs/cgroup/memory.current": "1000000\n"}, 2000000},
		{"version 1 beside version 2", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:cpu,memory:/a/b\n1:name=systemd:/\n0::/\n", "sys/fs/cgroup/unified/x": "",
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": "5\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "4000000\n", "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "3500000\n",
			"sys/fs/cgroup/memory/a/memory.stat": "inactive_file 7\ntotal_inactive_file 300000\ntotal_active_file 100000\n"}, 900000},
		{"all is used", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "3000000\n", "sys/fs/cgroup/memory.current": "3100000\n"}, 1},
	} {
		if got := free(machine(t, c.files), nil); got != c.want {
			t.Errorf("%s: %d bytes are free, want %d", c.name, got, c.want)
		}
	}
}

// TestFreeOfLimits: RLIMIT_AS and RLIMIT_DATA leave what the process has not used, less what Go takes at once.
func TestFreeOfLimits(t *testing.T) {
	root := machine(t, map[string]string{"proc/meminfo": "MemAvailable: 8000000 kB\n", "proc/self/status": "VmSize:\t  1000000 kB\nVmData:\t 200000 kB\n"})
	if got, want := free(root, []limit{{2e9, "VmSize:"}}), int64(2e9-1000000<<10-arena); got != want {
		t.Errorf("%d, want %d", got, want)
	}
	if got, want := free(root, []limit{{4e9, "VmSize:"}, {1e9, "VmData:"}}), int64(1e9-200000<<10-arena); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

func TestRoom(t *testing.T) {
	w := Work{Memory: 10e6}
	if err := w.Room(9e6, "x"); err != nil {
		t.Error(err)
	}
	err := w.Room(12e9, "%d values", 7)
	if err == nil || err.Error() != "7 values: 12.0 GB of memory would be needed, 10.0 MB are free" {
		t.Error(err)
	}
	if w = w.Without(4e6); w.Memory != 6e6 || w.Room(7e6, "x") == nil {
		t.Error("what is promised to others still counts as free:", w.Memory)
	}
	if w = w.Without(1e9); w.Memory != 1 || w.Room(small, "x") == nil {
		t.Error("no memory is not the machine's:", w.Memory)
	}
	if Bytes(math.Inf(1)) <= 0 || Bytes(-1) != 0 {
		t.Error("Bytes")
	}
	for n, want := range map[int64]string{1: "0.0 MB", 999e6: "999.0 MB", 1500e6: "1.5 GB", 4e15: "4e+03 TB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestErr(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := Work{Ctx: ctx}
	if w.Err() != nil || (Work{}).Err() != nil {
		t.Error("interrupted from the start")
	}
	cancel()
	if !errors.Is(w.Err(), ErrInterrupted) || !strings.Contains(w.Err().Error(), "interrupted") {
		t.Error(w.Err())
	}
}
