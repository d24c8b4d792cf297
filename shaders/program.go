//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// program is a plan on the device.
type program struct {
	d        *device
	work     host.Work // of building
	plan     *backend.Plan
	l        *layout
	arenas   []*memoryBuffer
	params   *memoryBuffer // P: head, parameters, then host words from hostAt on
	control  *memoryBuffer // C
	hostAt   int
	passes   []dispatch
	programs map[string]uint32 // by text
	shards   []*memoryBuffer
	warnings []string

	epoch  int64                      // steps done when word Step was last 0
	step   uint32                     // word Step
	due    uint64                     // words Due
	masks  map[int][]uint32           // by event: canonical masks that the device has yet to be given
	recs   map[backend.BufID][]uint32 // what spike records and counts received in the last Run
	fault  *backend.Fault
	failed error // the device failed; nothing can be done any more
	closed bool
	rate   float64 // steps per second, as measured
}

// dispatch is one kernel of a pass.
type dispatch struct {
	program uint32
	s, k    int32 // locations of the uniforms S and K
	t, n    int32 // and of T and N, and their values
	table   uint32
	bodies  uint32
	buffers []*memoryBuffer
	groups  int
	flags   []int // host words, one of which must not be 0; nil: always
	barrier bool  // wait for what comes before
	name    string
}

func (b *glBackend) Load(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	p := &program{d: b.d, work: w, plan: plan, programs: map[string]uint32{}, masks: map[int][]uint32{}, recs: map[backend.BufID][]uint32{}}
	if b.d.note != "" {
		p.warnings = append(p.warnings, b.d.note)
	}
	err := b.d.do(func() error { return p.load() })
	if err != nil {
		b.d.do(func() error { p.free(); return nil })
		return nil, err
	}
	return p, nil
}

// load lays out memory, builds tables, compiles kernels and uploads.
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
	sc := cut(p.plan, counts, min(span, p.plan.Batch))
	if fit := sc.largestSpan(p.plan, most); fit < sc.span {
		sc = cut(p.plan, counts, fit)
	}
	p.l = p.d.layout(p.plan, sc, most)
	if err := p.estimate(); err != nil {
		return err
	}
	for _, n := range p.l.arenas.used {
		a, err := p.d.alloc(n, nil)
		if err != nil {
			return err
		}
		p.arenas = append(p.arenas, a)
	}
	if p.control, err = p.d.alloc(p.l.ctlN, nil); err != nil {
		return err
	}
	if err := p.addSegments(most); err != nil {
		return err
	}
	p.hostAt = len(p.l.params)
	p.l.params[parHost] = uint32(p.hostAt)
	if p.params, err = p.d.alloc(p.hostAt+p.plan.Batch*p.l.hostN, nil); err != nil {
		return err
	}
	p.bindAll()
	return p.initialise()
}

