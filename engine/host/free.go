package host

import (
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Free is the memory that this process can still take, in bytes: the least of
// what the system has left, what each control group from the process's own up
// to the root allows (memory that the system would reclaim, such as caches of
// files, counts as free), and the process's own limits; 0 if nothing tells.
func Free() int64 { return free("/", limits()) }

// free is Free of a machine whose files stand under root.
func free(root string, own []limit) int64 {
	least := int64(math.MaxInt64)
	if left, ok := fields(root + "proc/meminfo")["MemAvailable:"]; ok {
		least = left << 10
	}
	for _, dir := range groups(root) {
		if left, ok := dir.left(); ok {
			least = min(least, left)
		}
	}
	status := fields(root + "proc/self/status")
	for _, l := range own {
		if used, ok := status[l.used]; ok {
			least = min(least, l.most-used<<10-arena)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return max(least, 1)
}

// arena is in what pieces Go takes address space; with less than one left, it ends the process.
const arena = 64 << 20

// limit is a limit of the process, in bytes, and the line of /proc/self/status that says, in
// kilobytes, how much of it is used.
type limit struct {
	most int64
	used string
}

// group is a control group with a limit of memory: the names of its files, as
// its version has them.
type group struct{ dir, limit, used, inactive, active string }

// left is what a group's limit leaves, if there is one. Caches of files are
// given back before anything is refused.
func (g group) left() (int64, bool) {
	most, limited := number(path.Join(g.dir, g.limit))
	used, known := number(path.Join(g.dir, g.used))
	if !limited || !known || most >= 1<<60 { // version 1 says "no limit" with 2^63 less a page
		return 0, false
	}
	stat := fields(path.Join(g.dir, "memory.stat"))
	return most - max(0, used-stat[g.inactive]-stat[g.active]), true
}

// groups are the control groups that hold the process: of version 2 and of
// version 1's memory controller, each from its own up to the root.
func groups(root string) (all []group) {
	text, err := os.ReadFile(root + "proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, own, _ := strings.Cut(rest, ":")
		var g group
		switch {
		case id == "0" && controllers == "":
			g = group{root + "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file", "active_file"}
			if _, err := os.Stat(root + "sys/fs/cgroup/unified"); err == nil { // beside version 1
				g.dir = root + "sys/fs/cgroup/unified"
			}
		case strings.Contains(","+controllers+",", ",memory,"):
			g = group{root + "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "total_active_file"}
		default:
			continue
		}
		top := g.dir
		for at := path.Clean("/" + own); ; at = path.Dir(at) { // a container sees its own group as the root: what is not there says nothing
			g.dir = path.Join(top, at)
			all = append(all, g)
			if at == "/" {
				break
			}
		}
	}
	return all
}

// number is the content of a file of one number; what is no number ("max") is no limit.
func number(file string) (int64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// fields are the numbers of a file of names and numbers.
func fields(file string) map[string]int64 {
	text, _ := os.ReadFile(file)
	all := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				all[f[0]] = n
			}
		}
	}
	return all
}
