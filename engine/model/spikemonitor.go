package model

import (
	"fmt"

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
	m.of = &s.Group.Object
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
	return store.Monitor{Kind: m.Kind(), Events: m.num, Variables: m.Vars, Source: m.Source(), Neurons: int64(m.N()), StartS: m.Began()}
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

// Source is the name of what the monitor records: a population, or a part of one as "P[0:800]".
func (m *SpikeMonitor) Source() string { return m.Src.name() }

func (m *SpikeMonitor) groups() []*NeuronGroup { return []*NeuronGroup{m.Src.Group} }

// Event is the event that the monitor records: "spike", or a custom one.
func (m *SpikeMonitor) Event() string { return m.On }

// Recording tells whether the monitor keeps indices and times, or counts only.
func (m *SpikeMonitor) Recording() bool { return m.record }

// Take takes in a batch of events.
func (m *SpikeMonitor) Take(b *Batch) {
	at, dt, every := 0, m.Dt(), m.Every()
	for s, n := range b.Counts {
		t := float64(float64((b.Step+int64(s))/every) * dt)
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

// Ahead is what a monitor will record in so many steps, in bytes, as far as that
// is known before: nobody knows the number of spikes.
func (m *SpikeMonitor) Ahead(int64) int64 { return 0 }

// Watches is the event, with the variables.
func (m *SpikeMonitor) Watches() []Watch {
	return []Watch{{Name: m.AutoName, When: m.When, Order: m.InSlot, To: m, Event: m.Src.Group.Event(m.On), Of: m.Src, Values: m.Slots}}
}

// check refuses a place in the step that has become one before the event's.
func (m *SpikeMonitor) check() error { return m.afterEvent(m.AutoName) }
