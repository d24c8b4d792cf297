//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
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
	programs []uint32
	shards   []*memoryBuffer

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
	p := &program{d: b.d, work: w, plan: plan, masks: map[int][]uint32{}, recs: map[backend.BufID][]uint32{}}
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
	sc := cut(p.plan, min(span, p.plan.Batch))
	if fit := sc.largestSpan(p.plan, most); fit < sc.span {
		sc = cut(p.plan, fit)
	}
	p.l = arrange(p.plan, sc, most)
	p.l.inject = p.d.opt.Inject
	p.l.together = !p.d.info.Software && p.d.opt.Philox != 1 || p.d.opt.Philox == 4
	if err := p.l.fits(p.d.limitWords()); err != nil {
		return p.d.fail(TooLarge, "%v", err)
	}
	if err := p.estimate(); err != nil {
		return err
	}
	ends, err := p.placeEnds()
	if err != nil {
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
	sets := map[int][]rowSet{} // by table: its tiles for delivery
	delays := map[int][]uint16{}
	shards := map[int][]*shard{}
	for n, seg := range sc.segments {
		barrier := n == 0 || seg.form != backend.FormDeliver || sc.segments[n-1].form != backend.FormDeliver
		if seg.form == backend.FormMap {
			if err := p.addMap(seg, barrier); err != nil {
				return err
			}
			continue
		}
		s := &p.plan.Stages[seg.stage]
		key := s.Table
		if seg.form == backend.FormEffect {
			key = -1 - seg.stage // adjacencies are their own
		}
		if _, ok := sets[key]; !ok {
			if sets[key], delays[key], shards[key], err = p.upload(seg, most); err != nil {
				return err
			}
		}
		if err := p.addWalk(seg, sets[key], delays[key], shards[key], ends, barrier); err != nil {
			return err
		}
	}
	for _, set := range sets {
		for i := range set {
			set[i].index, set[i].halves, set[i].words, set[i].weights = nil, nil, nil, nil
		}
	}
	p.hostAt = len(p.l.params)
	p.l.params[parHost] = uint32(p.hostAt)
	if p.params, err = p.d.alloc(p.hostAt+p.plan.Batch*p.l.hostN, nil); err != nil {
		return err
	}
	p.bindAll()
	return p.initialise()
}

// placeEnds reserves the columns that effects need.
func (p *program) placeEnds() (map[int]ends, error) {
	out := map[int]ends{}
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		if s.Form != backend.FormEffect {
			continue
		}
		if err := effectLacks(p.plan, s); err != nil {
			return nil, err
		}
		source, target, err := endsOf(p.work, p.plan.Tables[s.Table].Spec)
		if err != nil {
			return nil, err
		}
		for k, b := range s.Bind {
			if b.Buf != backend.NoBuf && s.Prog.Slots[k].Kind == 0 && b.Off+len(target) > p.plan.Bufs[b.Buf].Len {
				return nil, fmt.Errorf("stage %s: %d words of buffer %s for %d synapses", s.Name, p.plan.Bufs[b.Buf].Len, p.plan.Bufs[b.Buf].Name, len(target))
			}
		}
		if !needsEnds(s) {
			continue
		}
		e := ends{p.l.arenas.place(len(source)), p.l.arenas.place(len(target))}
		p.l.inits = append(p.l.inits, initial{e.source, source}, initial{e.target, target})
		out[i] = e
	}
	return out, p.l.fits(p.d.limitWords())
}

