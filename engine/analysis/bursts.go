package analysis

// Burst is a run of spikes close to one another.
type Burst struct {
	Start, Stop float64 // s: of its first and last spike
	Spikes      int
}

// Bursts returns the longest runs of at least minSpikes times (s, in order) in which no interval is above maxISI, s.
// (Of one neuron: bursts in the sense of Cocatre-Zilgien and Delcomyn, J. Neurosci. Methods 41:19, 1992; of the spikes of
// all neurons: network bursts.)
func Bursts(t []float64, maxISI float64, minSpikes int) []Burst {
	var all []Burst
	for lo := 0; lo < len(t); {
		hi := lo
		for hi+1 < len(t) && t[hi+1]-t[hi] <= maxISI+1e-9 {
			hi++
		}
		if hi-lo+1 >= max(minSpikes, 2) {
			all = append(all, Burst{t[lo], t[hi], hi - lo + 1})
		}
		lo = hi + 1
	}
	return all
}

// Avalanches returns the sizes (spikes of all neurons) and lengths (bins) of neuronal avalanches: runs of bins of the given
// width, s, none of which is empty, between two empty ones (Beggs and Plenz, J. Neurosci. 23:11167, 2003). The first and
// last, which begin before or end after what was observed, are left out if their bins touch its ends.
func (s *Spikes) Avalanches(width float64) (sizes, lengths []int) {
	size, length, whole := 0, 0, false
	for _, c := range s.Counts(width) {
		if c > 0 {
			size, length = size+int(c), length+1
			continue
		}
		if length > 0 && whole {
			sizes, lengths = append(sizes, size), append(lengths, length)
		}
		size, length, whole = 0, 0, true
	}
	return sizes, lengths
}

// BranchingRatio returns the mean over non-empty bins of the given width, s, of the spikes in the next bin over those in
// the bin: about 1 where activity neither dies out nor grows (Beggs and Plenz 2003). NaN without spikes. No unit.
func (s *Spikes) BranchingRatio(width float64) float64 {
	c := s.Counts(width)
	sum, n := 0.0, 0.0
	for k := range len(c) - 1 {
		if c[k] > 0 {
			sum, n = sum+c[k+1]/c[k], n+1
		}
	}
	return sum / n
}
