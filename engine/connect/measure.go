package connect

// Stats is what one pass over all synapses of a Spec finds.
type Stats struct {
	Count       []int64  // synapses of each projection
	Total       int64    // of all
	Delays      []uint16 // steps, ascending: those that occur
	MinDelay    int      // steps; 0 without synapses
	MaxDelay    int      // steps; 0 without synapses
	InDegree    []uint32 // of each target of the Spec
	MaxInDegree int
	In          []float64 // for each target: sum of the bounds of |weight| of its synapses
	MaxIn       float64   // largest of In
	SD          []float64 // for each projection: standard deviation of its first 65,536 weights (all of an array), by float64 in order of k
	Bound       []float64 // for each projection: bound of |weight| (|Const|, largest of Array, Lo and Hi of Prog)
}

// Measure draws every synapse once, with threads threads (0: all cores), and
// keeps the result for later calls and for Build. Errors name the projection
// and, where one is at fault, the synapse: a rule that cannot be satisfied, an index out of range, a
// delay that is negative or beyond 65,535 steps, more than 2^31-1 synapses in a projection.
func Measure(s *Spec, threads int) (*Stats, error) { panic("not yet") }
