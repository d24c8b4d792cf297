package shaders

import (
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// TestInOrder refuses an effect in which a synapse reads at its source what
// another one writes at its target, unless the two ends have no neuron in common.
func TestInOrder(t *testing.T) {
	for _, c := range []struct {
		off  int // of the targets in the buffer, whose sources are the first 4
		want string
	}{{0, "one after the other"}, {3, "one after the other"}, {4, ""}} {
		a := &assembler{}
		from, to := a.slot(ir.Array, ir.I32), a.slot(ir.Array, ir.I32)
		get, put := a.slot(ir.Table, ir.F32), a.slot(ir.Table, ir.F32)
		x := a.with(get, a.op(ir.Gather, ir.F32, a.with(from, a.op(ir.Load, ir.I32))))
		a.with(put, a.op(ir.Put, ir.F32, a.with(to, a.op(ir.Load, ir.I32)), x))
		s := &backend.Stage{Form: backend.FormEffect, Name: "S pre", Prog: &a.Prog,
			Bind: []backend.Binding{{Buf: backend.NoBuf, Off: backend.SlotSource}, {Buf: backend.NoBuf, Off: backend.SlotTarget}, {Buf: 5}, {Buf: 5, Off: c.off}}}
		err := effectLacks(&backend.Plan{Tables: []backend.Table{{Spec: &connect.Spec{NSrc: 4, NTgt: 4}, Sources: []backend.Source{{Hi: 4}}}}}, s)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("targets from %d on: %v", c.off, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("targets from %d on: %v, expected %q", c.off, err, c.want)
		}
	}
}