// layout arranges a plan for this device.
func (d *device) layout(plan *backend.Plan, sc *schedule, most int) *layout {
	l := arrange(plan, sc, most)
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

// walkGroup is the lanes of a work group of a walk.
func (d *device) walkGroup() int { return min(d.opt.WorkGroup, 256) }

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
func (p *program) estimate() error {
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

// use compiles a kernel and adds it to the pass.
func (p *program) use(k *kernel, name string, groups int, barrier bool, flags []int, more []*memoryBuffer) error {
	if n := blockA + len(k.arenas) + len(more); n > p.d.info.MaxBlocks {
		return p.d.fail(TooLarge, "%s needs %d storage blocks, the device has %d for a shader; its blocks of %d MiB are too small for this network: make it smaller or use --backend cpu", name, n, p.d.info.MaxBlocks, p.d.blockWords()>>18)
	}
	prog, ok := p.programs[k.String()]
	if !ok {
		var err error
		if prog, err = p.d.compile(name, k.String(), k.origin); err != nil {
			return err
		}
		p.programs[k.String()] = prog
	}
	x := dispatch{program: prog, groups: groups, barrier: barrier, flags: flags, name: name, buffers: []*memoryBuffer{nil, p.control}}
	x.s, x.k = gl.GetUniformLocation(prog, gl.Str("S\x00")), gl.GetUniformLocation(prog, gl.Str("K\x00"))
	x.t, x.n = gl.GetUniformLocation(prog, gl.Str("T\x00")), gl.GetUniformLocation(prog, gl.Str("N\x00"))
	x.table, x.bodies = uint32(k.table), uint32(k.bodies)
	for _, a := range k.arenas {
		x.buffers = append(x.buffers, p.arenas[a])
	}
	x.buffers = append(x.buffers, more...)
	p.passes = append(p.passes, x)
	return nil
}

// bindAll enters P, which is allocated when all parameters are known.
func (p *program) bindAll() {
	for i := range p.passes {
		p.passes[i].buffers[blockP] = p.params
	}
}

func (p *program) addMap(seg *segment, barrier bool) error {
	for _, k := range p.l.mapKernels(seg, p.d.opt.WorkGroup, p.d.info.MaxBlocks) {
		var flags []int
		var names []string
		for _, i := range k.stages {
			names = append(names, p.plan.Stages[i].Name)
			if f := p.plan.Stages[i].Flag; f >= 0 && !k.always {
				flags = append(flags, f)
			}
		}
		if err := p.use(k, strings.Join(names, " + "), k.groups, barrier, flags, nil); err != nil {
			return err
		}
		barrier = false
	}
	return nil
}

// addSegments makes the kernels of all segments, in their order.
func (p *program) addSegments(most int) error {
	sc := p.l.sc
	rows := map[listing]*rows{}
	waits := sc.waits()
	for n, seg := range sc.segments {
		barrier := waits[n]
		if seg.form == backend.FormMap {
			if err := p.addMap(seg, barrier); err != nil {
				return err
			}
			continue
		}
		s := &p.plan.Stages[seg.stage]
		key := p.listingOf(s)
		if rows[key] == nil {
			r, err := p.upload(key, most)
			if err != nil {
				return fmt.Errorf("stage %s: %w", s.Name, err)
			}
			rows[key] = r
		}
		t, d := &p.plan.Tables[s.Table], rows[key].delays
		if n := len(d); n > 0 && (int(d[0]) < t.MinDelay || int(d[n-1]) > t.MaxDelay) {
			return fmt.Errorf("stage %s: delays of %d to %d steps, the plan says %d to %d", s.Name, d[0], d[n-1], t.MinDelay, t.MaxDelay)
		}
		if err := p.addWalk(seg, rows[key], barrier); err != nil {
			return err
		}
	}
	return nil
}

// addWalk adds the kernels of a deliver or effect stage: as many as its shards
// need when each binds as many as the device allows. Where that leaves no block
// for rows, because arrays of words by synapse lie in many pieces, each kernel
// takes the synapses of one piece.
func (p *program) addWalk(seg *segment, r *rows, barrier bool) error {
	s := &p.plan.Stages[seg.stage]
	spec := p.plan.Tables[s.Table].Spec
	n, chunk := pieces(r.longest)
	group, team := p.d.walkGroup(), p.d.team()
	for team > 1 && team/2 >= r.longest {
		team /= 2
	}
	var flags []int
	if s.Flag >= 0 {
		flags = []int{s.Flag}
	}
	walk := func(shards, lo, hi int) *kernel { return p.l.deliverKernel(seg.stage, shards, group, team, spec.Width) }
	step, ordered := max(r.synapses, 1), false
	if seg.form == backend.FormEffect {
		_, ordered = p.plan.Sharing(s)
		walk = func(shards, lo, hi int) *kernel {
			return p.l.effectKernel(seg.stage, shards, group, team, lo, hi, step >= r.synapses, r.selves, ordered)
		}
		if !ordered && p.blocksLeft(walk(1, 0, r.synapses)) < 1 {
			step = p.l.arenas.most
		}
	}
	if ordered {
		return p.addOrdered(seg, r, walk(len(r.shards), 0, r.synapses), flags)
	}
	for lo := 0; lo < r.synapses; lo += step {
		hi := min(lo+step, r.synapses)
		shards := r.shards
		if step < r.synapses {
			shards = slices.DeleteFunc(slices.Clone(shards), func(h *shard) bool { return h.hi <= lo || h.lo >= hi })
		}
		most := p.blocksLeft(walk(1, lo, hi))
		if most < 1 {
			return p.d.fail(TooLarge, "%s: of the %d storage blocks of a shader none is left for synapses; blocks of %d MiB are too small for this network: make it smaller or use --backend cpu", s.Name, p.d.info.MaxBlocks, p.d.blockWords()>>18)
		}
		for len(shards) > 0 {
			take := min(len(shards), most)
			k := walk(take, lo, hi)
			count := s.Count
			if lo > 0 {
				count = 0 // each entry is counted once
			}
			p.l.walkParams(k, seg.stage, r.delays, shards[:take], r.tiles, n, chunk, count)
			groups, err := p.walkGroups(s, group, team, len(r.delays)*r.tiles*n, take)
			if err != nil {
				return err
			}
			if err := p.use(k, s.Name, groups, barrier, flags, buffersOf(shards[:take])); err != nil {
				return err
			}
			shards, barrier = shards[take:], false
		}
	}
	return nil
}

// blocksLeft is the number of storage blocks that a walk of one shard leaves for its rows.
func (p *program) blocksLeft(k *kernel) int { return p.d.info.MaxBlocks - blockA - len(k.arenas) }

// addOrdered adds the dispatches of an effect whose synapses run one after the
// other: as many as a step may need.
func (p *program) addOrdered(seg *segment, r *rows, k *kernel, flags []int) error {
	s := &p.plan.Stages[seg.stage]
	if r.synapses == 0 {
		return nil
	}
	rounds := 0
	for _, src := range p.plan.Tables[s.Table].Sources {
		rounds += len(r.delays)*(1+(src.Hi+31)/32-src.Lo/32+(1+len(r.shards))*(src.Hi-src.Lo)) + r.synapses
	}
	p.l.walkParams(k, seg.stage, r.delays, r.shards, 1, 1, 1, s.Count)
	for part := range rounds/mostRounds + 1 {
		k.bodies = part
		if err := p.use(k, s.Name, 1, true, flags, buffersOf(r.shards)); err != nil {
			return err
		}
	}
	p.warnings = append(p.warnings, fmt.Sprintf("%s: a synapse may read what another one writes in the same step, so the gl backend works them off one after the other on one lane of the device, which is slow; --backend cpu is faster here", s.Name))
	return nil
}

// wide is the largest number of work groups in a row of a dispatch.
const wide = 32768

// walkGroups is the number of work groups of a walk whose sources have so many
// items each: enough to fill a wide device, few where threads are few.
func (p *program) walkGroups(s *backend.Stage, group, team, items, shards int) (int, error) {
	t := &p.plan.Tables[s.Table]
	sources := 0
	for _, x := range t.Sources {
		sources += x.Hi - x.Lo
	}
	if !p.d.info.Software {
		all := p.l.sc.span * sources * items // where everything fires
		return min(1<<17/group, all/(group/team)+1), nil
	}
	// llvmpipe leaves all loops of a lane, in silence, once they have made 65,535
	// rounds together. So many groups are taken that they do not where everything
	// fires in every step of a pass; half is left for rows that are longer than others.
	const rounds = 1 << 15
	st, err := connect.Measure(t.Spec, p.work)
	if err != nil {
		return 0, err
	}
	all := float64(p.l.sc.span) * (float64(sources)*float64(items)*float64(2+shards) + float64(st.Total)/float64(team))
	return min(max(1, 256/group, int(all/float64(rounds*(group/team)))+1), wide), nil
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
	for _, list := range [][]*memoryBuffer{p.arenas, p.shards, {p.params, p.control}} {
		for _, b := range list {
			if b != nil {
				p.d.used -= 4 * int64(b.words)
				b.free()
			}
		}
	}
	for _, prog := range p.programs {
		gl.DeleteProgram(prog)
	}
	p.arenas, p.shards, p.programs, p.passes = nil, nil, nil, nil
}

func (p *program) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	return p.d.do(func() error { p.free(); return nil })
}
