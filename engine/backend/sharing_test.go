package backend_test

import (
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// TestSharingOfLearning: what learning is made of needs no order, and says by
// which end threads may share it out.
func TestSharingOfLearning(t *testing.T) {
	p := backendtest.Plastic()
	want := map[string]backend.End{"S summed": backend.AtTarget, "S pre": backend.AtTarget, "S pre by source": backend.Own, "S post": backend.Own, "S post by target": backend.Own}
	for k := range p.Stages {
		s := &p.Stages[k]
		if s.Form != backend.FormEffect {
			continue
		}
		by, inOrder := p.Sharing(s)
		if inOrder || by != want[s.Name] {
			t.Errorf("%s: by end %d, in order: %v; expected %d, any order", s.Name, by, inOrder, want[s.Name])
		}
	}
}

// TestSharingOfEnds: an effect in which a synapse reads at its source what
// another one writes at its target runs in order, unless the two ends have no
// neuron in common.
func TestSharingOfEnds(t *testing.T) {
	for _, c := range []struct {
		off     int // of the targets in the buffer, whose sources are the first 4
		inOrder bool
	}{{0, true}, {3, true}, {4, false}} {
		b := ir.NewBuilder("S pre")
		from, to := b.Slot("i", ir.Array, ir.U32), b.Slot("j", ir.Array, ir.U32)
		get, put := b.Slot("x_pre", ir.Table, ir.F32), b.Slot("x_post", ir.Table, ir.F32)
		b.Put(put, b.Load(to), b.Gather(get, b.Load(from), ir.Range{Lo: -1, Hi: 1}))
		prog, err := b.Prog()
		if err != nil {
			t.Fatal(err)
		}
		s := &backend.Stage{Form: backend.FormEffect, Prog: prog, Bind: []backend.Binding{
			{Buf: backend.NoBuf, Off: backend.SlotSource}, {Buf: backend.NoBuf, Off: backend.SlotTarget}, {Buf: 5}, {Buf: 5, Off: c.off}}}
		p := &backend.Plan{Tables: []backend.Table{{Spec: &connect.Spec{NSrc: 4, NTgt: 4}, Sources: []backend.Source{{Hi: 4}}}}}
		if _, inOrder := p.Sharing(s); inOrder != c.inOrder {
			t.Errorf("targets from %d on: in order is %v, expected %v", c.off, inOrder, c.inOrder)
		}
	}
}
