//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// program is a plan on the device.
type program struct {
	d          *device
	work       host.Work // of building
	plan       *backend.Plan
	l          *layout
	arenas     []*memoryBuffer
	params     *memoryBuffer // P: head, parameters, then host words from hostAt on
	control    *memoryBuffer // C
	hostAt     int
	passes     []dispatch
	rows       map[listing]*rows
	prime      []dispatch        // where passes are one dispatch: delivers for the first steps of a Run that follows a Write
	primed     bool              // what is due in the next steps is in the accumulators
	ahead      []uint32          // counts of it, two words for each slot
	many       *manyPasses       // the dispatch that makes many passes; nil: there is none
	persistent string            // Options.Persistent
	programs   map[string]uint32 // by text
	alike      bool              // its memory lies beside that of others like it
	beside     *abreast          // where
	seat       int
	held       []*rows
	warnings   []string

	epoch   int64            // steps done when word Step was last 0
	step    uint32           // word Step
	due     uint64           // words Due
	masks   map[int][]uint32 // by event: canonical masks that the device has yet to be given
	begun   *job             // a Run that was started ahead
	fault   *backend.Fault
	failed  error // the device failed; nothing can be done any more
	closed  bool
	profile profile
	rate    float64 // steps per second, as measured

	// Records of the last Run.
	recs        map[backend.BufID][]uint32
	unordered   map[backend.BufID]*unordered // spikes that nobody has asked for
	last, spare [][]uint32                   // memory of what the last Run and the one before it listed
	ordering    time.Duration
}

// dispatch is one kernel of a pass.
type dispatch struct {
	program uint32
	text    string
	seats   int32 // location of Z, see seats.go
	s, k    int32 // locations of the uniforms S and K, -1 where passes are one dispatch
	q, n    int32 // and of Q and N, and their values
	table   uint32
	bodies  uint32
	buffers []*memoryBuffer
	groups  int
	flags   []int // host words, one of which must not be 0; nil: always
	barrier bool  // wait for what comes before
	name    string
	stages  []int
}

func (b *glBackend) Load(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	p := &program{d: b.d, alike: b.alike, work: w, plan: plan, persistent: b.d.opt.Persistent, programs: map[string]uint32{}, masks: map[int][]uint32{}}
	if b.d.note != "" {
		p.warnings = append(p.warnings, b.d.note)
	}
	if err := b.d.await(w, p.load, p.free); err != nil {
		return nil, err
	}
	return p, nil
}

// load builds tables, lays out memory, compiles kernels and uploads.
func (p *program) load() error {
	span := p.d.opt.Span
	if span <= 0 {
		span = 32
	}
	most := p.d.blockWords()
	counts, err := p.count()
	if err != nil {
		return err
	}
	schedule := func(ahead bool) *schedule {
		sc := cut(p.plan, counts, min(span, p.plan.Batch), ahead)
		if fit := sc.largestSpan(p.plan, most); fit < sc.span {
			sc = cut(p.plan, counts, fit, ahead)
		}
		return sc
	}
	p.l = p.d.layout(p.plan, schedule(false), most, nil)
	if err := p.estimate(most); err != nil {
		return err
	}
	spread, err := p.uploadAll(most)
	if err != nil {
		return err
	}
	var whole *kernel
	if sc := schedule(!p.d.opt.Apart); sc.single {
		p.l = p.d.layout(p.plan, sc, most, spread)
		if whole, err = p.single(); err != nil {
			return err
		}
	}
	if whole == nil {
		p.l = p.d.layout(p.plan, schedule(false), most, spread)
	}
	for _, n := range p.l.arenas.used {
		a, err := p.alloc(n)
		if err != nil {
			return err
		}
		p.arenas = append(p.arenas, a)
	}
	if p.control, err = p.alloc(p.l.ctlN); err != nil {
		return err
	}
	if whole != nil {
		if err = p.addSingle(whole); err == nil {
			err = p.addLoop()
		}
	} else {
		if p.persistent != "" && p.persistent != "0" {
			p.note("a pass of this network is several dispatches, so that many passes are not one")
		}
		err = p.addSegments()
	}
	if err != nil {
		return err
	}
	p.hostAt = len(p.l.params)
	p.l.params[parHost] = uint32(p.hostAt)
	if p.params, err = p.alloc(p.hostAt + p.l.batch*p.l.hostN); err != nil {
		return err
	}
	if err := p.bindAll(); err != nil {
		return err
	}
	if p.alike {
		if err := p.sit(); err != nil {
			return err
		}
	}
	if err := p.warm(); err != nil {
		return err
	}
	return p.initialise()
}

