package model

import (
	"synfire/engine/store"
)

// RateMonitorOptions are the further arguments of PopulationRateMonitor.
type RateMonitorOptions struct {
	Name string // of its files; "": ratemonitor, ...
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
	m.of = &m.Src.Group.Object
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
	return store.Monitor{Kind: m.Kind(), Samples: int64(m.Len()), Source: m.Src.name(), Neurons: int64(m.Src.Hi - m.Src.Lo), StartS: m.Began()}
}

// T returns the time of each sample in seconds; nil where its file cannot be read.
func (m *RateMonitor) T() []float64 { return m.times() }

// Rate returns the population rate of each step in Hz: spikes / (N dt); nil where
// its file cannot be read.
func (m *RateMonitor) Rate() []float64 {
	v, _ := m.rate.Floats()
	return v
}

func (m *RateMonitor) groups() []*NeuronGroup { return []*NeuronGroup{m.Src.Group} }

// Source is the name of the population that the monitor counts.
func (m *RateMonitor) Source() string { return m.Src.name() }

// Take takes in a batch of spikes.
func (m *RateMonitor) Take(b *Batch) {
	at, dt, every := 0, m.Dt(), m.Every()
	for s, n := range b.Counts {
		if (b.Step+int64(s))%every != 0 {
			continue
		}
		fired := 0
		for _, i := range b.Index[at : at+int(n)] {
			if int(i) >= m.Src.Lo && int(i) < m.Src.Hi {
				fired++
			}
		}
		at += int(n)
		m.t.float64(float64(float64((b.Step+int64(s))/every) * dt))
		m.rate.float64(float64(fired) / float64(float64(m.Src.Hi-m.Src.Lo)*dt))
	}
}

// Ahead is the bytes of so many steps.
func (m *RateMonitor) Ahead(steps int64) int64 { return m.Ticks(steps) * m.SampleBytes() }

// Watches is the spikes.
func (m *RateMonitor) Watches() []Watch {
	return []Watch{{Name: m.AutoName, To: m, Event: m.Src.Group.Event("spike"), Of: m.Src}}
}
