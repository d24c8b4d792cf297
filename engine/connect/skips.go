package connect

import (
	"math"
	"math/bits"
	"sort"
)

// skips is the geometric distribution of the distance to the next pair, for
// Bernoulli rows: a word below less[m] and not below less[m-1] skips m pairs,
// one that is not below the last skips them all and is drawn again, which is
// the same since the distribution has no memory. Probabilities are exact to
// 2^-32.
type skips struct {
	less  []uint32 // round(2^32 * (1 - (1-p)^(m+1))), at most 2^32-1
	guide []uint32 // by a word's upper bits: the least m that it may mean
	shift int
}

// newSkips makes the table of probability p < 1.
func newSkips(p float64) *skips {
	length := 1 << 16
	if p*float64(length) > 4 {
		length = int(4/p) + 1
	}
	s := &skips{}
	for stay, m := 1.0, 0; m < length; m++ {
		stay = float64(stay * (1 - p))
		t := math.Floor(float64((1-stay)*0x1p32) + 0.5)
		if t > math.MaxUint32 {
			break
		}
		s.less = append(s.less, uint32(t))
	}
	if s.less == nil { // p is 1 to the last bit
		s.less = []uint32{math.MaxUint32}
	}
	bit := min(max(bits.Len(uint(len(s.less))), 4), 16)
	s.shift = 32 - bit
	s.guide = make([]uint32, 1<<bit)
	for g := range s.guide {
		s.guide[g] = uint32(sort.Search(len(s.less), func(m int) bool { return s.less[m] > uint32(g)<<s.shift }))
	}
	return s
}

// next is how many pairs word w skips, and whether a pair stands there.
func (s *skips) next(w uint32) (int, bool) {
	m := s.guide[w>>s.shift]
	for int(m) < len(s.less) && s.less[m] <= w {
		m++
	}
	return int(m), int(m) < len(s.less)
}
