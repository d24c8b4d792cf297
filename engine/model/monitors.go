package model

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/store"
)

// SpikeMonitorOptions are the further arguments of SpikeMonitor and EventMonitor.
type SpikeMonitorOptions struct {
	Name      string   // of its files; "": spikemonitor, eventmonitor, ...
	CountOnly bool     // Brian2's record=False: of events, only their number is kept
	Variables []string // values of the neuron at each event
	When      string   // the slot where Variables are read, not before that of the event; "": right after the event
	Order     int      // in the slot; goes with When
}

// StateMonitorOptions are the further arguments of StateMonitor.
type StateMonitorOptions struct {
	Name      string   // of its files; "": statemonitor, ...
	Variables []string // what to record
	Record    any      // true: of all neurons; an int or []int: of these; false: only the times
	Dt        float64  // sampling interval in seconds, 0: every step
	When      string   // slot; "": start
	Order     int      // in the slot
}

// RateMonitorOptions are the further arguments of PopulationRateMonitor.
type RateMonitorOptions struct {
	Name string // of its files; "": ratemonitor, ...
}

// Monitor records a part of a network while it runs.
type Monitor interface {
	object
	Name() string
	AutomaticName() string
	Network() *Network
	Kind() string         // "spikes", "events", "state", "rate"
	Source() string       // the group that it watches, or the part of one: "P[0:800]"
	Len() int             // events or samples
	Columns() []*Column   // what it records, an array each, the times among them as "t"
	Entry() store.Monitor // what the manifest says of it
	Span() Span           // the neurons that it watches
	Ahead(int64) int64    // bytes that it will record in so many steps, as far as that is known
}

// ColumnList are what a monitor records.
type ColumnList []*Column

// Columns are the arrays that the monitor fills.
func (c ColumnList) Columns() []*Column { return c }

