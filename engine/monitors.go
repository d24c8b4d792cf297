package engine

import (
	"fmt"

	"synfire/engine/eqn"
)

// MonitorOptions are the arguments of the monitors.
type MonitorOptions struct {
	Name      string
	Record    any      // bool or []int: which neurons
	Variables []string // StateMonitor: what to record; SpikeMonitor: values at the event
	Dt        float64  // StateMonitor: sampling interval in seconds, 0: every step
	When      string   // "" : Brian2's default slot
	Order     int
	Event     string // SpikeMonitor and EventMonitor: "" is "spike"
}

// Monitor is what a run directory keeps of one monitor.
type Monitor interface {
	object
	Name() string
	Kind() string // "spikes", "state", "rate"
	Len() int     // events or samples
}

// SpikeMonitor records the events of a group: Brian2's SpikeMonitor and EventMonitor.
type SpikeMonitor struct {
	Object
	src    span
	event  string
	record bool
	vars   []string

	i      []int32
	step   []int64
	values map[string][]uint32
	count  []int64
	num    int64

	slots []*Variable
}

// SpikeMonitor records the spikes (or another event) of src.
func (n *Network) SpikeMonitor(src Cells, o MonitorOptions) (*SpikeMonitor, error) {
	s := src.span()
	m := &SpikeMonitor{src: s, event: o.Event, record: true, vars: o.Variables, values: map[string][]uint32{}, count: make([]int64, s.hi-s.lo)}
	if m.event == "" {
		m.event = "spike"
	}
	if !s.g.hasEvent(m.event) {
		return nil, fmt.Errorf("%s has no event %q: give it a threshold or name it in events={}", s.g.Name(), m.event)
	}
	if b, ok := o.Record.(bool); ok {
		m.record = b
	} else if o.Record != nil {
		return nil, fmt.Errorf("record= of a SpikeMonitor is True or False; record a subgroup to choose neurons")
	}
	for _, v := range o.Variables {
		x := s.g.lookup(v)
		if x == nil {
			return nil, fmt.Errorf("%s has no variable %q to record", s.g.Name(), v)
		}
		m.slots = append(m.slots, x)
	}
	m.when, m.order = o.When, o.Order
	class := "spikemonitor"
	if m.event != "spike" {
		class = "eventmonitor"
	}
	return m, n.register(m, o.Name, class)
}

// Kind is "spikes".
func (m *SpikeMonitor) Kind() string { return "spikes" }

// Len is the number of recorded events.
func (m *SpikeMonitor) Len() int { return len(m.i) }

// I returns the neuron of each event, in time order and within a step by index.
func (m *SpikeMonitor) I() []int32 { return m.i }

// T returns the time of each event in seconds.
func (m *SpikeMonitor) T() []float64 {
	t := make([]float64, len(m.step))
	for k, s := range m.step {
		t[k] = float64(float64(s) * m.src.g.dt())
	}
	return t
}

// Count returns the number of events of each neuron.
func (m *SpikeMonitor) Count() []int64 { return m.count }

// Num is the number of all events, recorded or counted.
func (m *SpikeMonitor) Num() int64 { return m.num }

// N is the number of neurons watched.
func (m *SpikeMonitor) N() int { return len(m.count) }

// Variables lists the names recorded at each event.
func (m *SpikeMonitor) Variables() []string { return m.vars }

// Values returns the values of a variable at each event.
func (m *SpikeMonitor) Values(name string) (Array, error) {
	for k, v := range m.vars {
		if v == name {
			return m.slots[k].decode(m.values[name]), nil
		}
	}
	return Array{}, fmt.Errorf("%s does not record %q: name it in variables=", m.Name(), name)
}

// StateMonitor records variables at the start of steps.
type StateMonitor struct {
	Object
	src   span
	vars  []string
	items []int // recorded neurons, relative to src
	every float64

	step   []int64
	values map[string][]uint32 // samples of all recorded items, one after the other
	slots  []*Variable
}

