package kernels

import (
	"math"
	"runtime"
	"sync"
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

// A thread that waits looks for some 15 us, without a clock, since the other is as a
// rule about to arrive. Then it lets the other goroutines of the process have the
// processor, but does not sleep: to be woken takes 100 us and more, many steps, and
// who comes late makes the others wait in turn. It sleeps only where the wait is as
// long as a scheduler lets another program run.
const (
	spins      = 500
	yields     = 20000
	rankYields = 100
)

// pauseTime is what a look and a pause take.
var pauseTime = sync.OnceValue(func() time.Duration {
	const n = 1000
	best := time.Hour
	var at atomic.Int64
	for range 3 {
		start := time.Now()
		for range n {
			if at.Load() > 0 {
				break
			}
			pause()
		}
		best = min(best, time.Since(start))
	}
	return best / n
})

// reach waits until *at is at least n.
func (t *thread) reach(at *atomic.Int64, n int64) {
	k := 0
	for ; k < spins && !t.p.crowded; k++ {
		if at.Load() >= n {
			t.spun += k
			return
		}
		pause()
	}
	start, most := time.Now(), yields
	if !t.p.crowded && t.p.over == nil {
		t.bind()
	}
	if t.p.over != nil { // another process may need the processor to arrive
		most = rankYields
	}
	for y := 0; at.Load() < n; y++ {
		if y < most {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
	t.spun += k // not before: the first thread reads it while this one waits for the next round
	t.waited += time.Since(start)
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
	t.progress.met.Store(t.barriers)
	for _, u := range t.p.team {
		if u != t {
			t.reach(&u.progress.met, t.barriers)
		}
	}
}
