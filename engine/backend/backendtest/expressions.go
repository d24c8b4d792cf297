package backendtest

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/ir/irtest"
	"synfire/kernels/ref"
)

// testExpressions runs random programs of the builder, in which every function
// of the language may stand.
func testExpressions(t *testing.T, open Open) {
	check(t, func(rt *rapid.T) {
		o := irtest.Options{Scatter: rapid.Bool().Draw(rt, "scatter")}
		lanes := rapid.SampledFrom([]int{1, 31, 33, 64, 200}).Draw(rt, "lanes")
		if o.Scatter { // programs then put into words that lanes 64 apart share
			lanes = min(lanes, irtest.TableWords)
		}
		prog := irtest.RandomProg(rt, o)
		env := irtest.RandomEnv(rt, prog, lanes)
		p := progPlan(prog, env, lanes)
		host := func(s int) []uint32 { return env.Host[s*irtest.HostWords : (s+1)*irtest.HostWords] }
		b, r := open(t), ref.New()
		defer b.Close()
		if o.Scatter {
			for _, lack := range b.Caps().Lacks {
				if len(lack) > 7 && lack[:7] == "scatter" {
					rt.Skip(lack)
				}
			}
		}
		mine, his := load(t, b, p), load(t, r, p)
		got, want := run(t, mine, p, 0, 4, 2, host), run(t, his, p, 0, 4, 2, host)
		must(t, mine.Close())
		must(t, his.Close())
		if d := differ(p, want, got); d != "" {
			rt.Fatalf("%s: %s\n%v", b.Name(), d, prog)
		}
	})
}

// progPlan is a plan with one stage: the program on the memory of env.
func progPlan(prog *ir.Prog, env *ir.Env, lanes int) *net {
	p := newNet(uint64(env.Seed[1])<<32|uint64(env.Seed[0]), 4)
	p.Host = irtest.HostWords
	p.Bufs[p.Step].Init, p.Drawn = []uint32{env.Step}, int64(env.Drawn)
	written := make([]bool, len(prog.Slots))
	for _, in := range prog.Ins {
		switch in.Op {
		case ir.Store, ir.Put, ir.Scatter, ir.Scatter2:
			written[in.Imm] = true
		}
	}
	var bind []backend.Binding
	for i, s := range prog.Slots {
		if s.Kind == ir.Mask {
			masks := p.buf(s.Name, backend.State, ir.U32, (lanes+31)/32)
			bind = append(bind, bits(len(p.Events)))
			p.Events = append(p.Events, backend.Event{Name: s.Name, N: lanes, History: 1, Masks: masks})
			continue
		}
		kind := backend.Constant
		if written[i] {
			kind = backend.State
		}
		b := p.buf(fmt.Sprint(s.Name, " ", i), kind, s.Type, len(env.Slots[i]))
		p.Bufs[b].Init = env.Slots[i]
		bind = append(bind, at(b, 0))
	}
	st := p.eval(prog, lanes, bind...)
	for code := range prog.Traps {
		st.Trap = append(st.Trap, backend.Trap{Var: code, Object: "P", Name: fmt.Sprint("v", code), Why: "trapped"})
	}
	return p
}

// testFunctions runs each function of the language on some thousand arguments.
func testFunctions(t *testing.T, open Open) {
	const n = 2048
	p := newNet(3, 1)
	x, y := p.buf("x", backend.Constant, ir.F32, n), p.buf("y", backend.Constant, ir.F32, n)
	for _, b := range []backend.BufID{x, y} {
		for range n {
			p.Bufs[b].Init = append(p.Bufs[b].Init, math.Float32bits(irtest.StoredFloat(p.rng.Uint32(), p.rng.Uint32())))
		}
	}
	for k, f := range irtest.Functions() {
		name := fmt.Sprintf("function %d", k)
		b := ir.NewBuilder(name)
		sx, sy := b.Slot("x", ir.Array, ir.F32), b.Slot("y", ir.Array, ir.F32)
		out := b.Slot("out", ir.Array, ir.F32)
		b.Store(out, f(b, b.Load(sx), b.Load(sy)))
		prog, err := b.Prog()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p.eval(prog, n, at(x, 0), at(y, 0), at(p.buf(name, backend.State, ir.F32, n), 0))
	}
	same(t, open, p, 1, nil)
}
