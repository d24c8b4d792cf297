//go:build egl && cgo && linux

package shaders

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// manyPasses is the dispatch of a program that makes many passes (loop.go).
type manyPasses struct {
	dispatch
	passes, fail int32 // locations of the uniforms PASSES and FAIL
	most         int   // passes of one dispatch
	asked        int   // rendezvous of all dispatches so far
	failAt       int   // the one that is to fail, -1: none
}

// dispatches counts them, and those that make many passes; broken the rendezvous that failed.
var dispatches, dispatchesOfMany, broken atomic.Int64

// Many passes are one dispatch where that is likely to be faster: a rendezvous saves some three of the four microseconds that a
// dispatch takes which waits for another, of a pass that has work for no more than worth microseconds; and one
// group for each multiprocessor hides less of what memory takes than as many as fit, where each has more than so many parts. Estimates, as in Cost.
const (
	worth     = 20
	mostParts = 4
)

// failing is the rendezvous that is to fail on purpose: "fail" is the first of a program, "fail7" the one before pass 7.
func failing(persistent string) int {
	if at, ok := strings.CutPrefix(persistent, "fail"); ok {
		n, _ := strconv.Atoi(at)
		return n
	}
	return -1
}

// loops is how many work groups this program's passes may have in one dispatch; 0: each pass is one.
func (p *program) loops() (int, error) {
	d := p.d
	switch {
	case p.persistent == "0", d.apart, p.alike: // trials fill the device together, pass by pass
		return 0, nil
	case p.persistent == "":
		w := p.plan.Work()
		if d.info.Software || d.chainBad || float64(p.l.sc.span)*(1e-7*w.Operations+w.Events/3e4) > worth || p.l.sc.parts(d.loopLanes()) > mostParts*d.info.Meet {
			return 0, nil
		}
		return d.info.Meet, nil
	case d.opt.Resident > 0:
		return d.opt.Resident, nil
	case d.info.Meet == 0:
		if err := d.meeting(); err != nil {
			return 0, err
		}
		if d.info.Meet == 0 {
			p.note("work groups of this device do not come together, so that each pass is a dispatch, of the same bits")
		}
	}
	return d.info.Meet, nil
}

// note tells something of how this program runs, once.
func (p *program) note(format string, args ...any) {
	if text := p.d.info.Name + ": " + fmt.Sprintf(format, args...); !slices.Contains(p.warnings, text) {
		p.warnings = append(p.warnings, text)
	}
}

// loopLanes is the number of lanes of work groups that make many passes: few groups, one for each multiprocessor, so large ones.
func (d *device) loopLanes() int {
	if d.info.Software {
		return d.opt.WorkGroup
	}
	return min(d.info.MaxLocal, max(512, d.opt.WorkGroup))
}

// probePolls is polls while it is looked for how many groups come together: on a GPU some 30 ms, since too many are tried first.
func (d *device) probePolls() int {
	if d.info.Software {
		return polls(true)
	}
	return 1 << 16
}

// parts is how many work groups of so many lanes the bodies of a pass that is one dispatch have.
func (sc *schedule) parts(group int) (n int) {
	for _, b := range sc.segments[len(sc.segments)-1].bodies {
		n += (b.n + group - 1) / group
	}
	return n
}

