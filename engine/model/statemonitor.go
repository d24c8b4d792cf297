package model

import (
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/store"
)

// StateMonitorOptions are the further arguments of StateMonitor.
type StateMonitorOptions struct {
	Name      string    // of its files; "": statemonitor, ...
	Variables []string  // what to record; empty, not nil: the times alone
	Record    any       // true: of all neurons; an int or []int: of these; false: only the times
	Dt        float64   // sampling interval in seconds, 0: every step
	Times     []float64 // in seconds; not nil: it samples at these times
	When      string    // slot; "": start
	Order     int       // in the slot
}

// StateMonitor records variables at the start of steps.
type StateMonitor struct {
	Object
	ColumnList
	Src   Span      // the neurons of which it records, or
	Syn   *Synapses // the synapses
	Vars  []string  // names of what is recorded
	Items []int     // recorded neurons, relative to src

	Slots []*Variable // the variables of Vars
	takes []*Column   // of each of slots; nil: the column of times has it, or there are no rows
	t     *Column
}

// StateMonitor records variables of src (Cells or *Synapses), in SI units. It
// refuses unknown variables and indices outside src.
func (n *Network) StateMonitor(src any, o StateMonitorOptions) (*StateMonitor, error) {
	m := &StateMonitor{Vars: o.Variables, t: &Column{Name: "t", Unit: Second, Type: store.Float64}}
	m.ColumnList = ColumnList{m.t}
	m.ownDt = o.Dt
	if err := m.acts(o.Times, "StateMonitor"); err != nil {
		return nil, err
	}
	if err := checkFiles(o.Name, o.Variables); err != nil {
		return nil, err
	}
	size, of, units := 0, "", "neurons"
	switch s := src.(type) {
	case Cells:
		if err := notNil("StateMonitor: source", s); err != nil {
			return nil, err
		}
		m.Src = s.Span()
		m.of = &m.Src.Group.Object
		size = m.Src.Hi - m.Src.Lo
	case *Synapses:
		if s == nil {
			return nil, argErrorf("source", "StateMonitor: source is nil")
		}
		m.Syn, m.of = s, &s.Object
		var err error
		if size, err = s.N(Work{}); err != nil {
			return nil, err
		}
		if len(s.Conns) == 0 {
			return nil, argErrorf("source", "StateMonitor: %s has no synapses yet: call connect first", s.Name())
		}
		of, units = s.Name(), "synapses"
	default:
		return nil, argErrorf("source", "a StateMonitor watches a group of neurons, or synapses")
	}
	if m.Syn == nil {
		of = m.Src.Group.Name()
	}
	switch r := o.Record.(type) {
	case nil:
		return nil, argErrorf("record", "StateMonitor needs record=True or a list of indices")
	case bool:
		if r {
			for k := range size {
				m.Items = append(m.Items, k)
			}
		}
	case int:
		m.Items = []int{r}
	case []int:
		m.Items = append([]int(nil), r...)
	default:
		return nil, argErrorf("record", "record= takes True, an index or a list of indices")
	}
	for _, k := range m.Items {
		if k < 0 || k >= size {
			return nil, eqn.As(eqn.BadIndex, argErrorf("record", "record=: index %d is outside %s, which has %d %s", k, of, size, units))
		}
	}
	watched := o.Variables
	switch {
	case o.Variables == nil:
		return nil, argErrorf("variables", "StateMonitor needs the names of the variables to record")
	case len(watched) == 0: // the times alone, which something has to bring
		watched = []string{"i"}
	}
	for _, v := range watched {
		x, known := (*Variable)(nil), []string(nil)
		if m.Syn != nil {
			known = m.Syn.VarNames()
			if y, err := m.Syn.Var(v); err == nil && v != "delay" {
				x = y.v
			}
		} else {
			x, known = m.Src.Group.lookup(v), m.Src.Group.VarNames()
		}
		if x == nil {
			return nil, &ArgError{"variables", unknown(v, "variable of "+of, known)}
		}
		rows := len(m.Items)
		if x.Shared {
			rows = 1
		}
		var col *Column
		if rows > 0 && len(o.Variables) > 0 && m.Column(v) == nil {
			col = columnOf(x, rows)
			m.ColumnList = append(m.ColumnList, col)
		}
		m.Slots, m.takes = append(m.Slots, x), append(m.takes, col)
	}
	if err := m.place(o.When, "start", o.Order); err != nil {
		return nil, err
	}
	if err := checkDt(o.Dt, "StateMonitor"); err != nil {
		return nil, err
	}
	return m, n.register(m, o.Name, "statemonitor")
}