// alloc makes a buffer of the program's, of zeroes.
func (p *program) alloc(words int) (*memoryBuffer, error) {
	if p.alike {
		return p.side(words), nil
	}
	return p.d.alloc(words, nil)
}

// uploadAll sends the rows of all tables, and says into what those that only deliver are cut.
func (p *program) uploadAll(most int) (map[int]*rows, error) {
	p.rows = map[listing]*rows{}
	spread, others := map[int]*rows{}, map[int]bool{}
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		if s.Form != backend.FormDeliver && s.Form != backend.FormEffect {
			continue
		}
		key := p.listingOf(s)
		r := p.rows[key]
		if r == nil {
			var err error
			if r, err = p.rowsFor(key, most, p.d.chunk()); err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Name, err)
			}
			p.rows[key] = r
		}
		t, d := &p.plan.Tables[s.Table], r.delays
		if n := len(d); n > 0 && (int(d[0]) < t.MinDelay || int(d[n-1]) > t.MaxDelay) {
			return nil, fmt.Errorf("stage %s: delays of %d to %d steps, the plan says %d to %d", s.Name, d[0], d[n-1], t.MinDelay, t.MaxDelay)
		}
		spread[s.Table] = r
		others[s.Table] = others[s.Table] || s.Form == backend.FormEffect
	}
	for t, other := range others {
		if other {
			delete(spread, t)
		}
	}
	return spread, nil
}

// layout arranges a plan for this device.
func (d *device) layout(plan *backend.Plan, sc *schedule, most int, spread map[int]*rows) *layout {
	l := arrange(plan, sc, most, spread)
	l.inject = d.opt.Inject
	l.together = !d.info.Software && d.opt.Philox != 1 || d.opt.Philox == 4
	return l
}

// team is how many lanes share a row of synapses.
func (d *device) team() int {
	switch {
	case d.opt.Team > 0:
		return d.opt.Team
	case d.info.Software:
		return 8
	}
	return 32
}

// teamFor is how many lanes share a row of a listing.
func (d *device) teamFor(r *rows) int {
	team := d.team()
	for team > 1 && team/2 >= r.longest {
		team /= 2
	}
	return team
}

// chunk is how many entries of a row are one item of a walk, where it has no more than 64 of them.
func (d *device) chunk() int {
	if d.opt.Chunk > 0 {
		return d.opt.Chunk
	}
	return 256
}

// count is the number of synapses of each effect's table.
func (p *program) count() (map[int]int, error) {
	counts := map[int]int{}
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		if s.Form != backend.FormEffect {
			continue
		}
		n, err := synapses(p.work, p.plan.Tables[s.Table].Spec)
		if err != nil {
			return nil, err
		}
		for k, b := range s.Bind {
			if b.Buf != backend.NoBuf && s.Prog.Slots[k].Kind == ir.Array && b.Off+n > p.plan.Bufs[b.Buf].Len {
				return nil, fmt.Errorf("stage %s: %d words of buffer %s for %d synapses", s.Name, p.plan.Bufs[b.Buf].Len, p.plan.Bufs[b.Buf].Name, n)
			}
		}
		counts[s.Table] = n
	}
	return counts, nil
}

// estimate compares what the plan needs with what the device has, before
// anything is allocated.
func (p *program) estimate(most int) error {
	need := 4 * int64(p.l.ctlN+p.plan.Batch*p.l.hostN)
	for _, n := range p.l.arenas.used {
		need += 4 * int64(n)
	}
	listed := map[listing]bool{}
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		if s.Form != backend.FormDeliver && s.Form != backend.FormEffect || listed[p.listingOf(s)] {
			continue
		}
		listed[p.listingOf(s)] = true
		if l := p.listingOf(s); p.d.rows[rowsKey{l, p.needsFar(l), most, p.d.chunk()}] != nil {
			continue // it is there
		}
		spec := p.plan.Tables[s.Table].Spec
		m := connect.Estimate(spec, 1, p.work)
		if s.Form == backend.FormEffect {
			m.Entries = 8 * m.Synapses
			if s.Post {
				m.Index = m.Index / int64(max(spec.NSrc, 1)) * int64(spec.NTgt)
			}
		}
		need += m.Entries + m.Index
	}
	free := p.d.info.MemoryFree
	if free == 0 && p.d.info.Software {
		free = p.work.Free()
	}
	if p.d.opt.Inject == "memory" {
		free = 1 << 10
	}
	if free > 0 && need > free {
		return p.d.fail(NoMemory, "the network needs %d MiB, %d MiB are free; make it smaller or use --backend cpu", need>>20, free>>20)
	}
	return nil
}

