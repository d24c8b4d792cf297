package compare

import "errors"

// ErrNotFound says that a difference did not come again when it was looked for.
var ErrNotFound = errors.New("the difference did not come again")

// First returns the least step, in (lo, hi], at which a difference shows, given
// that none shows at lo and one does at hi. probe looks at ascending steps and
// returns the index of the first that differs, -1 if none does. Each pass cuts
// the interval into ways parts, so that a probe that costs the same for many
// points as for one (a run of the model) is called rarely: with 32 ways, twice
// for 1,000 steps.
//
// A difference that comes and goes has several first steps; First returns one
// before which the states are equal. If a probe sees none, where one was seen
// before, the error is ErrNotFound.
func First(lo, hi int64, ways int, probe func(points []int64) (int, error)) (int64, error) {
	if ways < 2 {
		ways = 2
	}
	seen := false
	for hi-lo > 1 || !seen {
		parts := min(int64(ways), hi-lo)
		points := make([]int64, parts)
		for k := range points {
			points[k] = lo + int64(float64(hi-lo)*float64(k+1)/float64(parts))
		}
		points[parts-1] = hi
		at, err := probe(points)
		if err != nil {
			return hi, err
		}
		if at < 0 {
			return hi, ErrNotFound
		}
		seen = true
		hi = points[at]
		if at > 0 {
			lo = points[at-1]
		}
	}
	return hi, nil
}
