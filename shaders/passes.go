//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
	"synfire/engine/connect"
)

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
	pass, err := p.use(k, k.groups, true, nil, buffersOf(k.shards))
	if err != nil {
		return err
	}
	p.passes = []dispatch{pass}
	first := &kernel{l: p.l, group: k.group}
	sc := p.l.sc
	if err := p.addWalks(first, sc.segments[:len(sc.segments)-1], false); err != nil {
		return err
	}
	p.primed = len(first.walks) == 0
	if !p.primed {
		first.finish()
		if pass, err = p.use(first, first.groups, true, nil, buffersOf(first.shards)); err != nil {
			return err
		}
		p.prime = []dispatch{pass}
	}
	p.ahead = make([]uint32, 2*sc.slots())
	return nil
}

// add adds a kernel to the pass.
func (p *program) add(k *kernel, groups int, barrier bool, flags []int, more []*memoryBuffer) error {
	x, err := p.use(k, groups, barrier, flags, more)
	if err == nil {
		p.passes = append(p.passes, x)
	}
	return err
}

// use makes a dispatch of a kernel; the driver may compile it from here on, beside others.
func (p *program) use(k *kernel, groups int, barrier bool, flags []int, more []*memoryBuffer) (dispatch, error) {
	if err := p.work.Err(); err != nil {
		return dispatch{}, err
	}
	var names []string
	for _, i := range k.stages {
		names = append(names, p.plan.Stages[i].Name)
	}
	name := strings.Join(names, " + ")
	if n := blockA + len(k.arenas) + len(more); n > p.d.info.MaxBlocks {
		return dispatch{}, p.d.fail(TooLarge, "%s needs %d storage blocks, the device has %d for a shader; its blocks of %d MiB are too small for this network: make it smaller or use --backend cpu", name, n, p.d.info.MaxBlocks, p.d.blockWords()>>18)
	}
	text := k.String()
	if p.alike {
		text = seated(text, len(k.arenas))
	}
	prog, ok := p.programs[text]
	if !ok {
		prog = p.d.share(name, text, k.origin)
		p.programs[text] = prog
	}
	x := dispatch{program: prog, text: text, groups: groups, barrier: barrier, flags: flags, name: name, stages: slices.Clone(k.stages), buffers: []*memoryBuffer{nil, p.control}}
	x.table, x.bodies = uint32(k.table), uint32(k.bodies)
	for _, a := range k.arenas {
		x.buffers = append(x.buffers, p.arenas[a])
	}
	x.buffers = append(x.buffers, more...)
	return x, nil
}

// bindAll enters P, which is allocated when all parameters are known, and waits until all programs are compiled.
func (p *program) bindAll() error {
	for _, list := range [][]dispatch{p.passes, p.prime} {
		for i := range list {
			x := &list[i]
			x.buffers[blockP] = p.params
			if err := p.work.Err(); err != nil {
				return err
			}
			if err := p.d.made(x.text); err != nil {
				return err
			}
			at := func(name string) int32 { return gl.GetUniformLocation(x.program, gl.Str(name+"\x00")) }
			x.s, x.k, x.q, x.n, x.seats = at("S"), at("K"), at("Q"), at("N"), at("Z")
		}
	}
	if m := p.many; m != nil {
		m.buffers[blockP] = p.params
		if err := p.d.made(m.text); err != nil { // one of the others does what it would
			p.note("the kernel that makes many passes does not compile, so that each pass is a dispatch, of the same bits: %v", err)
			p.many = nil
		} else {
			m.locate()
		}
	}
	return nil
}

// warm dispatches each kernel for nothing, before there is a step to make: many drivers compile what is left of it there,
// which would hear of no interruption within a Run, and count as the time of its first steps.
func (p *program) warm() error {
	passes := p.passes
	if p.looping() { // they are made only where a rendezvous failed
		passes = nil
	}
	for _, list := range [][]dispatch{p.prime, passes} {
		for i := range list {
			if err := p.warmOne(&list[i]); err != nil {
				return err
			}
		}
	}
	if p.looping() {
		return p.warmOne(&p.many.dispatch)
	}
	return nil
}

// warmOne dispatches a kernel whose control block is of zeroes, as it is made: a fault before any step, or no step to make.
func (p *program) warmOne(x *dispatch) error {
	text := p.d.programs[x.text]
	if text.warm || x.groups == 0 {
		return nil
	}
	if err := p.work.Err(); err != nil {
		return err
	}
	text.warm, p.d.fresh = true, true // it may be compiled here, for which wait has patience
	p.bindDispatch(x)
	if x.s >= 0 {
		gl.Uniform1ui(x.s, 1)
	}
	gl.DispatchCompute(1, 1, 1)
	gl.MemoryBarrier(gl.BUFFER_UPDATE_BARRIER_BIT)
	warmed.Add(1)
	return p.d.wait()
}

// warmed counts them.
var warmed atomic.Int64

func (p *program) addMap(seg *segment, barrier bool) error {
	for _, k := range p.l.mapKernels(nil, seg, p.d.opt.WorkGroup, p.d.info.MaxBlocks) {
		var flags []int
		for _, i := range k.stages {
			if f := p.plan.Stages[i].Flag; f >= 0 && !k.always {
				flags = append(flags, f)
			}
		}
		if err := p.add(k, k.groups, barrier, flags, nil); err != nil {
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
				if err := p.add(k, k.groups, waits[n], nil, buffersOf(k.shards)); err != nil {
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
			if err := p.add(w.k, w.groups, barrier, flags, buffersOf(w.shards)); err != nil {
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
		if err := p.add(w.k, 1, true, flags, buffersOf(r.shards)); err != nil {
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
	if n := w.k.walkParts; n > 0 {
		return max(1, int(share*float64(n))), nil
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
