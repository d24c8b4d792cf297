package kernels

import (
	"math"
	"sync/atomic"
	"time"
)

// gone is the progress of a thread that has left the run.
const gone = math.MaxInt64

// progress is how far a thread has come. It has a line of memory of its own, so
// that those who watch it disturb no one else.
type progress struct {
	_    [64]byte
	done atomic.Int64 // the first step that is not complete
	met  atomic.Int64 // barriers that it has come to in this run
	_    [64]byte
}

// A thread that waits looks for a microsecond without a clock, since the other is
// as a rule about to arrive, then for as long as it takes to go to sleep and be
// woken, or for the length of a step where that is longer: parts are uneven, and
// who comes late because it slept makes the others wait in turn. By then another
// program holds the other thread's processor as a rule, and had better have this
// one.
const (
	glances = 20
	patient = 40 * time.Microsecond
	longest = 10 * patient
)

// reach waits until *at is at least n.
func (t *thread) reach(at *atomic.Int64, n int64) {
	for range glances {
		if at.Load() >= n {
			return
		}
		pause()
	}
	start := time.Now()
	for k := 1; at.Load() < n; k++ {
		if t.p.crowded || k%8 == 0 && int64(time.Since(start)) > t.p.patience.Load() {
			t.sleep(at, n)
			break
		}
		pause()
	}
	t.waited += time.Since(start)
}

// sleep gives the processor away until *at is at least n. Who stores there looks
// for sleepers afterwards, and a sleeper looks there after it has said so: one
// of them sees the other.
func (t *thread) sleep(at *atomic.Int64, n int64) {
	t.watches.Store(at)
	t.p.sleepers.Add(1)
	for at.Load() < n {
		<-t.woken
	}
	t.p.sleepers.Add(-1)
	t.watches.Store(nil)
}

// tell stores v where other threads may wait for it.
func (t *thread) tell(at *atomic.Int64, v int64) {
	at.Store(v)
	if t.p.sleepers.Load() == 0 {
		return
	}
	for _, u := range t.p.team {
		if u.watches.Load() == at {
			select {
			case u.woken <- struct{}{}:
			default: // it has been told and will look
			}
		}
	}
}

// await waits until all threads have completed the steps before n.
func (t *thread) await(n int64) {
	for _, u := range t.p.team {
		if u != t {
			t.reach(&u.progress.done, n)
		}
	}
}

// meet is a barrier.
func (t *thread) meet() {
	t.barriers++
	t.tell(&t.progress.met, t.barriers)
	for _, u := range t.p.team {
		if u != t {
			t.reach(&u.progress.met, t.barriers)
		}
	}
}
