package kernels

import (
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

// divided is a loaded plan. Its program is replaced by one with more or fewer
// parts where that is worth the time of making it: processors became free, or a
// thread has run several parts for long.
type divided struct {
	*program
	w host.Work
}

// division is when a backend divides its network anew.
type division struct {
	most     int           // parts, by what was free when it was divided last; 0: it never was
	took     time.Duration // to load the plan
	slack    time.Duration // how long another number of parts would have been better
	unlooked time.Duration // of it, since the last look at what is free
	patience int           // slack for each time to load; doubled with every division
}

// Networks larger than this keep their parts, all that there may be: that a thread
// runs several costs them little, and while one division is made from the other
// there is memory for both.
const divisible = 100 << 20 // bytes

// light says that a plan may be divided anew.
func light(plan *backend.Plan) bool {
	bytes := int64(0)
	for i := range plan.Bufs {
		bytes += 4 * int64(plan.Bufs[i].Len)
	}
	for i := range plan.Tables {
		bytes += connect.Estimate(plan.Tables[i].Spec, 1, host.Work{Threads: 1}).Total()
	}
	return bytes < divisible
}

// Run advances up to n steps.
func (d *divided) Run(n int, host []uint32) (int, error) {
	p := d.program
	if p.bufs == nil || p.fault != nil {
		return p.Run(n, host)
	}
	if parts := p.cpu.better(p); parts != p.lay.parts {
		d.divide(parts)
	}
	start := time.Now()
	done, err := d.program.Run(n, host)
	p.cpu.division.unlooked += time.Since(start)
	return done, err
}

// better is the number of parts that the program had better have, judged by how
// long its present one has been the wrong one.
func (c *cpu) better(p *program) int {
	d := &c.division
	parts := p.lay.parts
	switch {
	case p.lay.plain:
		return parts
	case shuffle != nil:
		return 1 + shuffle(7)
	case c.fixed || d.unlooked < 100*time.Millisecond || !p.light:
		return parts
	}
	want := p.pace.sizes[p.pace.home]
	if want == parts && parts < p.wish {
		want = max(parts, min(p.wish, freeNow()))
	}
	if want == parts {
		d.slack = max(d.slack-d.unlooked, 0)
	} else {
		d.slack += d.unlooked
	}
	d.unlooked = 0
	if want == parts || d.slack < time.Duration(max(d.patience, 5))*d.took {
		return parts
	}
	return want
}

// divide makes the program anew with so many parts. If that cannot be, all stays
// as it is.
func (d *divided) divide(parts int) {
	p := d.program
	c := &p.cpu.division
	c.slack, c.patience = 0, 2*max(c.patience, 5)
	q, err := newProgram(d.w, p.cpu, p.plan, parts)
	if err != nil {
		return
	}
	p.freshenMasks()
	p.settle()
	for i := range p.plan.Bufs {
		if k := p.plan.Bufs[i].Kind; k == backend.State || k == backend.Constant {
			if err := p.hand(q, backend.BufID(i)); err != nil {
				q.Close()
				return
			}
		}
	}
	q.epoch, q.listsOld = p.epoch, true
	for k, ph := range p.Profile() {
		q.threads[0].clock[k] = ph.Time
	}
	if p.apart {
		q.TimeStages()
		copy(q.threads[0].stages, p.StageTimes())
	}
	c.most = parts
	p.Close()
	d.program = q
	q.cpu.mu.Lock()
	q.cpu.drop(func(*built) bool { return true }) // those of the program that is gone
	q.cpu.mu.Unlock()
	q.cpu.used = q.lay.parts
}
