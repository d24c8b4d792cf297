package kernels

import (
	"math"
	"runtime"
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

// yields is how often a thread that waits lets others have the processor before
// it sleeps. A sleep lasts some 100 us and more, half a step of a large network,
// and the other thread then waits in turn: so it is for the case that another
// program holds the processor.
const yields = 20000

// reach waits until *at is at least n. It spins for some time, since the other
// thread is as a rule about to arrive; then it lets others have the processor.
func reach(at *atomic.Int64, n int64, spins int) {
	for i := 0; at.Load() < n; i++ {
		switch {
		case i < spins:
			pause()
		case i < spins+yields:
			runtime.Gosched()
		default:
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// await waits until all threads have completed the steps before n.
func (t *thread) await(n int64) {
	for _, u := range t.p.threads {
		if u != t {
			reach(&u.progress.done, n, t.p.spins)
		}
	}
}

// meet is a barrier.
func (t *thread) meet() {
	t.barriers++
	t.progress.met.Store(t.barriers)
	for _, u := range t.p.threads {
		if u != t {
			reach(&u.progress.met, t.barriers, t.p.spins)
		}
	}
}
