package kernels

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// pace chooses how many threads are at work. Bits do not depend on it, so it
// goes by what was measured: time for the work that was done. Now and then
// another number of threads is tried, and kept if it is faster; what trials lose
// is a small part of the whole time.
//
// On a machine where something else runs, fewer threads than processors are as a
// rule many times faster: while the other program holds one thread's processor
// the others wait for it, and they wait for each other in every step.
type pace struct {
	sizes []int // numbers of threads to choose from, ascending
	at    int   // the choice, an index into sizes
	home  int   // during a trial the choice from which it began, else at

	since time.Duration   // at home
	purse time.Duration   // what trials may still lose
	price []time.Duration // of the next trial of each size

	late spell // at home, what was measured lately
	now  spell // this window or trial
}

// spell is some time with one number of threads.
type spell struct{ took, work, waited float64 } // ns, units, ns of all threads together

func (s spell) plus(t spell, weight float64) spell {
	return spell{s.took + float64(weight*t.took), s.work + float64(weight*t.work), s.waited + float64(weight*t.waited)}
}

const (
	window    = 2 * time.Millisecond  // between looks at what was measured
	trial     = 20 * time.Millisecond // longer than a scheduler lets one program have a processor
	loss      = 1 * time.Millisecond  // ends a trial at once
	forTrials = 0.02                  // of all time may be lost by trials
	dearest   = 20 * time.Millisecond // so a trial a second, where they are in vain
	idle      = 0.5                   // of the threads that would be spared, lost to waiting: then fewer are tried
	better    = 0.95                  // more threads must be so much faster to be kept
	faded     = 0.9                   // weight of what was measured before a window: a stall of some ms is no reason to change
)

// shuffle is set by tests: it then chooses, after each round, among the numbers of
// threads and of steps in a round.
var shuffle func(n int) int

// newPace is for a program of so many parts, all with a thread of its own at first.
func newPace(parts int) *pace {
	c := &pace{purse: loss}
	for each := parts; each > 0; each-- { // parts of the thread that has most
		if n := (parts + each - 1) / each; len(c.sizes) == 0 || n > c.sizes[len(c.sizes)-1] {
			c.sizes = append(c.sizes, n)
			c.price = append(c.price, loss)
		}
	}
	c.at = len(c.sizes) - 1
	c.home = c.at
	return c
}

func (c *pace) size() int { return c.sizes[c.at] }

// add takes in what the threads did lately: how long it took, how much work it
// was, and how long they waited, all together.
func (c *pace) add(took time.Duration, work float64, waited time.Duration) {
	c.now = c.now.plus(spell{float64(took), work, float64(waited)}, 1)
	switch {
	case shuffle != nil:
		c.at = shuffle(len(c.sizes))
		return
	case len(c.sizes) == 1 || c.now.work == 0:
		return
	}
	spent := time.Duration(c.now.took)
	if c.at != c.home {
		lost := spent - time.Duration(float64(c.cost()*c.now.work))
		if lost > loss || spent >= trial {
			c.judge(lost)
		}
		return
	}
	if spent < window {
		return
	}
	c.late = c.now.plus(c.late, faded)
	c.purse = min(c.purse+time.Duration(float64(forTrials*c.now.took)), 2*dearest)
	c.since += spent
	c.now = spell{}
	if c.since >= trial { // the first windows are slow: caches are cold
		c.try()
	}
}

// cost is the time for each unit of work at home.
func (c *pace) cost() float64 { return c.late.took / c.late.work }

// try begins the trial that costs least if the purse holds so much: of more threads,
// or of fewer where as good as so many are lost to waiting. Threads that wait little
// are not slower than fewer would be, so a quiet machine loses nothing.
func (c *pace) try() {
	home := c.at
	next := home + 1
	if home > 0 && c.late.waited > float64(idle*float64(c.late.took*float64(c.sizes[home]-c.sizes[home-1]))) && (next == len(c.sizes) || c.price[home-1] <= c.price[next]) {
		next = home - 1
	}
	if next < len(c.sizes) && c.price[next] <= c.purse {
		c.at = next
	}
}

// judge ends a trial that lost so much time, or won it.
func (c *pace) judge(lost time.Duration) {
	bar := better
	if c.at < c.home {
		bar = 1
	}
	if cost := c.now.took / c.now.work; lost <= loss && cost < float64(bar*c.cost()) {
		c.price[c.home] = loss
		c.home, c.late = c.at, c.now
	} else {
		c.purse -= max(lost, 0)
		c.price[c.at] = min(2*max(c.price[c.at], lost), max(dearest, lost))
		c.at = c.home
	}
	c.now, c.since = spell{}, 0
}

// free and freeNow are variables so that tests can stand in for the machine.
var (
	free    = freeProcessors
	freeNow = freeProcessorsNow
)

// freeProcessorsNow is freeProcessors by one look.
func freeProcessorsNow() int {
	online, others, err := processors()
	if most := runtime.GOMAXPROCS(0); err != nil || online-others > most {
		return most
	}
	return max(1, online-others)
}

// freeProcessors is how many of the processors that the process may use are free,
// as far as the system tells: the second best of five looks, since what runs for a
// moment only does not count, nor does a single look that missed what was there.
func freeProcessors() int {
	var best, second int
	for k := 0; k < 5 && second < runtime.GOMAXPROCS(0); k++ {
		if k > 0 {
			time.Sleep(time.Millisecond)
		}
		look := freeNow()
		best, second = max(best, look), max(second, min(best, look))
	}
	return second
}

// processors is how many there are, and how many threads of other processes run or
// wait for one. The load average would not do: it remembers minutes.
//
// The process's own threads are counted first. The runtime's run for a moment when
// this one wakes up; were they counted last, they would be gone by then, and stand
// for threads of others.
func processors() (online, others int, err error) {
	own, err := filepath.Glob("/proc/self/task/*/stat") // the collector's threads, say
	if err != nil {
		return 0, 0, err
	}
	for _, name := range own {
		if text, err := os.ReadFile(name); err == nil && bytes.Contains(text, []byte(") R ")) {
			others--
		}
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(stat)) {
		if len(line) > 3 && strings.HasPrefix(line, "cpu") && line[3] != ' ' {
			online++
		}
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, 0, err
	}
	f := strings.Fields(string(load))
	if len(f) < 4 {
		return 0, 0, fmt.Errorf("/proc/loadavg has %d fields", len(f))
	}
	now, _, _ := strings.Cut(f[3], "/")
	running, err := strconv.Atoi(now)
	if err != nil {
		return 0, 0, err
	}
	return online, max(0, others+running), nil
}
