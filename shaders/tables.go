package shaders

import (
	"fmt"
	"unsafe"

	"synfire/engine/connect"
)

// rowSet is one tile's rows before they are cut into shards: the entries of
// row r with delay d are index[r*D+d] to index[r*D+d+1]-1 of its columns, of which
// there may be none.
type rowSet struct {
	index   []uint32
	halves  []uint16 // two entries in a word
	words   []uint32 // one
	weights []uint32 // one more, beside the others: weights, or far ends
	target0 int
}

// rowsOf presents a connect.Table.
func rowsOf(t *connect.Table) rowSet {
	r := rowSet{index: t.Index, target0: t.Tile[0].Lo}
	switch t.Width {
	case 16:
		r.words = t.Packed
	case 32:
		r.halves = t.Targets
		if len(t.Weights) > 0 {
			r.weights = unsafe.Slice((*uint32)(unsafe.Pointer(&t.Weights[0])), len(t.Weights))
		}
	default:
		r.halves = t.Targets
	}
	return r
}

// words is the size of rows a to b-1 as a shard.
func (r *rowSet) size(delays, a, b int) (index, entries, weights int) {
	n := int(r.index[b*delays]-r.index[a*delays]) + 1 // one more where the first is odd
	index = (b-a)*delays + 1
	switch {
	case r.words != nil:
		entries = n
	case r.halves != nil:
		entries = (n + 1) / 2
	}
	if r.weights != nil {
		weights = n
	}
	return
}

// cutShards cuts a tile's rows into shards of at most most words.
func (r *rowSet) cutShards(tile, delays, most int) ([]*shard, error) {
	var out []*shard
	rows := (len(r.index) - 1) / max(delays, 1)
	for a := 0; a < rows; {
		total := func(b int) int { i, e, w := r.size(delays, a, b); return i + e + w }
		b := a + 1
		if total(b) > most {
			return nil, fmt.Errorf("the synapses of one row (that of neuron %d) take %d bytes, the device's blocks hold %d", a, 4*total(b), 4*most)
		}
		for step := rows - b; step > 0; { // the largest b that fits
			if b+step <= rows && total(b+step) <= most {
				b += step
			} else {
				step /= 2
			}
		}
		out = append(out, &shard{tile: tile, row0: a, row1: b, base: r.target0})
		a = b
	}
	return out, nil
}

// fill hands the words of a shard to put, in order and in blocks.
func (r *rowSet) fill(h *shard, delays int, put func(off int, words []uint32)) {
	first := r.index[h.row0*delays] &^ 1
	index := r.index[h.row0*delays : h.row1*delays+1]
	block := make([]uint32, 0, min(len(index), 1<<20))
	for at := 0; at < len(index); at += len(block) {
		block = block[:0]
		for _, e := range index[at:min(at+cap(block), len(index))] {
			block = append(block, e-first)
		}
		put(at, block)
	}
	last := index[len(index)-1]
	h.entries, h.weights = len(index), len(index)
	n := int(last - first)
	switch {
	case r.words != nil:
		put(h.entries, r.words[first:last])
		h.weights = h.entries + n
	case r.halves != nil:
		whole := n / 2
		if whole > 0 {
			put(h.entries, unsafe.Slice((*uint32)(unsafe.Pointer(&r.halves[first])), whole))
		}
		if n%2 == 1 {
			put(h.entries+whole, []uint32{uint32(r.halves[last-1])})
		}
		h.weights = h.entries + (n+1)/2
	}
	if r.weights != nil {
		put(h.weights, r.weights[first:last])
	}
}

// longest is the largest number of entries of one row and delay.
func longest(sets []rowSet) int {
	n := uint32(0)
	for i := range sets {
		x := sets[i].index
		for k := 1; k < len(x); k++ {
			n = max(n, x[k]-x[k-1])
		}
	}
	return int(n)
}

// pieces chooses into how many pieces rows are cut: at least 256 entries each,
// at most 64 of them, since a team looks at every piece of a row, empty or not.
func pieces(longest int) (n, chunk int) {
	chunk = max(256, ((longest+63)/64+31)&^31)
	return max(1, (longest+chunk-1)/chunk), chunk
}