// Column is the array of a name; nil: the monitor does not record it.
func (c ColumnList) Column(name string) *Column {
	for _, x := range c {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// times are the seconds of each event or sample.
func (c ColumnList) times() []float64 {
	if t := c.Column("t"); t != nil {
		v, _ := t.Floats()
		return v
	}
	return []float64{}
}

// checkFiles refuses a monitor whose name or columns could not be those of files,
// and variables that are named twice.
func checkFiles(name string, vars []string) error {
	if name != "" {
		if err := store.CheckName(name); err != nil {
			return argErrorf("name", "name=: %w", err)
		}
	}
	for k, v := range vars {
		if slices.Contains(vars[:k], v) {
			return argErrorf("variables", "variables=: %q is named twice", v)
		}
	}
	return nil
}

// SpikeMonitor records the events of a group: Brian2's SpikeMonitor and EventMonitor.
type SpikeMonitor struct {
	Object
	ColumnList
	Src    Span   // the neurons watched
	On     string // the event
	kind   string
	record bool
	Vars   []string // as named by the user
	count  []int64
	num    int64

	Slots []*Variable // variables recorded at each event
	takes []*Column   // of each of slots; nil: the column i or t has it
	i, t  *Column     // nil without record
}

// SpikeMonitor records the spikes of src. It refuses a group without a threshold,
// unknown variables, and a name that could not be that of a folder.
func (n *Network) SpikeMonitor(src Cells, o SpikeMonitorOptions) (*SpikeMonitor, error) {
	return n.eventMonitor(src, "spike", "spikemonitor", "spikes", o)
}

// EventMonitor records an event of src: one of events=, or "spike".
func (n *Network) EventMonitor(src Cells, event string, o SpikeMonitorOptions) (*SpikeMonitor, error) {
	return n.eventMonitor(src, event, "eventmonitor", "events", o)
}

func (n *Network) eventMonitor(src Cells, event, class, kind string, o SpikeMonitorOptions) (*SpikeMonitor, error) {
	if err := notNil("SpikeMonitor: source", src); err != nil {
		return nil, err
	}
	s := src.Span()
	m := &SpikeMonitor{Src: s, On: event, kind: kind, record: !o.CountOnly, Vars: o.Variables, count: make([]int64, s.Hi-s.Lo)}
	if err := checkFiles(o.Name, o.Variables); err != nil {
		return nil, err
	}
	if !s.Group.hasEvent(m.On) {
		arg := "event"
		if kind == "spikes" {
			arg = "source"
		}
		return nil, argErrorf(arg, "%s has no event %q: %s", s.Group.Name(), m.On, s.Group.lacks(m.On))
	}
	if o.Order != 0 && o.When == "" {
		return nil, argErrorf("order", "order= goes with when=: without it the monitor stands right after the event")
	}
	if m.record {
		m.i, m.t = &Column{Name: "i", Type: store.Int32}, &Column{Name: "t", Unit: Second, Type: store.Float64}
		m.ColumnList = ColumnList{m.i, m.t}
	}
	for _, v := range o.Variables {
		x := s.Group.lookup(v)
		if x == nil {
			return nil, &ArgError{"variables", unknown(v, "variable of "+s.Group.Name(), s.Group.VarNames())}
		}
		var col *Column
		if m.Column(v) == nil {
			col = columnOf(x, 0)
			m.ColumnList = append(m.ColumnList, col)
		}
		m.Slots, m.takes = append(m.Slots, x), append(m.takes, col)
	}
	m.When, m.InSlot = o.When, o.Order
	if err := m.afterEvent("~"); err != nil { // of equals, its name decides, which is not known yet
		return nil, err
	}
	return m, n.register(m, o.Name, class)
}

// Kind is "spikes", or "events" of an EventMonitor.
func (m *SpikeMonitor) Kind() string { return m.kind }

// Len is the number of recorded events.
func (m *SpikeMonitor) Len() int {
	if len(m.ColumnList) == 0 {
		return 0
	}
	return int(m.num)
}

// Entry is what the manifest says of the monitor.
func (m *SpikeMonitor) Entry() store.Monitor {
	return store.Monitor{Kind: m.Kind(), Events: m.num, Variables: m.Vars}
}

// I returns the neuron of each event, in time order and within a step by index.
// It is nil where a file of the run directory cannot be read: Column("i") tells.
func (m *SpikeMonitor) I() []int32 {
	if m.i == nil {
		return nil
	}
	v, _ := m.i.Int32s()
	return v
}

// T returns the time of each event in seconds, as I does.
func (m *SpikeMonitor) T() []float64 { return m.times() }

// Count returns the number of events of each neuron.
func (m *SpikeMonitor) Count() []int64 { return m.count }

// Num is the number of all events, recorded or counted.
func (m *SpikeMonitor) Num() int64 { return m.num }

// N is the number of neurons watched.
func (m *SpikeMonitor) N() int { return len(m.count) }

// Variables lists the names recorded at each event.
func (m *SpikeMonitor) Variables() []string { return m.Vars }

// Values returns the values of a variable at each event.
func (m *SpikeMonitor) Values(name string) (Array, error) {
	c := m.Column(name)
	if c == nil {
		return Array{}, fmt.Errorf("%s does not record %q: name it in variables=", m.Name(), name)
	}
	v, err := c.Floats()
	return Array{V: v, Dim: c.Unit}, err
}

// StateMonitor records variables at the start of steps.
type StateMonitor struct {
	Object
	ColumnList
	Src   Span     // the neurons of which it records
	Vars  []string // names of what is recorded
	Items []int    // recorded neurons, relative to src
	Every float64  // seconds; 0: every step

	Slots []*Variable // the variables of Vars
	takes []*Column   // of each of slots; nil: the column of times has it, or there are no rows
	t     *Column
}

// StateMonitor records variables of src (Cells; synapses come with the full
// language), in SI units. It refuses unknown variables and neurons outside src.
func (n *Network) StateMonitor(src any, o StateMonitorOptions) (*StateMonitor, error) {
	m := &StateMonitor{Vars: o.Variables, Every: o.Dt, t: &Column{Name: "t", Unit: Second, Type: store.Float64}}
	m.ColumnList = ColumnList{m.t}
	if err := checkFiles(o.Name, o.Variables); err != nil {
		return nil, err
	}
	switch s := src.(type) {
	case Cells:
		if err := notNil("StateMonitor: source", s); err != nil {
			return nil, err
		}
		m.Src = s.Span()
	default:
		return nil, argErrorf("source", "a StateMonitor watches a group of neurons; recording synapses comes with plastic synapses")
	}
	size := m.Src.Hi - m.Src.Lo
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
			return nil, argErrorf("record", "record=: index %d is outside %s, which has %d neurons", k, m.Src.Group.Name(), size)
		}
	}
	if len(o.Variables) == 0 {
		return nil, argErrorf("variables", "StateMonitor needs the names of the variables to record")
	}
	for _, v := range o.Variables {
		x := m.Src.Group.lookup(v)
		if x == nil {
			return nil, &ArgError{"variables", unknown(v, "variable of "+m.Src.Group.Name(), m.Src.Group.VarNames())}
		}
		rows := len(m.Items)
		if x.Shared {
			rows = 1
		}
		var col *Column
		if rows > 0 && m.Column(v) == nil {
			col = columnOf(x, rows)
			m.ColumnList = append(m.ColumnList, col)
		}
		m.Slots, m.takes = append(m.Slots, x), append(m.takes, col)
	}
	if err := m.place(o.When, "start", o.Order); err != nil {
		return nil, err
	}
	if o.Dt != 0 {
		if _, err := n.Multiple(o.Dt, "StateMonitor"); err != nil {
			return nil, err
		}
	}
	return m, n.register(m, o.Name, "statemonitor")
}

// Kind is "state".
func (m *StateMonitor) Kind() string { return "state" }

// Len is the number of samples.
func (m *StateMonitor) Len() int { return m.t.Len() }

