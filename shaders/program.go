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
	rows     map[listing]*rows
	prime    []dispatch        // where passes are one dispatch: delivers for the first steps of a Run that follows a Write
	primed   bool              // what is due in the next steps is in the accumulators
	ahead    []uint32          // counts of it, two words for each slot
	programs map[string]uint32 // by text
	held     []*rows
	warnings []string

	epoch   int64                      // steps done when word Step was last 0
	step    uint32                     // word Step
	due     uint64                     // words Due
	masks   map[int][]uint32           // by event: canonical masks that the device has yet to be given
	recs    map[backend.BufID][]uint32 // what spike records and counts received in the last Run
	fault   *backend.Fault
	failed  error // the device failed; nothing can be done any more
	closed  bool
	profile profile
	rate    float64 // steps per second, as measured
}

// dispatch is one kernel of a pass.
type dispatch struct {
	program uint32
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
		a, err := p.d.alloc(n, nil)
		if err != nil {
			return err
		}
		p.arenas = append(p.arenas, a)
	}
	if p.control, err = p.d.alloc(p.l.ctlN, nil); err != nil {
		return err
	}
	if whole != nil {
		err = p.addSingle(whole)
	} else {
		err = p.addSegments()
	}
	if err != nil {
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

// nearest is the longest row that a work group delivers after one step by itself.
const nearest = 2048

// single is the kernel of passes that are one dispatch; nil where the plan or the device does not allow it.
func (p *program) single() (*kernel, error) {
	sc := p.l.sc
	for _, seg := range sc.segments[:len(sc.segments)-1] {
		s := &p.plan.Stages[seg.stage]
		r := p.rows[p.listingOf(s)]
		if len(r.delays) == 0 || int(r.delays[0]) >= 2*sc.span {
			continue
		}
		// Spikes of this step have to be listed by one work group, or to be known ahead.
		for _, src := range p.plan.Tables[s.Table].Sources {
			if x := &p.l.events[src.Event]; !x.listed() && !x.known() {
				return nil, nil
			}
		}
		if r.near > nearest {
			return nil, nil
		}
	}
	k := &kernel{l: p.l, group: p.d.opt.WorkGroup, single: true}
	if err := p.addWalks(k, sc.segments[:len(sc.segments)-1], true); err != nil {
		return nil, err
	}
	all := p.l.mapKernels(k, sc.segments[len(sc.segments)-1], k.group, p.d.info.MaxBlocks)
	if len(all) != 1 || !p.fits(k) {
		return nil, nil
	}
	if p.d.info.Software { // see walkGroups
		rounds := 0
		for _, w := range k.walks {
			rounds = max(rounds, k.near*(k.group*(1+len(w.shards))+w.rows.near))
		}
		if rounds > 1<<15 {
			return nil, nil
		}
	}
	return k, nil
}

// fits says that the device has the storage blocks and the shared memory of a kernel with several walks.
func (p *program) fits(k *kernel) bool {
	shared := (k.draws + 2*k.near) * k.group
	for _, w := range k.walks {
		shared += 2*w.group + scanPairs
	}
	return blockA+len(k.arenas)+len(k.shards) <= p.d.info.MaxBlocks && len(k.walks) <= mostTexts && 4*(shared+64) <= max(p.d.info.MaxShared, 32<<10)
}

// addWalks adds the walks of deliver segments, with all their shards, to a kernel that has no parts yet.
func (p *program) addWalks(k *kernel, segs []*segment, ahead bool) error {
	var total float64
	for _, seg := range segs {
		total += float64(p.rows[p.listingOf(&p.plan.Stages[seg.stage])].synapses)
	}
	for _, seg := range segs {
		s := &p.plan.Stages[seg.stage]
		r := p.rows[p.listingOf(s)]
		if len(r.shards) == 0 {
			continue
		}
		w := k.newWalk(seg.stage, r, r.shards, k.group, p.d.teamFor(r))
		w.count, w.ahead = s.Count, ahead
		w.deliver()
		var err error
		if w.groups, err = p.walkGroups(w, float64(r.synapses)/max(total, 1)); err != nil {
			return err
		}
		k.stages = append(k.stages, seg.stage)
		k.part(w.groups, mostTexts+w.number, w.params(p.l))
	}
	return nil
}

// addSingle adds the one dispatch of a pass, and the one that delivers for the first steps of a Run.
func (p *program) addSingle(k *kernel) error {
	var names []string
	for _, i := range k.stages {
		names = append(names, p.plan.Stages[i].Name)
	}
	if err := p.use(k, strings.Join(names, " + "), k.groups, true, nil, buffersOf(k.shards)); err != nil {
		return err
	}
	pass := p.passes
	first := &kernel{l: p.l, group: k.group}
	sc := p.l.sc
	if err := p.addWalks(first, sc.segments[:len(sc.segments)-1], false); err != nil {
		return err
	}
	p.primed = len(first.walks) == 0
	if !p.primed {
		first.finish()
		if err := p.use(first, "first steps", first.groups, true, nil, buffersOf(first.shards)); err != nil {
			return err
		}
		p.prime = p.passes[len(pass):]
	}
	p.passes = pass
	p.ahead = make([]uint32, 2*sc.slots())
	return nil
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

// use compiles a kernel and adds it to the pass.
func (p *program) use(k *kernel, name string, groups int, barrier bool, flags []int, more []*memoryBuffer) error {
	if n := blockA + len(k.arenas) + len(more); n > p.d.info.MaxBlocks {
		return p.d.fail(TooLarge, "%s needs %d storage blocks, the device has %d for a shader; its blocks of %d MiB are too small for this network: make it smaller or use --backend cpu", name, n, p.d.info.MaxBlocks, p.d.blockWords()>>18)
	}
	prog, ok := p.programs[k.String()]
	if !ok {
		var err error
		if prog, err = p.d.share(name, k.String(), k.origin); err != nil {
			return err
		}
		p.programs[k.String()] = prog
	}
	x := dispatch{program: prog, groups: groups, barrier: barrier, flags: flags, name: name, stages: slices.Clone(k.stages), buffers: []*memoryBuffer{nil, p.control}}
	x.s, x.k = gl.GetUniformLocation(prog, gl.Str("S\x00")), gl.GetUniformLocation(prog, gl.Str("K\x00"))
	x.q, x.n = gl.GetUniformLocation(prog, gl.Str("Q\x00")), gl.GetUniformLocation(prog, gl.Str("N\x00"))
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
	for i := range p.prime {
		p.prime[i].buffers[blockP] = p.params
	}
}

func (p *program) addMap(seg *segment, barrier bool) error {
	for _, k := range p.l.mapKernels(nil, seg, p.d.opt.WorkGroup, p.d.info.MaxBlocks) {
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

// addSegments makes the kernels of all segments, in their order. Deliveries that do not wait for one
// another are one dispatch, if their rows fit.
func (p *program) addSegments() error {
	segs, waits := p.l.sc.segments, p.l.sc.waits()
	for n := 0; n < len(segs); n++ {
		seg := segs[n]
		if seg.form == backend.FormMap {
			if err := p.addMap(seg, waits[n]); err != nil {
				return err
			}
			continue
		}
		end := n + 1
		for end < len(segs) && !waits[end] && p.plain(segs[n]) && p.plain(segs[end]) {
			end++
		}
		if end > n+1 {
			k := &kernel{l: p.l, group: p.d.opt.WorkGroup}
			if err := p.addWalks(k, segs[n:end], false); err != nil {
				return err
			}
			if len(k.walks) > 1 && p.fits(k) {
				k.finish()
				var names []string
				for _, i := range k.stages {
					names = append(names, p.plan.Stages[i].Name)
				}
				if err := p.use(k, strings.Join(names, " + "), k.groups, waits[n], nil, buffersOf(k.shards)); err != nil {
					return err
				}
				n = end - 1
				continue
			}
		}
		if err := p.addWalk(seg, p.rows[p.listingOf(&p.plan.Stages[seg.stage])], waits[n]); err != nil {
			return err
		}
	}
	return nil
}

// plain says that a segment delivers at every step.
func (p *program) plain(seg *segment) bool {
	return seg.form == backend.FormDeliver && p.plan.Stages[seg.stage].Flag < 0
}

// addWalk adds the kernels of a deliver or effect stage: as many as its shards
// need when each binds as many as the device allows. Where that leaves no block
// for rows, because arrays of words by synapse lie in many pieces, each kernel
// takes the synapses of one piece.
func (p *program) addWalk(seg *segment, r *rows, barrier bool) error {
	s := &p.plan.Stages[seg.stage]
	if r.synapses == 0 {
		return nil
	}
	var flags []int
	if s.Flag >= 0 {
		flags = []int{s.Flag}
	}
	step, ordered := r.synapses, false
	walk := func(shards []*shard, lo, hi int) *walk {
		k := &kernel{l: p.l, group: min(p.d.opt.WorkGroup, 256)}
		if ordered {
			k.group = 1
		}
		w := k.newWalk(seg.stage, r, shards, k.group, min(p.d.teamFor(r), k.group))
		w.count = s.Count
		if seg.form == backend.FormEffect {
			w.effect(lo, hi, step >= r.synapses, ordered)
		} else {
			w.deliver()
		}
		return w
	}
	if seg.form == backend.FormEffect {
		_, ordered = p.plan.Sharing(s)
		if ordered {
			return p.addOrdered(r, walk(r.shards, 0, r.synapses), flags)
		}
		if p.blocksLeft(walk(r.shards[:1], 0, r.synapses).k) < 1 {
			step = p.l.arenas.most
		}
	}
	for lo := 0; lo < r.synapses; lo += step {
		hi := min(lo+step, r.synapses)
		shards := r.shards
		if step < r.synapses {
			shards = slices.DeleteFunc(slices.Clone(shards), func(h *shard) bool { return h.hi <= lo || h.lo >= hi })
		}
		most := p.blocksLeft(walk(r.shards[:1], lo, hi).k)
		if most < 1 {
			return p.d.fail(TooLarge, "%s: of the %d storage blocks of a shader none is left for synapses; blocks of %d MiB are too small for this network: make it smaller or use --backend cpu", s.Name, p.d.info.MaxBlocks, p.d.blockWords()>>18)
		}
		for len(shards) > 0 {
			take := min(len(shards), most)
			w := walk(shards[:take], lo, hi)
			if lo > 0 {
				w.count = 0 // each entry is counted once
			}
			var err error
			if w.groups, err = p.walkGroups(w, 1); err != nil {
				return err
			}
			w.k.part(w.groups, mostTexts, w.params(p.l))
			w.k.finish()
			w.k.stages = []int{w.stage}
			if err := p.use(w.k, s.Name, w.groups, barrier, flags, buffersOf(w.shards)); err != nil {
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
func (p *program) addOrdered(r *rows, w *walk, flags []int) error {
	s := &p.plan.Stages[w.stage]
	rounds := 0
	for _, src := range p.plan.Tables[s.Table].Sources {
		rounds += len(r.delays)*(1+(src.Hi+31)/32-src.Lo/32+(1+len(r.shards))*(src.Hi-src.Lo)) + r.synapses
	}
	w.k.table = w.params(p.l)
	w.k.prepend(w.k.head())
	for part := range rounds/mostRounds + 1 {
		w.k.bodies, w.k.stages = part, []int{w.stage}
		if err := p.use(w.k, s.Name, 1, true, flags, buffersOf(r.shards)); err != nil {
			return err
		}
	}
	p.warnings = append(p.warnings, fmt.Sprintf("%s: a synapse may read what another one writes in the same step, so the gl backend works them off one after the other on one lane of the device, which is slow; --backend cpu is faster here", s.Name))
	return nil
}

// wide is the largest number of work groups in a row of a dispatch.
const wide = 32768

// walkGroups is the number of work groups of a walk that has a share of what a
// kernel delivers: enough to fill the device, few where threads are few.
func (p *program) walkGroups(w *walk, share float64) (int, error) {
	t := &p.plan.Tables[p.plan.Stages[w.stage].Table]
	sources := 0
	for _, x := range t.Sources {
		sources += x.Hi - x.Lo
	}
	items := len(w.rows.delays) * w.rows.cuts()
	teams := w.group / w.team
	if n := p.d.opt.WalkGroups; n > 0 {
		return n, nil
	}
	if !p.d.info.Software {
		all := p.l.sc.span * sources * items // where everything fires
		return max(1, min(int(max(share, 0.1)*float64(512*p.d.multiprocessors()/w.group)), all/teams+1)), nil
	}
	// llvmpipe leaves all loops of a lane, in silence, once they have made 65,535
	// rounds together. So many groups are taken that they do not where everything
	// fires in every step of a pass; half is left for rows that are longer than others.
	const rounds = 1 << 15
	st, err := connect.Measure(t.Spec, p.work)
	if err != nil {
		return 0, err
	}
	all := float64(p.l.sc.span) * (float64(sources)*float64(items)*(float64(2+len(w.shards))+float64(len(t.Sources))/32) + float64(st.Total)/float64(w.team))
	return min(max(1, 256/w.group, int(all/float64(rounds*teams))+1), wide), nil
}

// multiprocessors is how many a GPU has, a large one where the driver does not tell.
func (d *device) multiprocessors() int {
	if d.sms > 0 {
		return d.sms
	}
	return 132
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
			if b != nil {
				p.d.used -= 4 * int64(b.words)
				b.free()
			}
		}
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
	p.closed = true
	return p.d.do(func() error { p.free(); return nil })
}
