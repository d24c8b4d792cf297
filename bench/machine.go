package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"synfire/engine/vm"
)

// Machine describes where results were measured, with the probes of its clock
// and its memory.
type Machine struct {
	CPU      string  `json:"cpu"`
	Cores    int     `json:"cores"`
	OS       string  `json:"os"`
	Go       string  `json:"go"`
	SIMD     string  `json:"simd"`
	Lanes    int     `json:"lanes"`        // float32 in a vector
	Memory   int64   `json:"memory_bytes"` // of the machine, 0: not known
	Load     float64 `json:"load"`         // running processes of the last minute, before the benchmark
	ClockGHz float64 `json:"clock_ghz"`    // by a chain of dependent operations
	Reads    []Band  `json:"reads"`        // bandwidth of reading, by the size of what is read
}

// Band is the bandwidth of reading an array again and again.
type Band struct {
	Bytes   int     `json:"bytes"`
	Threads int     `json:"threads"`
	GBs     float64 `json:"gb_per_s"` // of all threads
}

// Probe looks at the machine for some 0.5 s.
func Probe(threads int) Machine {
	m := Machine{CPU: cpuName(), Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		SIMD: vm.SIMD(), Lanes: 1, Memory: procKB("/proc/meminfo", "MemTotal"), Load: load()}
	switch {
	case strings.Contains(m.SIMD, "512"):
		m.Lanes = 16
	case strings.Contains(m.SIMD, "avx2"), strings.Contains(m.SIMD, "256"):
		m.Lanes = 8
	}
	m.ClockGHz = clock()
	if threads < 1 {
		threads = 1
	}
	for _, n := range slices.Compact([]int{1, threads}) {
		for _, size := range []int{32 << 10, 256 << 10, 2 << 20, 16 << 20, 256 << 20} {
			m.Reads = append(m.Reads, Band{size, n, readBand(size, n)})
		}
	}
	debug.FreeOSMemory() // the cases need it more
	return m
}

// bandwidth is that of the smallest array probed that is as large as the working
// set, in bytes per second, with as many threads as were probed and are asked for.
func (m *Machine) bandwidth(set float64, threads int) float64 {
	probed := 0
	for _, b := range m.Reads {
		if b.Threads <= threads {
			probed = max(probed, b.Threads)
		}
	}
	rate := 1.0
	for _, b := range m.Reads {
		if b.Threads == probed {
			rate = b.GBs
			if float64(b.Bytes) >= set {
				break
			}
		}
	}
	return rate * 1e9
}

// clock times a chain of rotations and exclusive ors, one cycle each, that a
// processor cannot overlap.
func clock() float64 {
	const n = 2_000_000
	best := time.Hour
	x := uint64(time.Now().UnixNano()) | 1
	for range 7 {
		t := time.Now()
		for range n {
			x = bits.RotateLeft64(x, 1) ^ 0x9e3779b97f4a7c15
			x = bits.RotateLeft64(x, 3) ^ 0x9e3779b97f4a7c15
			x = bits.RotateLeft64(x, 5) ^ 0x9e3779b97f4a7c15
			x = bits.RotateLeft64(x, 7) ^ 0x9e3779b97f4a7c15
		}
		best = min(best, time.Since(t))
	}
	runtime.KeepAlive(x) // the chain must not be optimised away
	return float64(8*n) / float64(best.Nanoseconds())
}

// readBand reads arrays of size bytes in all with n threads, some 20 ms long. It
// compares two halves that are equal, for which Go has vector code.
func readBand(size, n int) float64 {
	half := size / n / 2
	arrays := make([][]byte, n)
	for k := range arrays {
		arrays[k] = bytes.Repeat([]byte{1}, 2*half) // written, so that its pages exist
	}
	best := 0.0
	for range 4 {
		var wg sync.WaitGroup
		equal := make([]bool, n*64) // a line for each
		rounds := max(1, (256<<20)/size)
		t := time.Now()
		for k := range n {
			wg.Go(func() {
				same := true
				for range rounds {
					same = same && bytes.Equal(arrays[k][:half], arrays[k][half:])
				}
				equal[k*64] = same
			})
		}
		wg.Wait()
		best = max(best, float64(rounds)*float64(2*half*n)/float64(time.Since(t).Nanoseconds()))
		runtime.KeepAlive(equal)
	}
	return best
}

// availableMemory is what a process can have now, in bytes: of the machine and
// of its control group; 0 where it is not known.
func availableMemory() int64 {
	free := procKB("/proc/meminfo", "MemAvailable")
	limit, ok := number("/sys/fs/cgroup/memory.max")
	used, ok2 := number("/sys/fs/cgroup/memory.current")
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.stat"); err == nil { // caches of files give way
		var cached int64
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			if n, found := strings.CutPrefix(s.Text(), "inactive_file "); found {
				fmt.Sscan(n, &cached)
			}
		}
		used -= cached
	}
	if ok && ok2 && (free == 0 || limit-used < free) {
		free = max(limit-used, 1)
	}
	return free
}

// residentMemory is this process's size now; 0 where it is not known.
func residentMemory() int64 { return procKB("/proc/self/status", "VmRSS") }

func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// procKB reads a line "Name:   123 kB", as bytes.
func procKB(path, name string) int64 {
	v, _ := strconv.ParseInt(strings.TrimSuffix(procField(path, name), " kB"), 10, 64)
	return v * 1024
}

func procField(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func cpuName() string {
	for _, f := range []string{"model name", "Model", "Processor"} {
		if n := procField("/proc/cpuinfo", f); n != "" {
			return n
		}
	}
	return runtime.GOARCH
}

func load() float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var x float64
	fmt.Sscan(string(b), &x)
	return x
}
