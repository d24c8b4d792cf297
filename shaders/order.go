package shaders

import (
	"math/bits"
	"slices"
)

// spikesInOrder brings the entries of a spike record, which a device appends in any order, into that of steps and
// neurons: how many each of done steps has, the neurons (from lo up to hi), and which entry each is. An entry is
// width words, the step and the neuron first; those of later steps are left out.
//
// Entries are counted by step; those of a step that has many are then marked in a mask of the neurons and
// read off it, which takes no sort, and those of a step that has few are sorted.
func spikesInOrder(raw []uint32, width, lo, hi, done int) (count, index, entry []uint32) {
	count = make([]uint32, done)
	for z := 0; z < len(raw); z += width {
		if s := raw[z]; s < uint32(done) {
			count[s]++
		}
	}
	next, total := make([]uint32, done), uint32(0)
	for s, k := range count {
		next[s] = total
		total += k
	}
	index, entry = make([]uint32, total), make([]uint32, total)
	for z := 0; z < len(raw); z += width {
		if s := raw[z]; s < uint32(done) {
			index[next[s]], entry[next[s]] = raw[z+1], uint32(z/width)
			next[s]++
		}
	}
	var mask []uint64
	var place []uint32 // of marked neurons: their entry
	var keys []uint64
	for s, k := range count {
		of, from := index[next[s]-k:next[s]], entry[next[s]-k:next[s]]
		if k < 2 {
			continue
		}
		if 8*int(k) < (hi-lo)/64 {
			keys = keys[:0]
			for i, n := range of {
				keys = append(keys, uint64(n)<<32|uint64(from[i]))
			}
			slices.Sort(keys)
			for i, x := range keys {
				of[i], from[i] = uint32(x>>32), uint32(x)
			}
			continue
		}
		if mask == nil {
			mask, place = make([]uint64, (hi-lo+63)/64), make([]uint32, hi-lo)
		}
		for i, n := range of {
			n -= uint32(lo)
			mask[n/64] |= 1 << (n % 64)
			place[n] = from[i]
		}
		i := 0
		for w, m := range mask {
			if m == 0 {
				continue
			}
			for mask[w] = 0; m != 0; m &= m - 1 {
				n := uint32(64*w + bits.TrailingZeros64(m))
				of[i], from[i] = n+uint32(lo), place[n]
				i++
			}
		}
	}
	return count, index, entry
}
