package kernels

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// mapped is the stages of a Map item as programs: one for each set of stages
// that run in a step, compiled when it first occurs.
type mapped struct {
	p      *program
	item   *item
	always *variant // where no stage has a flag
	flags  []int    // host words that decide, each once
	byFlag map[string]*variant
	key    []byte
	steps  []*variant // of each step of this Run, where there are flags
	width  int        // slots of all its stages, to reckon with caches
}

// variant is a set of stages, fused into one program; into several, should they
// not fit together.
type variant struct{ units []*unit }

// unit is a compiled program and the stages that went into it.
type unit struct {
	code   *vm.Code
	stages []int
	prog   *ir.Prog
	binds  []backend.Binding
	traps  []backend.Trap
	envs   []*ir.Env // by part
	calls  []*vm.Call
	lanes  []int // by part
	lane0  []int
	serial bool        // run by ir.Eval, lane after lane
	accs   [][]accSlot // by part: slots that differ from step to step
}

// accSlot is a slot of an accumulator: the part of the first of its ring, and the
// distance to the next.
type accSlot struct {
	slot   int
	words  []uint32
	stride int
}

func newMapped(p *program, it *item) (*mapped, error) {
	m := &mapped{p: p, item: it, byFlag: map[string]*variant{}}
	seen := map[int]bool{}
	for _, i := range it.stages {
		m.width += len(p.plan.Stages[i].Bind)
		if f := p.plan.Stages[i].Flag; f >= 0 && !seen[f] {
			seen[f] = true
			m.flags = append(m.flags, f)
		}
	}
	var err error
	if len(m.flags) == 0 {
		m.always, err = m.compile(it.stages)
	} else { // the commonest: none of the flagged ones
		_, err = m.prepare(make([]uint32, p.plan.Host))
	}
	return m, err
}

// prepare makes sure that the programs of a step with these host words exist.
// Only the goroutine that calls Run may call it.
func (m *mapped) prepare(host []uint32) (*variant, error) {
	if m.always != nil {
		return m.always, nil
	}
	key := m.key[:0]
	for _, f := range m.flags {
		key = append(key, byte(min(host[f], 1)))
	}
	m.key = key
	if v := m.byFlag[string(key)]; v != nil {
		return v, nil
	}
	var stages []int
	for _, i := range m.item.stages {
		if f := m.p.plan.Stages[i].Flag; f < 0 || host[f] != 0 {
			stages = append(stages, i)
		}
	}
	v, err := m.compile(stages)
	if err == nil {
		m.byFlag[string(key)] = v
	}
	return v, err
}

func (m *mapped) compile(stages []int) (*variant, error) {
	v := &variant{}
	if len(stages) == 0 {
		return v, nil
	}
	u, err := m.fuse(stages)
	if err == nil {
		v.units = []*unit{u}
		return v, nil
	}
	for _, i := range stages {
		u, err := m.fuse([]int{i})
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", m.p.plan.Stages[i].Name, err)
		}
		v.units = append(v.units, u)
	}
	return v, nil
}

// fuse makes one program of stages over the same lanes.
func (m *mapped) fuse(stages []int) (*unit, error) {
	u := &unit{stages: stages}
	type slot struct {
		kind       ir.Kind
		buf        backend.BufID
		off, event int
	}
	number := map[slot]uint32{}
	var parts []ir.Part
	name := ""
	for _, i := range stages {
		st := &m.p.plan.Stages[i]
		part := ir.Part{Prog: st.Prog}
		for k, b := range st.Bind {
			s := slot{kind: st.Prog.Slots[k].Kind, buf: b.Buf, off: b.Off}
			if s.kind == ir.Mask {
				s = slot{kind: ir.Mask, event: b.Event}
			}
			n, have := number[s]
			if !have {
				n = uint32(len(number))
				number[s] = n
				u.binds = append(u.binds, b)
			}
			part.Slots = append(part.Slots, n)
		}
		parts = append(parts, part)
		u.traps = append(u.traps, st.Trap...)
		if name != "" {
			name += ", "
		}
		name += st.Name
	}
	var err error
	if u.prog, err = ir.Concat(name, parts...); err != nil {
		return nil, err
	}
	if len(stages) == 1 && m.p.overlaps(stages[0]) {
		u.serial = true
	} else if u.code, err = vm.Compile(u.prog); err != nil {
		return nil, err
	}
	for t := range m.p.lay.parts {
		u.bind(m.p, m.item, t)
	}
	return u, nil
}

