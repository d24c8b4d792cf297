package kernels

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// machine is how long a unit of work takes for each number of threads, and the
// number of threads that then wait, on average.
type machine map[int]struct {
	cost   time.Duration
	waited float64
}

// follow lets the pace choose for so long on a machine whose times are as uneven
// as a real one's, and returns the time at each number of threads.
func follow(c *pace, m machine, long time.Duration, r *rand.Rand) map[int]time.Duration {
	at := map[int]time.Duration{}
	for spent := time.Duration(0); spent < long; {
		n := c.size()
		took := time.Duration(float64(m[n].cost) * (0.9 + 0.2*r.Float64()))
		c.add(took, 1, time.Duration(m[n].waited*float64(took)))
		at[n] += took
		spent += took
	}
	return at
}

// TestPace has the number of threads follow what the machine is: the best one has
// nearly all of the time, soon after it became the best.
func TestPace(t *testing.T) {
	const ms = time.Millisecond
	quiet := machine{1: {cost: ms}, 2: {cost: 6 * ms / 10, waited: .3}, 3: {cost: 5 * ms / 10, waited: .8}, 6: {cost: 3 * ms / 10, waited: 1.4}}
	busy := machine{1: {cost: ms}, 2: {cost: 6 * ms, waited: .8}, 3: {cost: 6 * ms, waited: 1.7}, 6: {cost: 9 * ms, waited: 4.8}}
	small := machine{1: {cost: ms}, 2: {cost: 2 * ms, waited: 1.2}, 3: {cost: 3 * ms, waited: 2.2}, 6: {cost: 4 * ms, waited: 5}}
	half := machine{1: {cost: ms}, 2: {cost: 6 * ms / 10, waited: .3}, 3: {cost: 9 * ms / 10, waited: 1.2}, 6: {cost: 3 * ms, waited: 4}}
	r := rand.New(rand.NewPCG(1, 2))
	for parts, best := range map[int]int{2: 2, 6: 6} {
		c := newPace(parts)
		for k, x := range []struct {
			m    machine
			best int
		}{{quiet, best}, {busy, 1}, {quiet, best}, {small, 1}, {half, 2}, {quiet, best}, {busy, 1}} {
			follow(c, x.m, 3*time.Second, r)
			if c.sizes[c.home] != x.best {
				t.Fatalf("%d parts, machine %d: %d threads after 3 s, the best are %d", parts, k, c.sizes[c.home], x.best)
			}
			at := follow(c, x.m, 4*time.Second, r)
			if at[x.best] < 3700*ms {
				t.Errorf("%d parts, machine %d: %v at the best number of threads, %d, of 4 s: %v", parts, k, at[x.best], x.best, at)
			}
		}
	}
	if got := newPace(6).sizes; !slices.Equal(got, []int{1, 2, 3, 6}) {
		t.Errorf("6 parts: %v threads to choose from", got)
	}
}

// TestPaceStalls has another program take a processor for 5 ms now and then: two
// threads, which are faster all the same, stay.
func TestPaceStalls(t *testing.T) {
	const ms = time.Millisecond
	r := rand.New(rand.NewPCG(3, 4))
	c := newPace(2)
	at := map[int]time.Duration{}
	for spent, stall := time.Duration(0), 40*ms; spent < 4*time.Second; {
		n, took, waited := c.size(), ms, 0.0
		if n == 2 {
			took, waited = 6*ms/10, .15
		}
		took = time.Duration(float64(took) * (0.9 + 0.2*r.Float64()))
		if spent > stall {
			stall += time.Duration((30 + 40*r.Float64()) * float64(ms))
			if n == 2 { // one thread moves to the other processor
				took, waited = 5*ms, 1.5
			}
		}
		c.add(took, 1, time.Duration(waited*float64(took)))
		at[n] += took
		spent += took
	}
	if at[2] < 3800*ms {
		t.Errorf("%v at each number of threads, of 4 s", at)
	}
}

// TestLooks has two of five looks decide how many processors are free.
func TestLooks(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	defer func() { freeNow = freeProcessorsNow }()
	for _, x := range []struct {
		looks       []int
		free, taken int
	}{
		{[]int{4, 4}, 4, 2},
		{[]int{1, 4, 2, 4}, 4, 4},
		{[]int{1, 1, 4, 1, 1}, 1, 5},
		{[]int{3, 1, 2, 3, 2}, 3, 5},
	} {
		taken := 0
		freeNow = func() int { taken++; return x.looks[taken-1] }
		if got := freeProcessors(); got != x.free || taken != x.taken {
			t.Errorf("looks %v: %d free after %d, want %d after %d", x.looks, got, taken, x.free, x.taken)
		}
	}
}

// TestWorkOfThreadsThatLeft has a round count what was delivered in it, whoever
// was at work before.
func TestWorkOfThreadsThatLeft(t *testing.T) {
	p := &program{sched: &schedule{rows: 1}, pace: newPace(2), threads: []*thread{{work: 110}, {work: 50}}}
	p.team = p.threads[:1]
	p.last = roundEnd{at: time.Now(), events: 150}
	p.measure(1)
	if got, want := p.pace.now.work, float64(eventWork*10); got != want {
		t.Errorf("work %g of a round with 10 events, want %g", got, want)
	}
}
