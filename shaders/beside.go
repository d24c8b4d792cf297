//go:build egl && cgo && linux

package shaders

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
)

// job is a Run of a program.
type job struct {
	p       *program
	n       int
	words   []uint32   // of the host, for each step
	samples [][]uint32 // see hostWords
	err     error
	over    bool

	// What it has made.
	control []uint32
	done    int
	entries [][]uint32                 // by stage, of spikes, as the device has listed them
	values  map[backend.BufID][]uint32 // of samples
	ended   chan struct{}              // closed then, of one that was started ahead
}

// beside is the Runs of programs beside one another: those that wait go to the device together, so that their dispatches
// fill it between two barriers.
type beside struct {
	mu      sync.Mutex
	waiting []*job
	last    int     // how many went together last
	rate    float64 // steps of each per second then
}

// patience is how long a Run waits for the others of the last time.
const patience = 2 * time.Millisecond

// run does a Run, together with those of other programs that are there.
func (d *device) run(j *job) {
	b := &d.beside
	b.mu.Lock()
	b.waiting = append(b.waiting, j)
	b.mu.Unlock()
	for start := time.Now(); ; time.Sleep(50 * time.Microsecond) {
		over := false // asked on the thread of the context alone: others do the job there, and have not ended when they begin
		err := d.do(func() error {
			if over = j.over; over {
				return nil
			}
			b.mu.Lock()
			if len(b.waiting) < b.last && time.Since(start) < patience {
				b.mu.Unlock()
				return nil
			}
			all := b.waiting
			b.waiting, over = nil, true
			b.mu.Unlock()
			d.runAll(all)
			return nil
		})
		if err != nil {
			j.err = err
		}
		if err != nil || over {
			return
		}
	}
}

// runAll does Runs of several programs.
func (d *device) runAll(all []*job) {
	b := &d.beside
	if len(all) != b.last {
		b.last, b.rate = len(all), 0
	}
	var on []*job
	for _, j := range all {
		j.over = true
		if j.err = j.begin(); j.err == nil {
			on = append(on, j)
		}
	}
	slices.SortStableFunc(on, func(x, y *job) int { // neighbours
		return cmp.Or(cmp.Compare(slices.Index(d.abreast, x.p.beside), slices.Index(d.abreast, y.p.beside)), cmp.Compare(x.p.seat, y.p.seat))
	})
	var err error
	switch len(on) {
	case 0: // the device failed before they began
	case 1:
		on[0].n, err = on[0].p.submit(on[0].n, on[0].words)
	default:
		err = d.submit(on)
	}
	for _, j := range on {
		if j.err = err; err == nil {
			j.err = j.end()
		}
	}
}

// together says that the programs are neighbours, and nobody else is between them.
func together(all []*job) bool {
	for i, j := range all {
		if j.p.beside == nil || j.p.beside != all[0].p.beside || j.p.seat != all[0].p.seat+i {
			return false
		}
	}
	return true
}

// submit dispatches the steps of several programs, pass by pass, waiting after as many as take some 25 ms.
// Kernel k of a pass of each stands between the same two barriers, and is one dispatch for those that are neighbours.
func (d *device) submit(all []*job) error {
	b := &d.beside
	longest, kernels := 0, 0
	var first []call
	for _, j := range all {
		longest, kernels = max(longest, j.n), max(kernels, len(j.p.passes))
		if !j.p.primed && j.n > 0 && len(j.p.prime) > 0 {
			first = append(first, call{j.p, &j.p.prime[0], 0, j.p.l.sc.span})
		}
	}
	gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT)
	dispatchAll(first)
	span := 0 // of passes that are one dispatch of all; 0: they are not
	if p := all[0].p; p.l.sc.single && together(all) {
		span = p.l.sc.span
	}
	at := make([]int, len(all))
	for end := 0; end < longest; {
		if end > 0 && slices.ContainsFunc(all, func(j *job) bool { return j.p.work.Err() != nil }) { // all of them end here
			for i, j := range all {
				j.n = min(j.n, at[i])
			}
			break
		}
		begin, from := time.Now(), end
		end += max(1, int(b.rate*0.025))
		if most := d.opt.Submit; most > 0 {
			end = from + most
		}
		if d.chainBad {
			end = from + 1
		}
		end = min(end, longest)
		if span > 0 { // those whose Run is over do nothing
			passes := (end - from + span - 1) / span
			all[0].p.repeat(&all[0].p.passes[0], passes, len(all))
			end = from + passes*span
			for i := range at {
				at[i] = end
			}
		}
		for more := span == 0; more; {
			more = false
			for k := range kernels {
				gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT)
				var calls []call
				for i, j := range all {
					if at[i] >= min(end, j.n) || k >= len(j.p.passes) {
						continue
					}
					x, steps := &j.p.passes[k], min(j.p.l.sc.span, j.n-at[i])
					if x.groups == 0 || x.flags != nil && !j.p.flagged(x.flags, at[i], steps, j.words) {
						continue
					}
					calls = append(calls, call{j.p, x, at[i], steps})
				}
				dispatchAll(calls)
			}
			for i, j := range all {
				if at[i] < min(end, j.n) {
					at[i] += j.p.l.sc.span
					more = more || at[i] < min(end, j.n)
				}
			}
		}
		gl.MemoryBarrier(gl.BUFFER_UPDATE_BARRIER_BIT)
		waits := time.Now()
		if err := d.wait(); err != nil {
			return err
		}
		for _, j := range all {
			j.p.profile.wait += time.Since(waits) / time.Duration(len(all))
		}
		now := float64(end-from) / max(time.Since(begin).Seconds(), 1e-6)
		if b.rate == 0 || now < b.rate {
			b.rate = now
		} else {
			b.rate = min(now, 2*b.rate)
		}
	}
	return nil
}
