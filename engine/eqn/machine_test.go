package eqn

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/ir"
	"synfire/engine/philox"
)

// bench is a Machine with one slot for each variable, for tests.
type bench struct {
	t     testing.TB
	b     *ir.Builder
	scope MapScope
	data  map[string][]uint32 // by slot name
	n     int
	hosts []*HostExpr
	sites []Site
	sums  map[string]bool
}

const testDt = 1e-4

var seed = [2]uint32{1, 2}

func newBench(t testing.TB, n int) *bench {
	m := &bench{t: t, b: ir.NewBuilder("test"), n: n, data: map[string][]uint32{}, scope: MapScope{Symbols: map[string]*Symbol{}}}
	m.scope.Symbols["dt"] = &Symbol{Name: "dt", Kind: Constant, Dim: base(Second), Value: testDt, ReadOnly: true}
	return m
}

func unitOf(t testing.TB, unit string) (Dim, Type) {
	d, typ, err := ParseUnit(&Source{Text: unit})
	if err != nil {
		t.Fatal(err)
	}
	return d, typ
}

// variable declares one; values are SI.
func (m *bench) variable(name, unit string, values ...float64) *Symbol {
	d, typ := unitOf(m.t, unit)
	s := &Symbol{Name: name, Kind: Variable, Dim: d, Type: typ}
	m.scope.Symbols[name] = s
	m.put(s, values...)
	return s
}

func (m *bench) constant(name, unit string, v float64) {
	d, typ := unitOf(m.t, unit)
	m.scope.Symbols[name] = &Symbol{Name: name, Kind: Constant, Dim: d, Type: typ, Value: v}
}

func (m *bench) put(s *Symbol, values ...float64) {
	w := make([]uint32, m.n)
	for i := range w {
		if len(values) == 0 {
			break
		}
		v := values[min(i, len(values)-1)]
		if s.Type == Float && !s.Steps {
			w[i] = math.Float32bits(ir.CanonF(float32(v / s.Dim.Scale())))
		} else {
			w[i] = uint32(int32(v))
		}
	}
	m.data[s.Name] = w
}

// get reads a variable in SI units.
func (m *bench) get(name string, lane int) float64 {
	s := m.scope.Symbols[name]
	w := m.data[name][lane]
	if s.Type == Float && !s.Steps {
		v := float64(math.Float32frombits(w))
		if s.TwoWords {
			v += float64(math.Float32frombits(m.data[name+"#lo"][lane]))
		}
		return v * s.Dim.Scale()
	}
	return float64(int32(w))
}

func (m *bench) model(text string) *Equations {
	m.t.Helper()
	eqs, err := ParseEquations(&Source{File: "model", Text: text})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, q := range eqs.List {
		s := m.scope.Symbols[q.Name]
		if s == nil {
			s = &Symbol{Name: q.Name, Kind: Variable, Dim: q.Dim, Type: q.Type, Constant: q.Has("constant"), Shared: q.Has("shared")}
			m.scope.Symbols[q.Name] = s
			m.put(s)
		}
		if q.Kind == Sub {
			s.Kind, s.Expr = Subexpression, q.X
		}
	}
	if err := CheckEquations(eqs, m.scope, nil); err != nil {
		m.t.Fatal(err)
	}
	return eqs
}

func typeOf(s *Symbol) ir.Type {
	switch {
	case s.Steps || s.Type == Integer:
		return ir.I32
	case s.Type == Boolean:
		return ir.U32
	}
	return ir.F32
}

func (m *bench) slot(name string, t ir.Type) uint32 {
	if m.data[name] == nil {
		m.data[name] = make([]uint32, m.n)
	}
	return m.b.Slot(name, ir.Array, t)
}

