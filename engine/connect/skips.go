package connect

import (
	"math"
	"math/bits"

	"synfire/engine/ir"
	"synfire/engine/num"
)

// skips is the geometric distribution of the distance to the next pair, for
// Bernoulli rows: a word below less[m] and not below less[m-1] skips m pairs,
// one that is not below the last skips them all and is drawn again, which is
// the same since the distribution has no memory. Probabilities are exact to
// 2^-32. A rare pair is found by the logarithm of a number of 64 bits instead.
type skips struct {
	p     float64
	rare  float64  // log(1-p) where p is below rarely, else 0
	less  []uint32 // round(2^32 * (1 - (1-p)^(m+1))), at most 2^32-1
	guide []uint32 // by a word's upper bits: twice the least m that it may mean, and 1 if it may mean others
	shift int
}

// newSkips makes the table of probability p < 1.
func newSkips(p float64) *skips {
	if p < ir.Rarely {
		return &skips{p: p, rare: min(num.Log1p(-p), -math.SmallestNonzeroFloat64)}
	}
	length := 1 << 16
	if p*float64(length) > 4 {
		length = int(4/p) + 1
	}
	s := &skips{p: p}
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
	bit := min(max(bits.Len(uint(len(s.less)))+3, 4), 16) // most entries mean one m
	s.shift = 32 - bit
	s.guide = make([]uint32, 1<<bit)
	m := 0
	for g := range s.guide {
		first := uint32(g) << s.shift
		for m < len(s.less) && s.less[m] <= first {
			m++
		}
		s.guide[g] = uint32(2 * m)
		if m < len(s.less) && s.less[m] <= first|(1<<s.shift-1) {
			s.guide[g]++
		}
	}
	return s
}

// next is how many pairs word w skips, and whether a pair stands there.
func (s *skips) next(w uint32) (int, bool) {
	c := s.guide[w>>(s.shift&31)]
	m := int(c / 2)
	if c&1 != 0 {
		for m < len(s.less) && s.less[m] <= w {
			m++
		}
	}
	return m, m < len(s.less)
}

// row goes on with a row of size pairs that has come to pair at, by words w: it
// appends the pairs that stand to ends and returns where it is then.
func (s *skips) row(w []uint32, at, size int, ends []uint32) (int, []uint32) {
	if s.rare < 0 {
		for n := 0; n+1 < len(w) && at < size; n += 2 {
			u := (float64(w[n]) + float64((float64(w[n+1])+0.5)*0x1p-32)) * 0x1p-32
			m := num.Log1p(-u) / s.rare
			if !(m < float64(size-at)) {
				return size, ends
			}
			at += int(m)
			ends = append(ends, uint32(at))
			at++
		}
		return at, ends
	}
	for n := 0; n < len(w) && at < size; n++ {
		m, found := s.next(w[n])
		if at += m; found && at < size {
			ends = append(ends, uint32(at))
			at++
		}
	}
	return at, ends
}