// Entry is what the manifest says of the monitor.
func (m *StateMonitor) Entry() store.Monitor {
	return store.Monitor{Kind: m.Kind(), Recorded: int64(len(m.Items)), Samples: int64(m.Len()), Variables: m.Vars}
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

// RateMonitor records the mean rate of a group in every step: Brian2's
// PopulationRateMonitor.
type RateMonitor struct {
	Object
	ColumnList
	Src     Span // the neurons counted
	t, rate *Column
}

// PopulationRateMonitor records the population rate of src, in Hz, in every step.
func (n *Network) PopulationRateMonitor(src Cells, o RateMonitorOptions) (*RateMonitor, error) {
	if err := notNil("PopulationRateMonitor: source", src); err != nil {
		return nil, err
	}
	m := &RateMonitor{Src: src.Span(), t: &Column{Name: "t", Unit: Second, Type: store.Float64}, rate: &Column{Name: "rate", Unit: hertz, Type: store.Float64}}
	m.ColumnList = ColumnList{m.t, m.rate}
	if err := checkFiles(o.Name, nil); err != nil {
		return nil, err
	}
	if !m.Src.Group.hasEvent("spike") {
		return nil, argErrorf("source", "%s does not spike: it has no threshold", m.Src.Group.Name())
	}
	return m, n.register(m, o.Name, "ratemonitor")
}

// Kind is "rate".
func (m *RateMonitor) Kind() string { return "rate" }

// Len is the number of samples.
func (m *RateMonitor) Len() int { return m.t.Len() }

// Entry is what the manifest says of the monitor.
func (m *RateMonitor) Entry() store.Monitor {
	return store.Monitor{Kind: m.Kind(), Samples: int64(m.Len())}
}

// T returns the time of each sample in seconds; nil where its file cannot be read.
func (m *RateMonitor) T() []float64 { return m.times() }

// Rate returns the population rate of each step in Hz: spikes / (N dt); nil where
// its file cannot be read.
func (m *RateMonitor) Rate() []float64 {
	v, _ := m.rate.Floats()
	return v
}

// Batch is the entries of one record after a Run of the backend: how many there
// are of each step from step on, their neurons (of spikes), and each value.
type Batch struct {
	Step          int64      // the first
	Counts, Index []uint32   // entries of each step; the neuron of each entry
	Values        [][]uint32 // words, of each variable
}

// Taker is whom the entries of a record are for.
type Taker interface{ Take(*Batch) }

// Take counts the events.
func (e *GroupEvent) Take(b *Batch) { e.Counts += uint64(len(b.Index)) }

// Take takes in a batch of events.
func (m *SpikeMonitor) Take(b *Batch) {
	at := 0
	for s, n := range b.Counts {
		t := float64(float64(b.Step+int64(s)) * m.Src.Group.Dt())
		for _, i := range b.Index[at : at+int(n)] {
			if k := int(i) - m.Src.Lo; k >= 0 && int(i) < m.Src.Hi {
				m.count[k]++
				m.num++
				if m.record {
					m.i.int32(int32(k))
					m.t.float64(t)
				}
			}
		}
		at += int(n)
	}
	for k, c := range m.takes {
		if c != nil {
			c.words(m.Slots[k], b.Values[k])
		}
	}
}

// Take takes in a batch of spikes.
func (m *RateMonitor) Take(b *Batch) {
	at, dt := 0, m.Src.Group.Dt()
	for s, n := range b.Counts {
		fired := 0
		for _, i := range b.Index[at : at+int(n)] {
			if int(i) >= m.Src.Lo && int(i) < m.Src.Hi {
				fired++
			}
		}
		at += int(n)
		m.t.float64(float64(float64(b.Step+int64(s)) * dt))
		m.rate.float64(float64(fired) / float64(float64(m.Src.Hi-m.Src.Lo)*dt))
	}
}

// Sampled is one variable of a StateMonitor.
type Sampled struct {
	M     *StateMonitor // whose variable it is
	K     int           // its index in Vars
	Times bool          // it brings the times of all
}

// Take takes in a batch of samples.
func (s *Sampled) Take(b *Batch) {
	if c := s.M.takes[s.K]; c != nil {
		c.words(s.M.Slots[s.K], b.Values[0])
	}
	if !s.Times {
		return
	}
	for q, n := range b.Counts {
		if n > 0 {
			s.M.t.float64(float64(float64(b.Step+int64(q)) * s.M.Src.Group.Dt()))
		}
	}
}

// Ahead is what a monitor will record in so many steps, in bytes, as far as that
// is known before: nobody knows the number of spikes.
func (m *SpikeMonitor) Ahead(int64) int64 { return 0 }

// Ahead is the bytes of all samples of so many steps.
func (m *StateMonitor) Ahead(steps int64) int64 {
	samples := steps
	if k := math.Round(m.Every / m.Dt()); k > 1 {
		samples = int64(math.Ceil(float64(steps) / k))
	}
	return samples * m.SampleBytes()
}

// Ahead is the bytes of so many steps.
func (m *RateMonitor) Ahead(steps int64) int64 { return steps * m.SampleBytes() }

// SampleBytes is what one sample of each column takes.
func (c ColumnList) SampleBytes() (b int64) {
	for _, x := range c {
		b += int64(max(x.Rows, 1) * x.Type.Size())
	}
	return b
}
