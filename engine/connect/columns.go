package connect

// Want says which columns to compute.
type Want uint8

// Columns to compute; I and J always are.
const (
	WantSteps  Want = 1 << iota // delays in steps
	WantDelay                   // delays in the internal unit of time
	WantWeight                  // weights in the internal unit, not yet rounded to a table's scale
)

// Columns are synapses K0, K0+1, ... of a projection.
type Columns struct {
	K0     int
	I, J   []uint32  // indices in the source and target range
	Steps  []uint16  // WantSteps
	Delay  []float32 // WantDelay
	Weight []float32 // WantWeight
}

// Count is the number of synapses.
func (p *Proj) Count(threads int) (int, error) { panic("not yet") }

// Columns computes synapses k0 to k1-1.
func (p *Proj) Columns(k0, k1 int, want Want) (*Columns, error) { panic("not yet") }

// Walk computes synapses k0 to k1-1 in blocks of some thousand, on threads
// threads (0: all cores), and calls f for each block, from several goroutines at a time and
// in any order; worker numbers them from 0. What f gets is overwritten after it returned.
// The first error, by k, ends the walk.
func (p *Proj) Walk(k0, k1, threads int, want Want, f func(worker int, c *Columns) error) error {
	panic("not yet")
}

// With is the projection with other weights and delays on the same pairs,
// which it does not draw again.
func (p *Proj) With(weight, delay Column) *Proj { panic("not yet") }

// Fix is the fixed-point form of a weight: floor(w*scale + 0.5), scale a power of two.
func Fix(w float32, scale float64) int64 { panic("not yet") }

// Adjacency lists, for each source (or, by target, for each target) of a Spec,
// the synapses at it. Those of row r with delay Delays[d] are
// K[Index[r*D+d] : Index[r*D+d+1]], D = len(Delays), ascending: numbers through the Spec's
// projections in order.
type Adjacency struct {
	Delays []uint16 // steps, ascending: those that occur
	Index  []uint32
	K      []uint32
}

// Adjacent makes the adjacency of all synapses by source, or by target.
func Adjacent(s *Spec, byTarget bool, threads int) (*Adjacency, error) { panic("not yet") }
