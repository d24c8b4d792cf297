package kernels

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// bind gives a thread that has waited long a processor of its own until the run
// ends, where the team has as many threads as the process has processors. A
// scheduler as a rule puts who is woken beside who woke it, and may take 20 ms to
// part the two; meanwhile each turn of one is a wait of the other, and a step takes
// ten times as long. Where there are more processors than threads the system may
// choose better than we can (siblings of one core, other programs).
func (t *thread) bind() {
	if t.bound {
		return
	}
	t.bound = true
	var all, one unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() != len(t.p.team) {
		return
	}
	cpu := 0
	for k := -1; ; cpu++ {
		if all.IsSet(cpu) {
			k++
		}
		if k == t.id {
			break
		}
	}
	one.Set(cpu)
	runtime.LockOSThread()
	if unix.SchedSetaffinity(0, &one) != nil {
		runtime.UnlockOSThread()
		return
	}
	t.release = func() {
		unix.SchedSetaffinity(0, &all)
		runtime.UnlockOSThread()
	}
}