// bind makes the environment in which a part is run.
func (u *unit) bind(p *program, it *item, t int) {
	lo, hi := p.lay.part(it.at, it.n, t)
	e := &ir.Env{Lane0: uint32(lo), Seed: p.plan.Key(), Drawn: uint32(p.plan.Drawn), HostN: p.plan.Host, Traps: make([]uint32, len(u.traps))}
	for i := range e.Traps {
		e.Traps[i] = ir.NoTrap
	}
	var accs []accSlot
	for i, b := range u.binds {
		kind := u.prog.Slots[i].Kind
		var words []uint32
		switch {
		case kind == ir.Mask:
			words = p.parts[t].masks[b.Event]
		case kind == ir.Array && p.lay.accs[b.Buf] != nil && p.parts[t].accs[b.Buf] == nil: // of another process
		case kind == ir.Array && p.lay.accs[b.Buf] != nil:
			a := p.lay.accs[b.Buf]
			words = p.parts[t].accs[b.Buf][a.position(t, b.Off+lo):]
			accs = append(accs, accSlot{i, words, a.stride(t)})
		case kind == ir.Array:
			words = p.bufs[b.Buf][b.Off+lo:]
		default:
			words = p.bufs[b.Buf][b.Off:]
		}
		e.Slots = append(e.Slots, words)
	}
	u.envs, u.accs = append(u.envs, e), append(u.accs, accs)
	if u.code != nil {
		u.calls = append(u.calls, u.code.Call())
	}
	u.lanes = append(u.lanes, hi-lo)
	u.lane0 = append(u.lane0, lo)
}

// overlaps says that a stage sees one buffer under two slots and writes it.
func (p *program) overlaps(i int) bool {
	st := &p.plan.Stages[i]
	for j, a := range st.Bind {
		for k, b := range st.Bind {
			if j == k || a.Buf != b.Buf || st.Prog.Slots[j].Kind == ir.Mask || st.Prog.Slots[k].Kind == ir.Mask {
				continue
			}
			if a.Off == b.Off && st.Prog.Slots[j].Kind == st.Prog.Slots[k].Kind {
				continue
			}
			for _, in := range st.Prog.Ins {
				switch in.Op {
				case ir.Store, ir.Put, ir.Scatter, ir.Scatter2:
					if int(in.Imm) == j || int(in.Imm) == k {
						return true
					}
				}
			}
		}
	}
	return false
}

// chunk is the number of lanes between which Go may interrupt.
const chunk = 4096

// run runs lanes lo to hi-1 of a part at a step.
func (u *unit) run(t *thread, part int, step int64, host []uint32, lo, hi int) {
	e := u.envs[part]
	e.Step, e.Host = uint32(step), host
	if t.p.sched.rows > 1 {
		for _, a := range u.accs[part] {
			e.Slots[a.slot] = a.words[t.row*a.stride:]
		}
	}
	for lo < hi {
		next := min(lo+chunk, hi)
		if u.serial {
			ir.Eval(u.prog, e, lo, next)
		} else {
			u.calls[part].Run(e, lo, next)
		}
		lo = next
	}
	for code, item := range e.Traps {
		if item != ir.NoTrap {
			e.Traps[code] = ir.NoTrap
			t.trapped(&backend.Fault{Step: step, Trap: u.traps[code], Item: int(item)})
		}
	}
}
