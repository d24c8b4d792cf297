package backendtest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// testAnyEffect has effects of haphazard programs, whose synapses have to run in
// their order as often as not.
func testAnyEffect(t *testing.T, open Open) {
	any, ordered, most := 0, 0, 15
	if testing.Short() {
		most = 6
	}
	for seed := uint64(0); any < most || ordered < most; seed++ {
		p := &net{Plan: *Haphazard(rand.New(rand.NewPCG(seed, 1)))}
		if p.Check() != nil { // as ir.Verify has it
			continue
		}
		n := &any
		for k := range p.Stages[1:] {
			if _, inOrder := p.Sharing(&p.Stages[1+k]); inOrder {
				n = &ordered
			}
		}
		if *n++; *n <= most {
			same(t, open, p, p.Batch, nil)
		}
	}
}

// Haphazard is a plan whose effect does whatever a Plan allows to some buffers:
// lanes may see what others write, one buffer may lie under several slots.
func Haphazard(rng *rand.Rand) *backend.Plan {
	n := 1 + rng.IntN(150)
	p := &backend.Plan{Seed: rng.Uint64(), Batch: 40, Dt: 1e-4, Due: 1, Bufs: []backend.Buf{
		{Name: "step", Kind: backend.State, Type: ir.U32, Len: 1},
		{Name: "due", Kind: backend.State, Type: ir.U32, Len: 2},
		{Name: "masks", Kind: backend.State, Type: ir.U32, Len: 4 * ((n + 31) / 32)},
	}}
	for k := range 3 {
		b := backend.Buf{Name: fmt.Sprintf("state %d", k), Kind: backend.State, Type: ir.U32, Len: 2*n + 10}
		for range b.Len {
			b.Init = append(b.Init, rng.Uint32())
		}
		p.Bufs = append(p.Bufs, b)
	}
	p.Events = []backend.Event{{Name: "spike", N: n, History: 4, Masks: 2}}
	coin := ir.NewBuilder("coin")
	coin.StoreBit(coin.Slot("spike", ir.Mask, ir.Bool), coin.LtU(coin.Rand(coin.Lane(), 1, 0), coin.U(1<<30)))
	fire, err := coin.Prog()
	if err != nil {
		panic(err)
	}
	p.Stages = []backend.Stage{{Form: backend.FormMap, Name: "fire", Flag: -1, N: n, Prog: fire, Bind: []backend.Binding{{Buf: backend.NoBuf}}}}

	// Sources and targets occur once each, so that no two lanes put into one word
	// through one slot.
	proj := &connect.Proj{Name: "C", Rule: connect.Given, NPre: n, NPost: n, Unit: 1}
	for _, i := range rng.Perm(n) {
		proj.I = append(proj.I, uint32(i))
	}
	for _, j := range rng.Perm(n) {
		proj.J = append(proj.J, uint32(j))
	}
	lo := rng.IntN(3)
	for range n {
		proj.Delay.Array = append(proj.Delay.Array, float32(lo+rng.IntN(4-lo)))
	}
	proj.Delay.Lo, proj.Delay.Hi = float64(lo), 3
	sources := []backend.Source{{Lo: 0, Hi: n}}
	if rng.IntN(4) == 0 { // twice
		sources = append(sources, backend.Source{Lo: 0, Hi: (n + 1) / 2, Row0: n / 2})
	}
	p.Tables = []backend.Table{{Spec: &connect.Spec{Name: "C", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32},
		Sources: sources, First: int64(rng.IntN(9)), Last: int64(30 + rng.IntN(9)), MinDelay: lo, MaxDelay: 3}}
	for range 1 + rng.IntN(2) {
		p.Stages = append(p.Stages, anyEffect(rng))
	}
	return p
}

// anyEffect is a FormEffect stage with a program of some instructions on
// buffers 3 to 5.
func anyEffect(rng *rand.Rand) backend.Stage {
	prog := &ir.Prog{Name: "anything", Traps: 2}
	st := backend.Stage{Form: backend.FormEffect, Name: "anything", Flag: -1, Prog: prog, Post: rng.IntN(2) == 0, Count: rng.IntN(3), Trap: make([]backend.Trap, 2)}
	slot := func(k ir.Kind, b backend.BufID, off int) uint32 {
		for s, bind := range st.Bind { // as a rule a word is seen through one slot
			if bind.Buf == b && bind.Off == off && prog.Slots[s].Kind == k && rng.IntN(12) > 0 {
				return uint32(s)
			}
		}
		prog.Slots = append(prog.Slots, ir.Slot{Name: fmt.Sprint(len(st.Bind)), Kind: k, Type: ir.U32})
		st.Bind = append(st.Bind, backend.Binding{Buf: b, Off: off})
		return uint32(len(st.Bind) - 1)
	}
	push := func(op ir.Op, imm uint32, args ...ir.Value) ir.Value {
		in := ir.Instr{Op: op, Type: ir.U32, A: ir.None, B: ir.None, C: ir.None, Imm: imm}
		for k, v := range args {
			*[]*ir.Value{&in.A, &in.B, &in.C}[k] = v
		}
		if op == ir.LtU {
			in.Type = ir.Bool
		}
		prog.Ins = append(prog.Ins, in)
		return ir.Value(len(prog.Ins) - 1)
	}
	lane := push(ir.Lane, 0)
	ends := []ir.Value{lane, push(ir.Load, slot(ir.Array, backend.NoBuf, backend.SlotSource)), push(ir.Load, slot(ir.Array, backend.NoBuf, backend.SlotTarget))}
	at := ends[rng.IntN(3)]
	values := append([]ir.Value{push(ir.Rand, 7, lane)}, ends...)
	value := func() ir.Value { return values[rng.IntN(len(values))] }
	for range 1 + rng.IntN(6) {
		b, off := backend.BufID(3+rng.IntN(3)), rng.IntN(16)/15
		if rng.IntN(6) == 0 {
			at = ends[rng.IntN(3)]
		}
		here := at
		if rng.IntN(8) == 0 {
			here = push(ir.AddI, 0, at, push(ir.Const, uint32(rng.IntN(3))))
		}
		switch rng.IntN(9) {
		case 0, 1:
			values = append(values, push(ir.Load, slot(ir.Array, b, off)))
		case 2:
			values = append(values, push(ir.Gather, slot(ir.Table, b, off), here))
		case 3:
			push(ir.Store, slot(ir.Array, b, off), value())
		case 4:
			push(ir.Put, slot(ir.Table, b, off), here, value())
		case 5:
			push(ir.Scatter, slot(ir.Accum, b, off), here, value())
		case 6:
			push(ir.Scatter2, slot(ir.Accum, b, off), here, value(), value())
		case 7:
			values = append(values, push([]ir.Op{ir.AddI, ir.Xor, ir.MulI}[rng.IntN(3)], 0, value(), value()))
		case 8:
			if rng.IntN(3) == 0 {
				push(ir.Trap, uint32(rng.IntN(2)), push(ir.LtU, 0, value(), push(ir.Const, 1<<(8*rng.Uint32N(4)))))
			}
		}
	}
	return st
}