// StateMonitor records variables of src (Cells or *Synapses).
func (n *Network) StateMonitor(src any, o MonitorOptions) (*StateMonitor, error) {
	m := &StateMonitor{vars: o.Variables, every: o.Dt, values: map[string][]uint32{}}
	switch s := src.(type) {
	case Cells:
		m.src = s.span()
	default:
		return nil, fmt.Errorf("a StateMonitor watches a group of neurons; recording synapses comes with plastic synapses")
	}
	size := m.src.hi - m.src.lo
	switch r := o.Record.(type) {
	case nil:
		return nil, fmt.Errorf("StateMonitor needs record=True or a list of indices")
	case bool:
		if r {
			for k := range size {
				m.items = append(m.items, k)
			}
		}
	case int:
		m.items = []int{r}
	case []int:
		m.items = append([]int(nil), r...)
	default:
		return nil, fmt.Errorf("record= takes True, an index or a list of indices")
	}
	for _, k := range m.items {
		if k < 0 || k >= size {
			return nil, fmt.Errorf("record=: index %d is outside %s, which has %d neurons", k, m.src.g.Name(), size)
		}
	}
	if len(o.Variables) == 0 {
		return nil, fmt.Errorf("StateMonitor needs the names of the variables to record")
	}
	for _, v := range o.Variables {
		x := m.src.g.lookup(v)
		if x == nil {
			return nil, unknown(v, "variable of "+m.src.g.Name(), m.src.g.VarNames())
		}
		m.slots = append(m.slots, x)
	}
	m.when, m.order = o.When, o.Order
	if m.when == "" {
		m.when = "start"
	}
	return m, n.register(m, o.Name, "statemonitor")
}

// Kind is "state".
func (m *StateMonitor) Kind() string { return "state" }

// Len is the number of samples.
func (m *StateMonitor) Len() int { return len(m.step) }

// T returns the time of each sample in seconds.
func (m *StateMonitor) T() []float64 {
	t := make([]float64, len(m.step))
	for k, s := range m.step {
		t[k] = float64(float64(s) * m.src.g.dt())
	}
	return t
}

// Recorded returns the recorded indices, relative to the source.
func (m *StateMonitor) Recorded() []int { return m.items }

// Variables lists the recorded names.
func (m *StateMonitor) Variables() []string { return m.vars }

// Values returns a variable as [recorded][samples], in SI units; a shared
// variable has one row.
func (m *StateMonitor) Values(name string) ([][]float64, eqn.Dim, error) {
	for k, v := range m.vars {
		if v != name {
			continue
		}
		flat := m.slots[k].decode(m.values[name])
		rows := len(m.items)
		if m.slots[k].shared {
			rows = 1
		}
		out := make([][]float64, rows)
		for r := range out {
			out[r] = make([]float64, len(m.step))
			for s := range out[r] {
				out[r][s] = flat.V[s*rows+r]
			}
		}
		return out, flat.Dim, nil
	}
	return nil, eqn.Dim{}, unknown(name, "recorded variable of "+m.Name(), m.vars)
}

// Samples returns the recorded values of a variable as float32 in SI base
// units, sample after sample, and the number of rows of each sample: the layout
// of the run directory (Fortran order, so that time appends).
func (m *StateMonitor) Samples(name string) ([]float32, int, error) {
	for k, v := range m.vars {
		if v == name {
			flat := m.slots[k].decode(m.values[name])
			out := make([]float32, len(flat.V))
			for j, x := range flat.V {
				out[j] = float32(x)
			}
			rows := len(m.items)
			if m.slots[k].shared {
				rows = 1
			}
			return out, rows, nil
		}
	}
	return nil, 0, unknown(name, "recorded variable of "+m.Name(), m.vars)
}

// RateMonitor records the mean rate of a group in every step: Brian2's
// PopulationRateMonitor.
type RateMonitor struct {
	Object
	src   span
	count []int32 // spikes of each recorded step
	steps []int64
}

// PopulationRateMonitor records the population rate of src.
func (n *Network) PopulationRateMonitor(src Cells, o MonitorOptions) (*RateMonitor, error) {
	m := &RateMonitor{src: src.span()}
	if !m.src.g.hasEvent("spike") {
		return nil, fmt.Errorf("%s does not spike: it has no threshold", m.src.g.Name())
	}
	m.when, m.order = o.When, o.Order
	return m, n.register(m, o.Name, "ratemonitor")
}

// Kind is "rate".
func (m *RateMonitor) Kind() string { return "rate" }

// Len is the number of samples.
func (m *RateMonitor) Len() int { return len(m.count) }

// T returns the time of each sample in seconds.
func (m *RateMonitor) T() []float64 {
	t := make([]float64, len(m.steps))
	for k, s := range m.steps {
		t[k] = float64(float64(s) * m.src.g.dt())
	}
	return t
}

// Rate returns the population rate of each step in Hz: spikes / (N dt).
func (m *RateMonitor) Rate() []float64 {
	r := make([]float64, len(m.count))
	size := float64(m.src.hi - m.src.lo)
	for k, c := range m.count {
		r[k] = float64(c) / float64(size*m.src.g.dt())
	}
	return r
}
