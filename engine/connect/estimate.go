package connect

import (
	"math"

	"synfire/engine/host"
)

// Memory is what tables will occupy, in bytes.
type Memory struct {
	Synapses int64 // expected; exact after Measure
	Entries  int64 // targets and weights
	Index    int64
	Scratch  int64 // more while building: row starts, counters, places
}

// Total is the peak.
func (m Memory) Total() int64 { return m.Entries + m.Index + m.Scratch }

// Estimate tells the memory of Build without allocating or drawing anything.
// Before Measure it expects Bernoulli's mean number of synapses, all pairs of a
// condition, and all delays within the bounds of the delay columns.
func Estimate(s *Spec, tiles int, w host.Work) Memory {
	var m Memory
	delays := 1
	lo, hi := math.Inf(1), 0.0
	for _, p := range s.Projs {
		rows, pairs := float64(p.NPre), 0.0
		switch p.Rule {
		case OneToOne:
			pairs = float64(p.NPre)
		case AllToAll, Bernoulli:
			pairs = float64(float64(p.NPre) * float64(p.NPost) * p.guess())
			if p.ByTarget {
				rows = float64(p.NPost)
			}
		case FixedTotal:
			pairs = float64(p.N)
		case FixedIndegree:
			pairs, rows = float64(float64(p.N)*float64(p.NPost)), 0
		case FixedOutdegree:
			pairs, rows = float64(float64(p.N)*float64(p.NPre)), 0
		case Given:
			pairs = float64(len(p.J))
		}
		n := float64(pairs * float64(max(p.Repeat, 1)))
		m.Synapses += int64(min(n, 0x1p62))
		m.Scratch += int64(4 * rows)
		a, b := p.Delay.Const, p.Delay.Const
		if p.Delay.Prog != nil || p.Delay.Array != nil {
			a, b = p.Delay.Lo, p.Delay.Hi
			for _, d := range p.Delay.Array {
				a, b = min(a, float64(d)), max(b, float64(d))
			}
		}
		if p.Unit != 0 {
			a, b = float64(a*p.Unit*p.Delay.each()), float64(b*p.Unit*p.Delay.each())
		}
		lo, hi = min(lo, a), max(hi, b)
	}
	if hi > lo {
		delays = int(min(hi-lo, MaxDelay)) + 2
	}
	if st := s.stats.Load(); st != nil {
		m.Synapses, delays = st.Total, len(st.Delays)
	}
	tiles = max(tiles, 1)
	m.Entries = m.Synapses*map[int]int64{0: 2, 16: 4, 32: 6}[s.Width] + int64(pad*tiles)
	m.Index = 4 * (int64(s.NSrc)*int64(delays) + 1) * int64(tiles)
	largest := 0
	for _, p := range s.Projs {
		largest = max(largest, p.NPost)
	}
	// 16 bytes for each target (place, degree, bound), counters of each thread,
	// the delays' column, and some megabytes for each thread's block.
	m.Scratch += int64(16*s.NTgt) + int64(workers(w))*(int64(4*largest)+4<<20)
	return m
}
