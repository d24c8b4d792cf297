package model

// Source is the name of what the monitor records: a population, or a part of one as "P[0:800]".
func (m *SpikeMonitor) Source() string { return m.Src.name() }

// Source is the name of what the monitor samples.
func (m *StateMonitor) Source() string { return m.Src.name() }

// Span is the neurons that the monitor watches.
func (m *SpikeMonitor) Span() Span { return m.Src }

// Span is the neurons that the monitor is of.
func (m *StateMonitor) Span() Span { return m.Src }

// Span is the neurons that the monitor counts.
func (m *RateMonitor) Span() Span { return m.Src }

// Source is the name of the population that the monitor counts.
func (m *RateMonitor) Source() string { return m.Src.name() }

// Event is the event that the monitor records: "spike", or a custom one.
func (m *SpikeMonitor) Event() string { return m.On }

// Recording tells whether the monitor keeps indices and times, or counts only.
func (m *SpikeMonitor) Recording() bool { return m.record }

func (s Span) name() string {
	if s.Lo == 0 && s.Hi == s.Group.Size {
		return s.Group.Name()
	}
	return (&Subgroup{s: s}).Name()
}