// addLoop adds the dispatch that makes many passes, where passes are one dispatch and the device carries it.
func (p *program) addLoop() error {
	groups, err := p.loops()
	if groups == 0 || err != nil {
		return err
	}
	sc := p.l.sc
	last := sc.segments[len(sc.segments)-1]
	k := &kernel{l: p.l, group: p.d.loopLanes(), single: true, loop: true, polls: polls(p.d.info.Software), fails: failing(p.persistent) >= 0}
	parts := sc.parts(k.group)
	groups = min(groups, mostMeet, max(1, 2*parts))
	// The walks take as many parts as fill the last round of the groups, a quarter of a round at least.
	if k.walkParts = (groups - parts%groups) % groups; 4*k.walkParts < groups {
		k.walkParts += groups
	}
	if err := p.addWalks(k, sc.segments[:len(sc.segments)-1], true); err != nil {
		return err
	}
	all := p.l.mapKernels(k, last, k.group, p.d.info.MaxBlocks)
	most := mostPasses
	if len(all) == 1 && p.d.info.Software {
		rounds, err := p.roundsOf(k, last, groups)
		if err != nil {
			return err
		}
		most = (1 << 15) / rounds
	}
	if len(all) != 1 || !p.fits(k) || most == 0 {
		if p.persistent != "" {
			p.note("the passes of this network do not fit one dispatch")
		}
		return nil
	}
	x, err := p.use(k, min(groups, k.groups), true, nil, buffersOf(k.shards))
	if err != nil {
		return err
	}
	p.many = &manyPasses{dispatch: x, most: most, failAt: failing(p.persistent)}
	return nil
}

// locate finds the uniforms of the compiled program.
func (m *manyPasses) locate() {
	at := func(name string) int32 { return gl.GetUniformLocation(m.program, gl.Str(name+"\x00")) }
	m.q, m.n, m.passes, m.fail = at("Q"), at("N"), at("PASSES"), at("FAIL")
}

// roundsOf is how many rounds the loops of a lane make in a pass in which everything fires: llvmpipe ends them in silence
// after 65,535 in a dispatch (see walkGroups).
func (p *program) roundsOf(k *kernel, seg *segment, groups int) (int, error) {
	span, rounds := p.l.sc.span, 0
	for _, w := range k.walks {
		t := &p.plan.Tables[p.plan.Stages[w.stage].Table]
		sources := 0
		for _, x := range t.Sources {
			sources += x.Hi - x.Lo
		}
		st, err := connect.Measure(t.Spec, p.work)
		if err != nil {
			return 0, err
		}
		items := sources * len(w.rows.delays) * w.rows.cuts()
		pairs := span * len(t.Sources) * len(w.rows.delays)
		rounds += (span*items*(12+len(w.shards)+len(t.Sources)/32)+span*int(st.Total)/w.team)/((w.group/w.team)*min(groups, w.groups)) + 1
		rounds += (w.groups + groups - 1) / groups * (pairs/scanPairs + 1) * (2*scanPairs/w.group + 32)
		if w.near() {
			rounds += (k.groups + groups - 1) / groups * k.near * (k.group*(1+len(w.shards)) + w.rows.near)
		}
		if x := &p.l.tables[p.plan.Stages[w.stage].Table]; x.bits > 0 {
			rounds += (k.groups + groups - 1) / groups * span * 2 * x.tiles * (1 + x.pieces)
		}
	}
	draws := 0
	for _, i := range seg.all() {
		if prog := p.plan.Stages[i].Prog; prog != nil {
			for _, in := range prog.Ins {
				if in.Op == ir.Rand {
					draws++
				}
			}
		}
	}
	return rounds + (k.groups+groups-1)/groups*(16+len(k.parts)/3+span*(4+10*draws)), nil
}

// looping says that passes are made many to a dispatch.
func (p *program) looping() bool { return p.many != nil && !p.d.apart }

// makePasses makes n passes by as few dispatches as can.
func (p *program) makePasses(n int) {
	m := p.many
	p.bindDispatch(&m.dispatch)
	for n > 0 {
		k := min(n, m.most)
		gl.Uniform1ui(m.passes, uint32(k))
		fail := unlisted
		if at := m.failAt - m.asked; m.failAt >= 0 && at >= 0 && at < k {
			fail = uint32(at)
		}
		gl.Uniform1ui(m.fail, fail)
		repeatDispatch(uint32(m.groups), 1, 1, 1)
		dispatches.Add(1)
		dispatchesOfMany.Add(1)
		m.asked += k
		n -= k
	}
}

