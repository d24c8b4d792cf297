package kernels

import (
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// driven is a plan of n neurons that never fire and the synapses of a Spec.
func driven(n int, specs ...*connect.Spec) *backend.Plan {
	p := &backend.Plan{Batch: 1, Due: 1, Bufs: []backend.Buf{
		{Name: "step", Kind: backend.State, Type: ir.U32, Len: 1},
		{Name: "due", Kind: backend.State, Type: ir.U32, Len: 2},
		{Name: "acc", Kind: backend.Scratch, Type: ir.I32, Len: n},
		{Name: "masks", Kind: backend.State, Type: ir.U32, Len: 2 * ((n + 31) / 32)},
	}}
	p.Events = []backend.Event{{Name: "spike", N: n, History: 2, Masks: 3}}
	for i, s := range specs {
		p.Tables = append(p.Tables, backend.Table{Spec: s, Sources: []backend.Source{{Lo: 0, Hi: n}}, Last: 1 << 40, MinDelay: 1, MaxDelay: 1})
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormDeliver, Name: s.Name, Flag: -1, Table: i, Count: 1, Acc: 2})
	}
	return p
}

func total(name string, n, synapses int) *connect.Spec {
	one := connect.Column{Const: 1, Lo: 1, Hi: 1}
	return &connect.Spec{Name: name, NSrc: n, NTgt: n, Scale: 1, Uniform: 1, Projs: []*connect.Proj{
		{Name: name, Rule: connect.FixedTotal, N: synapses, NPre: n, NPost: n, Weight: one, Delay: one}}}
}

// TestTooLarge: a network beyond the memory is refused before any is taken.
func TestTooLarge(t *testing.T) {
	if host.Free() == 0 {
		t.Skip("this system does not tell how much memory is free")
	}
	var specs []*connect.Spec
	for range 1000 { // some 4 TB
		specs = append(specs, total("C", 1<<20, 1<<31-1))
	}
	_, err := New(2).Load(host.Work{}, driven(1<<20, specs...))
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{"needs", "GB", "free", "C", "would fit"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// TestTablesAreKept: a plan that names a Spec again uses its tables again, one
// that does not lets them go.
func TestTablesAreKept(t *testing.T) {
	a, b := total("A", 100, 1000), total("B", 100, 1000)
	c := New(2).(*cpu)
	defer c.Close()
	load := func(specs ...*connect.Spec) backend.Program {
		p, err := c.Load(host.Work{}, driven(100, specs...))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := load(a, b)
	table := c.find(a, c.built[0].key)
	second := load(a)
	if len(c.built) != 2 || second.(*divided).tables[0] != table {
		t.Fatalf("%d tables; the second plan has its own: %v", len(c.built), second.(*divided).tables[0] != table)
	}
	first.Close()
	third := load(a)
	if len(c.built) != 1 || c.built[0] != table {
		t.Errorf("%d tables are kept, expected that of A", len(c.built))
	}
	second.Close()
	third.Close()
	load(b)
	if len(c.built) != 1 || c.built[0].spec != b {
		t.Errorf("%d tables are kept, expected that of B", len(c.built))
	}
}

// TestBeside: backends beside one another have one table of a Spec, which stays while one of them has it or somebody is to come
// for it, and goes with the last.
func TestBeside(t *testing.T) {
	a := total("A", 100, 1000)
	c := New(1).(*cpu)
	one, two := c.Beside().(*cpu), c.Beside().(*cpu)
	load := func(b *cpu, s *connect.Spec) backend.Program {
		p, err := b.Load(host.Work{}, driven(100, s))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := load(one, a), load(two, a)
	if len(c.built) != 1 || first.(*divided).tables[0] != second.(*divided).tables[0] {
		t.Fatalf("%d tables for one Spec", len(c.built))
	}
	first.Close()
	one.Close()
	second.Close()
	a.Hold()
	load(two, total("B", 100, 10)).Close()
	if len(c.built) != 2 {
		t.Errorf("%d tables, expected those of A, which is held, and B", len(c.built))
	}
	a.Release()
	load(two, total("C", 100, 10)).Close()
	if len(c.built) != 1 {
		t.Errorf("%d tables, expected that of C", len(c.built))
	}
	two.Close()
	if c.Close(); len(c.built) != 0 {
		t.Errorf("%d tables are left", len(c.built))
	}
}