// estimate compares what the plan needs with what the device has, before
// anything is allocated.
func (p *program) estimate() error {
	need := 4 * int64(p.l.ctlN+p.plan.Batch*p.l.hostN)
	for _, n := range p.l.arenas.used {
		need += 4 * int64(n)
	}
	for i := range p.plan.Stages {
		if s := &p.plan.Stages[i]; s.Form == backend.FormDeliver {
			spec := p.plan.Tables[s.Table].Spec
			m := connect.Estimate(spec, 1, p.work)
			need += m.Entries + m.Index
		}
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
// advertises, at most 1 GiB.
func (d *device) limitWords() int { return int(min(d.info.MaxBlock, 1<<30) / 256 * 64) }

// blockWords is the size of buffers to aim at.
func (d *device) blockWords() int {
	if d.opt.MaxBlock > 0 {
		return int(min(d.opt.MaxBlock/256*64, int64(d.limitWords())))
	}
	return d.limitWords()
}

// use compiles a kernel and adds it to the pass.
func (p *program) use(k *kernel, name string, groups int, barrier bool, flags []int, more []*memoryBuffer) error {
	prog, err := p.d.compile(name, k.String(), k.origin)
	if err != nil {
		return err
	}
	p.programs = append(p.programs, prog)
	if n := blockA + len(k.arenas) + len(more); n > p.d.info.MaxBlocks {
		return p.d.fail(TooLarge, "%s needs %d storage blocks, the device has %d for a shader; blocks of %d MiB are too small for this network", name, n, p.d.info.MaxBlocks, p.d.blockWords()>>18)
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
	for _, k := range p.l.mapKernels(seg, p.d.opt.WorkGroup) {
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

// upload builds the rows of a stage's table and sends them to the device.
func (p *program) upload(seg *segment, most int) (sets []rowSet, delays []uint16, all []*shard, err error) {
	s := &p.plan.Stages[seg.stage]
	spec := p.plan.Tables[s.Table].Spec
	if seg.form == backend.FormEffect {
		adj, err := connect.Adjacent(spec, s.Post, p.work)
		if err != nil {
			return nil, nil, nil, err
		}
		sets, delays = []rowSet{{index: adj.Index, words: adj.K}}, adj.Delays
	} else {
		tables, err := connect.Build(spec, connect.Cut(spec.NTgt, 1), p.work)
		if err != nil {
			return nil, nil, nil, err
		}
		defer func() {
			for _, t := range tables {
				t.Close()
			}
		}()
		for _, t := range tables {
			sets, delays = append(sets, rowsOf(t)), t.Delays
		}
	}
	n := len(delays)
	if n == 0 {
		return sets, delays, nil, nil
	}
	if t := &p.plan.Tables[s.Table]; int(delays[0]) < t.MinDelay || int(delays[n-1]) > t.MaxDelay {
		return nil, nil, nil, fmt.Errorf("stage %s: delays of %d to %d steps, the plan says %d to %d", s.Name, delays[0], delays[n-1], t.MinDelay, t.MaxDelay)
	}
	for tile := range sets {
		cuts, err := sets[tile].cutShards(tile, len(delays), most)
		if err != nil {
			return nil, nil, nil, p.d.fail(TooLarge, "%s: %v", s.Name, err)
		}
		for _, h := range cuts {
			i, e, w := sets[tile].size(len(delays), h.row0, h.row1)
			if h.mem, err = p.d.alloc(i+e+w, nil); err != nil {
				return nil, nil, nil, err
			}
			p.shards = append(p.shards, h.mem)
			sets[tile].fill(h, len(delays), h.mem.write)
		}
		all = append(all, cuts...)
	}
	// Only the longest row is still needed; the tables go away here.
	n = longest(sets)
	for i := range sets {
		sets[i] = rowSet{target0: sets[i].target0, index: []uint32{0, uint32(n)}}
	}
	return sets, delays, all, nil
}

// addWalk adds the kernels of a deliver or effect stage: as many as its shards
// need when each binds as many as the device allows.
func (p *program) addWalk(seg *segment, sets []rowSet, delays []uint16, shards []*shard, at map[int]ends, barrier bool) error {
	s := &p.plan.Stages[seg.stage]
	spec := p.plan.Tables[s.Table].Spec
	n, chunk := pieces(longest(sets))
	group, team := min(p.d.opt.WorkGroup, 256), p.d.opt.Team
	if team == 0 && p.d.info.Software {
		team = 8
	} else if team == 0 {
		team = 32
	}
	var flags []int
	if s.Flag >= 0 {
		flags = []int{s.Flag}
	}
	for len(shards) > 0 {
		take := min(len(shards), p.d.info.MaxBlocks-blockA-len(p.arenas))
		if take < 1 {
			return p.d.fail(TooLarge, "%s: no storage block is left for synapses, of %d; buffers of %d MiB are too small for this network", s.Name, p.d.info.MaxBlocks, p.d.blockWords()>>18)
		}
		some := shards[:take]
		shards = shards[take:]
		params := p.l.walkParams(seg.stage, delays, some, len(sets), n, chunk)
		var k *kernel
		if seg.form == backend.FormEffect {
			k = p.l.effectKernel(seg.stage, params, take, group, team, at[seg.stage])
		} else {
			k = p.l.deliverKernel(seg.stage, params, take, group, team, spec.Width)
		}
		var more []*memoryBuffer
		for _, h := range some {
			more = append(more, h.mem)
		}
		groups, err := p.walkGroups(s, group, team, len(delays)*len(sets)*n, take)
		if err != nil {
			return err
		}
		if err := p.use(k, s.Name, groups, barrier, flags, more); err != nil {
			return err
		}
		barrier = seg.form == backend.FormEffect
	}
	return nil
}

// wide is the largest number of work groups in a row of a dispatch.
const wide = 32768

// walkGroups is the number of work groups of a walk whose sources have so many
// items each: enough to fill a wide device, few where threads are few.
func (p *program) walkGroups(s *backend.Stage, group, team, items, shards int) (int, error) {
	if !p.d.info.Software {
		return 1 << 17 / group, nil
	}
	// llvmpipe leaves all loops of a lane, in silence, once they have made 65,535
	// rounds together. So many groups are taken that they do not where everything
	// fires in every step of a pass; half is left for rows that are longer than others.
	const rounds = 1 << 15
	t := &p.plan.Tables[s.Table]
	st, err := connect.Measure(t.Spec, p.work)
	if err != nil {
		return 0, err
	}
	sources := 0
	for _, x := range t.Sources {
		sources += x.Hi - x.Lo
	}
	all := float64(p.l.sc.span) * (float64(sources)*float64(items)*float64(2+shards) + float64(st.Total)/float64(team))
	return min(max(1, 256/group, int(all/float64(rounds*(group/team)))+1), wide), nil
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
			p.arenas[r.arena].write(r.off, b.Init)
		}
	}
	for _, x := range p.l.inits {
		p.arenas[x.at.arena].write(x.at.off, x.words)
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
