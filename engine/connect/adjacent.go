package connect

import (
	"fmt"
	"math"

	"synfire/engine/host"
)

// Adjacency lists, for each source (or, by target, for each target) of a Spec,
// the synapses at it. Those of row r with delay Delays[d] are
// K[Index[r*D+d] : Index[r*D+d+1]], D = len(Delays), ascending: numbers through
// the Spec's projections in order.
type Adjacency struct {
	Delays []uint16 // steps, ascending: those that occur
	Index  []uint32
	K      []uint32
}

// Adjacent makes the adjacency of all synapses by source, or by target.
func Adjacent(s *Spec, byTarget bool, w host.Work) (*Adjacency, error) {
	st, err := Measure(s, w)
	if err != nil {
		return nil, err
	}
	if st.Total > math.MaxUint32 {
		return nil, fmt.Errorf("%s: %d synapses; at most 2^32-1 can be listed by row", s.Name, st.Total)
	}
	rows, d := s.NSrc, len(st.Delays)
	if byTarget {
		rows = s.NTgt
	}
	if err := w.Room(4*(st.Total+int64(rows)*int64(d)), "%s: %d synapses listed by row", s.Name, st.Total); err != nil {
		return nil, err
	}
	a := &Adjacency{Delays: st.Delays, Index: make([]uint32, rows*d+1), K: make([]uint32, st.Total)}
	column := make([]uint16, MaxDelay+1)
	for n, x := range st.Delays {
		column[x] = uint16(n)
	}
	// In order, so that each group ascends; Index[g+1] counts, then is where the
	// next synapse of group g goes.
	each := func(f func(g int, k uint32)) error {
		first := 0
		for n, p := range s.Projs {
			err := p.Walk(host.Work{Ctx: w.Ctx, Threads: 1}, 0, int(st.Count[n]), WantSteps, func(_ int, c *Columns) error {
				ends, row0 := c.I, p.Row0
				if byTarget {
					ends, row0 = c.J, p.Tgt0
				}
				for k, e := range ends {
					f((row0+int(e))*d+int(column[c.Steps[k]]), uint32(first+c.K0+k))
				}
				return nil
			})
			if err != nil {
				return err
			}
			first += int(st.Count[n])
		}
		return nil
	}
	next := a.Index[1:]
	if err := each(func(g int, _ uint32) { next[g]++ }); err != nil {
		return nil, err
	}
	at := uint32(0)
	for g, c := range next {
		next[g] = at
		at += c
	}
	err = each(func(g int, k uint32) {
		a.K[next[g]] = k
		next[g]++
	})
	return a, err
}
