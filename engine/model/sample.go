package model

import (
	"math"

	"synfire/engine/philox"
)

// drawer takes random words for the lists that the host makes itself: item
// chooses the row, draw counts within it.
type drawer struct {
	key    [2]uint32
	stream uint32
}

func sampler(key [2]uint32, stream uint32) drawer { return drawer{key, stream} }

func (d drawer) word(item, draw uint32) uint32 { return philox.Word(item, 0, draw, d.stream, d.key) }

// bernoulli takes each of n with the probability whose float32 word is p.
func (d drawer) bernoulli(w Work, item uint32, n int, p uint32, take func(int) error) error {
	limit := float64(float64(math.Float32frombits(p)) * 0x1p32)
	whole := math.Floor(limit)
	for k := range n {
		word := float64(d.word(item, uint32(k)))
		if word == whole && limit < 1<<16 { // a small probability, which a second word tells as precisely
			word += float64(float64(philox.Word(item, 1, uint32(k), d.stream, d.key)) * 0x1p-32)
		} else if word == whole {
			word = limit
		}
		if word < limit {
			if err := take(k); err != nil {
				return err
			}
		}
		if k%(1<<20) == 1<<20-1 && w.Err() != nil {
			return w.Err()
		}
	}
	return nil
}

// choose takes size of n without repetition, in ascending order (selection
// sampling, Knuth, TAOCP 2, algorithm S).
func (d drawer) choose(w Work, item uint32, n, size int, take func(int) error) error {
	for k := 0; k < n && size > 0; k++ {
		if uint64(d.word(item, uint32(k)))*uint64(n-k) < uint64(size)<<32 {
			if err := take(k); err != nil {
				return err
			}
			size--
		}
		if k%(1<<20) == 1<<20-1 && w.Err() != nil {
			return w.Err()
		}
	}
	return nil
}