func (m *bench) Load(s *Symbol) ir.Value {
	v := m.b.Load(m.slot(s.Name, typeOf(s)))
	if s.Type == Boolean {
		return m.b.NotB(m.b.EqI(v, m.b.I(0)))
	}
	return v
}
func (m *bench) Store(s *Symbol, v ir.Value)    { m.b.Store(m.slot(s.Name, typeOf(s)), v) }
func (m *bench) LoadLow(s *Symbol) ir.Value     { return m.b.Load(m.slot(s.Name+"#lo", ir.F32)) }
func (m *bench) StoreLow(s *Symbol, v ir.Value) { m.b.Store(m.slot(s.Name+"#lo", ir.F32), v) }
func (m *bench) Add(s *Symbol, v ir.Value) error {
	if s.Name == "refused" {
		return fmt.Errorf("refused")
	}
	m.sums[s.Name] = true
	m.b.Store(m.slot(s.Name+"#sum", ir.F32), v)
	return nil
}
func (m *bench) Host(h *HostExpr) ir.Value {
	for k, o := range m.hosts {
		if o.Key() == h.Key() {
			return m.b.Host(uint32(k), h.Type, ir.Range{})
		}
	}
	m.hosts = append(m.hosts, h)
	return m.b.Host(uint32(len(m.hosts)-1), h.Type, ir.Range{})
}
func word(w uint32, err error) uint32 {
	if err != nil {
		panic(err)
	}
	return w
}

func (m *bench) Refuse(ir.Value, string, string) {}

func (m *bench) Stream(s Site) (uint32, uint32) {
	for k, o := range m.sites {
		if o == s {
			return uint32(k), 0
		}
	}
	m.sites = append(m.sites, s)
	return uint32(len(m.sites) - 1), 0
}
func (m *bench) Item() ir.Value { return m.b.Lane() }
func (m *bench) Array(ta *TimedArray, row, col ir.Value) ir.Value {
	w := make([]uint32, len(ta.Values))
	for i, v := range ta.Values {
		w[i] = math.Float32bits(float32(v / ta.Dim.Scale()))
	}
	m.data[ta.Name+"#table"] = w
	if col == ir.None {
		return m.b.Gather(m.b.Slot(ta.Name+"#table", ir.Table, ir.F32), row, ir.Range{})
	}
	at := m.b.AddI(m.b.MulI(row, m.b.I(int32(ta.Cols))), col)
	return m.b.Gather(m.b.Slot(ta.Name+"#table", ir.Table, ir.F32), at, ir.Range{})
}

// lower compiles statements.
func (m *bench) lower(stmts []Stmt) {
	m.t.Helper()
	if err := Lower(m.b, stmts, m.scope, m); err != nil {
		m.t.Fatal(err)
	}
}

func (m *bench) text(s string) {
	m.t.Helper()
	stmts, err := ParseStatements(&Source{Text: s})
	if err != nil {
		m.t.Fatal(err)
	}
	m.lower(stmts)
}

// scheme integrates a model and compiles it.
func (m *bench) scheme(text, method string) *Scheme {
	m.t.Helper()
	eqs := m.model(text)
	sch, err := Integrate(eqs, m.scope, Options{Method: method, Dt: m.scope.Symbols["dt"].Value, Refractory: m.scope.Symbols["not_refractory"]})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, name := range sch.Two {
		m.scope.Symbols[name].TwoWords = true
	}
	m.derive(sch.Derived)
	m.lower(sch.Stmts)
	return sch
}

func (m *bench) derive(list []*Derived) {
	for _, d := range list {
		in, out := make([][]float64, len(d.In)), make([][]float64, len(d.Out))
		for i, s := range d.In {
			for lane := range m.n {
				in[i] = append(in[i], m.get(s.Name, lane))
			}
		}
		for i := range out {
			out[i] = make([]float64, m.n)
		}
		d.Fill(m.n, in, out)
		for i, s := range d.Out {
			m.put(s, out[i]...)
		}
	}
}

// run executes the program for steps from to to-1.
func (m *bench) run(from, to int) *ir.Prog {
	m.t.Helper()
	p, err := m.b.Prog()
	if err != nil {
		m.t.Fatal(err)
	}
	for step := from; step < to; step++ {
		e := &ir.Env{Step: uint32(step), Seed: seed, HostN: len(m.hosts)}
		for _, s := range p.Slots {
			e.Slots = append(e.Slots, m.data[s.Name])
		}
		for _, h := range m.hosts {
			e.Host = append(e.Host, word(h.Eval(int64(step))))
		}
		ir.Eval(p, e, 0, m.n)
	}
	return p
}

// normal is the number that a site draws.
func uniform(item, step, stream uint32) float64 {
	w := philox.Word(item, step, 0, stream, seed)
	if w < 1<<24 { // the whole word and half of what is behind it, in a float
		return float64(float32((float64(w) + 0.5) * 0x1p-32))
	}
	return float64(w>>8) * 0x1p-24
}