// reached is the step of the run up to which a submission that was to end with step at has come, and whether the device has ended
// the run there. Where a rendezvous failed, that is the last step that all work groups have made; the device dispatches each pass by itself from then on.
func (p *program) reached(at, n int) (step int, over bool, err error) {
	if at == n && !p.looping() {
		return at, true, nil
	}
	head := make([]uint32, ctlCounts)
	p.control.read(0, head)
	if p.looping() && head[ctlBroken] != 0 {
		at = min(at, int(head[ctlStep]))
		p.d.apart = true
		broken.Add(1)
		p.note("at step %d its work groups did not come together in time; from there on each pass is a dispatch, of the same bits", p.now()+int64(at))
	}
	return at, min(head[ctlFault], head[ctlHalt]) != unlisted, p.d.check("looking for what was done")
}

// meeting finds how many work groups come together on this device, beginning with one for each multiprocessor, and whether
// each sees what the others wrote before; none may, then Meet is 0. It runs on the thread of the context.
func (d *device) meeting() error {
	d.info.Meet = 0
	lanes, fails := d.loopLanes(), d.opt.Inject == "meet"
	text := probe(lanes, d.info.MaxShared, d.probePolls(), fails)
	prog, err := d.compile("self-test rendezvous", text, func(int) string { return "" })
	if dev := (*DeviceError)(nil); errors.As(err, &dev) && dev.Kind == BadShader {
		return nil // it can do without
	}
	if err != nil {
		return err
	}
	defer gl.DeleteProgram(prog)
	groups, steps := 128, uint32(64)
	if d.sms > 0 {
		groups = min(d.sms, mostMeet)
	}
	if d.info.Software {
		groups, steps = min(runtime.NumCPU(), 32), 8
	}
	for ; groups > 0; groups -= (groups + 3) / 4 {
		met, err := d.exchange(prog, groups, groups*lanes, lanes, steps, fails)
		if err != nil {
			return err
		}
		if met {
			d.info.Meet = groups
			return nil
		}
	}
	return nil
}

// exchange has groups exchange n words for some steps: whether all came together and every word is what it should be.
func (d *device) exchange(prog uint32, groups, n, lanes int, steps uint32, fails bool) (bool, error) {
	rng := rand.New(rand.NewPCG(8, 9))
	words := make([]uint32, 3*n)
	for i := range words {
		words[i] = rng.Uint32()
	}
	var all []*memoryBuffer
	defer func() {
		for _, b := range all {
			d.used -= 4 * int64(b.words)
			b.free()
		}
	}()
	control := make([]uint32, ctlCounts)
	control[ctlFault], control[ctlHalt] = unlisted, unlisted
	for _, init := range [][]uint32{{0}, control, words} {
		b, err := d.alloc(len(init), init)
		if err != nil {
			return false, err
		}
		all = append(all, b)
	}
	gl.UseProgram(prog)
	d.bind(all)
	gl.Uniform1ui(gl.GetUniformLocation(prog, gl.Str("PASSES\x00")), steps)
	if fails {
		gl.Uniform1ui(gl.GetUniformLocation(prog, gl.Str("FAIL\x00")), 3)
	}
	gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT | gl.BUFFER_UPDATE_BARRIER_BIT)
	gl.DispatchCompute(uint32(groups), 1, 1)
	gl.MemoryBarrier(gl.BUFFER_UPDATE_BARRIER_BIT)
	if err := d.wait(); err != nil {
		return false, err
	}
	got := make([]uint32, len(words))
	all[1].read(0, control)
	all[2].read(0, got)
	for s := range steps {
		from := int(s&1) * n
		to := n - from
		for i := range n {
			words[to+i] = words[from+(5*i+3+lanes)%n]*5 + s
			words[2*n+(7*i+int(s))%n] += s + 1
		}
	}
	return control[ctlBroken] == 0 && slices.Equal(got, words), d.check("the self-test")
}

var _ backend.Warner = (*program)(nil)
