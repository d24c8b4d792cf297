package kernels

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestBind binds the last of as many threads as there are processors, and one of a
// smaller team, and looks at what the system holds.
func TestBind(t *testing.T) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Skip(err)
	}
	n := all.Count()
	done := make(chan bool) // a thread of its own: the test's may be any
	go func() {
		defer close(done)
		look := func(id, team, want int) {
			th := &thread{id: id, p: &program{team: make([]*thread, team)}}
			th.bind()
			var now unix.CPUSet
			unix.SchedGetaffinity(0, &now)
			if now.Count() != want {
				t.Errorf("thread %d of %d on %d processors: bound to %d of them, want %d", id, team, n, now.Count(), want)
			}
			if th.unbind(); th.bound || th.release != nil {
				t.Errorf("thread %d of %d is bound after its run", id, team)
			}
			if unix.SchedGetaffinity(0, &now); now != all {
				t.Errorf("thread %d of %d: %d processors after its run, want %d", id, team, now.Count(), n)
			}
		}
		look(n-1, n, 1)
		look(0, n+1, n)
	}()
	<-done
}