// limitWords is the size of the largest buffer that the device takes: what it
// advertises, at most 1 GiB, in pieces of 256 bytes.
func (d *device) limitWords() int { return int(min(blockLimit(d.info.MaxBlock), 1<<30) / 256 * 64) }

// blockLimit is the size of the largest block; a driver that tells none has what OpenGL asks for.
func blockLimit(advertised int64) int64 {
	if advertised <= 0 {
		return 1 << 27
	}
	return advertised
}

// blockWords is the size of buffers to aim at.
func (d *device) blockWords() int {
	if d.opt.MaxBlock > 0 {
		return int(min(max(d.opt.MaxBlock/256, 1)*64, int64(d.limitWords())))
	}
	return d.limitWords()
}

// Warnings says what of the plan is slow on this backend, and why.
func (p *program) Warnings() []string { return p.warnings }

// each calls f for the arenas that hold words off to off+n-1 of a region, from
// being how many of them come before.
func (p *program) each(r region, off, n int, f func(b *memoryBuffer, at, from, n int)) {
	for from := 0; from < n; {
		at := r.off + off + from
		arena, most := r.arena, n-from
		if r.pieces > 1 {
			arena, at = r.arena+at/r.piece, at%r.piece
			most = min(most, r.piece-at)
		}
		f(p.arenas[arena], at, from, most)
		from += most
	}
}

func (p *program) put(r region, off int, words []uint32) {
	p.each(r, off, len(words), func(b *memoryBuffer, at, from, n int) { b.write(at, words[from:from+n]) })
}

func (p *program) get(r region, off int, words []uint32) {
	p.each(r, off, len(words), func(b *memoryBuffer, at, from, n int) { b.read(at, words[from:from+n]) })
}

func (p *program) fill(r region, off, n int, word uint32) {
	p.each(r, off, n, func(b *memoryBuffer, at, _, n int) { b.fill(at, n, word) })
}

// initialise uploads what the plan's buffers begin with.
func (p *program) initialise() error {
	for i := range p.plan.Bufs {
		b, r := &p.plan.Bufs[i], p.l.bufs[i]
		switch id := backend.BufID(i); {
		case id == p.plan.Step:
			if len(b.Init) > 0 {
				p.step = b.Init[0]
			}
		case id == p.plan.Due:
			for k, w := range b.Init[:min(len(b.Init), 2)] {
				p.due |= uint64(w) << (32 * k)
			}
		case r.arena >= 0 && b.Kind != backend.Scratch:
			p.put(r, 0, b.Init)
		}
	}
	for _, x := range p.l.inits {
		p.put(x.at, 0, x.words)
	}
	for i := range p.plan.Events {
		e := &p.plan.Events[i]
		m := make([]uint32, e.History*e.Words())
		copy(m, p.plan.Bufs[e.Masks].Init)
		p.masks[i] = m
	}
	p.params.write(0, p.l.params)
	return p.d.check("uploading the network")
}

func (p *program) free() {
	for _, list := range [][]*memoryBuffer{p.arenas, {p.params, p.control}} {
		for _, b := range list {
			if b != nil && !p.alike {
				p.d.used -= 4 * int64(b.words)
				b.free()
			}
		}
	}
	if p.beside != nil {
		p.leave()
	}
	for text := range p.programs {
		p.d.unshare(text)
	}
	for _, r := range p.held {
		r.users--
	}
	p.d.tidy()
	p.profile.free()
	p.arenas, p.held, p.programs = nil, nil, nil
}

func (p *program) Close() error {
	if p.closed {
		return nil
	}
	if p.closed = true; p.begun != nil {
		<-p.begun.ended
	}
	free := func() error { p.free(); return nil }
	if p.d.left.Load() > 0 { // the driver is busy with what nobody waits for
		go p.d.do(free)
		return nil
	}
	return p.d.do(free)
}
