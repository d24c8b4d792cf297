package engine

// Source is the name of what the monitor records: a population, or a part of one as "P[0:800]".
func (m *SpikeMonitor) Source() string { return m.src.name() }

// Source is the name of what the monitor samples.
func (m *StateMonitor) Source() string { return m.src.name() }

func (m *SpikeMonitor) span() span { return m.src }
func (m *StateMonitor) span() span { return m.src }
func (m *RateMonitor) span() span  { return m.src }

// Source is the name of the population that the monitor counts.
func (m *RateMonitor) Source() string { return m.src.name() }

// Event is the event that the monitor records: "spike", or a custom one.
func (m *SpikeMonitor) Event() string { return m.event }

// Recording tells whether the monitor keeps indices and times, or counts only.
func (m *SpikeMonitor) Recording() bool { return m.record }

func (s span) name() string {
	if s.lo == 0 && s.hi == s.g.n {
		return s.g.Name()
	}
	return (&Subgroup{s: s}).Name()
}