// Kind is "state".
func (m *StateMonitor) Kind() string { return "state" }

// Len is the number of samples.
func (m *StateMonitor) Len() int { return m.t.Len() }

// Entry is what the manifest says of the monitor.
func (m *StateMonitor) Entry() store.Monitor {
	e := store.Monitor{Kind: m.Kind(), Recorded: int64(len(m.Items)), Samples: int64(m.Len()), Variables: m.Vars, StartS: m.Began()}
	if m.Syn != nil {
		e.Source = m.Syn.Name()
	} else {
		e.Source = m.Src.Group.Name()
	}
	for _, v := range m.Vars {
		unit := "1"
		if c := m.Column(v); c != nil {
			unit = c.Unit.String()
		}
		e.Units = append(e.Units, unit)
	}
	return e
}

// T returns the time of each sample in seconds; nil where its file cannot be read.
func (m *StateMonitor) T() []float64 { return m.times() }

// Recorded returns the recorded indices, relative to the source.
func (m *StateMonitor) Recorded() []int { return m.Items }

// Variables lists the recorded names.
func (m *StateMonitor) Variables() []string { return m.Vars }

// Values returns a variable as [recorded][samples], in SI units; a shared
// variable has one row.
func (m *StateMonitor) Values(name string) ([][]float64, eqn.Dim, error) {
	if !slices.Contains(m.Vars, name) {
		return nil, eqn.Dim{}, unknown(name, "recorded variable of "+m.Name(), m.Vars)
	}
	c := m.Column(name)
	if c == nil { // no rows
		return nil, eqn.Dim{}, nil
	}
	flat, err := c.Floats()
	out := make([][]float64, max(c.Rows, 1))
	if err == nil {
		for r := range out {
			out[r] = flat[r*c.Len() : (r+1)*c.Len()]
		}
	}
	return out, c.Unit, err
}

// Source is the name of what the monitor samples.
func (m *StateMonitor) Source() string {
	if m.Syn != nil {
		return m.Syn.Name()
	}
	return m.Src.name()
}

func (m *StateMonitor) groups() []*NeuronGroup {
	if m.Syn != nil {
		return m.Syn.groups()
	}
	return []*NeuronGroup{m.Src.Group}
}

// Watches is each variable, the first of them with the times; where no neuron is
// recorded, one that brings the times.
func (m *StateMonitor) Watches() []Watch {
	var items []int
	for _, i := range m.Items {
		if len(m.Vars) > 0 {
			items = append(items, m.Src.Lo+i)
		}
	}
	var out []Watch
	for k, v := range m.Slots {
		w := Watch{Name: m.AutoName + "." + v.Name, When: m.When, Order: m.InSlot, To: &sampled{m, k, len(out) == 0}, Sampled: v, Items: items}
		if len(items) == 0 && !v.Shared {
			if len(out) > 0 || k < len(m.Slots)-1 {
				continue
			}
			if w.Ignored = true; m.Syn == nil { // of synapses there may be none at all
				w.Items = []int{m.Src.Lo}
			}
		}
		out = append(out, w)
	}
	return out
}

// sampled is one variable of a StateMonitor.
type sampled struct {
	m     *StateMonitor
	k     int  // its index in Vars
	times bool // it brings the times of all
}

// Take takes in a batch of samples.
func (s *sampled) Take(b *Batch) {
	if c := s.m.takes[s.k]; c != nil {
		c.words(s.m.Slots[s.k], b.Values[0])
	}
	if !s.times {
		return
	}
	for q, n := range b.Counts {
		if n > 0 {
			s.m.t.float64(s.m.TimeOf(b.Step + int64(q)))
		}
	}
}

// Ahead is the bytes of all samples of so many steps.
func (m *StateMonitor) Ahead(steps int64) int64 {
	samples := m.Ticks(steps)
	if m.moments != nil {
		samples = min(steps, int64(len(m.moments)))
	}
	return samples * m.SampleBytes()
}
