package shaders

import (
	"fmt"
	"unsafe"

	"synfire/engine/connect"
)

// listing says which rows a stage walks: packed tables for delivery, or the
// synapses of each source or target.
type listing struct {
	spec         *connect.Spec
	effect, post bool
}

// rowsKey is what rows are of, and how they are cut.
type rowsKey struct {
	listing
	far         bool // they list far ends
	most, chunk int
}

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

// rows are the rows of a listing on the device.
type rows struct {
	delays   []uint16
	tiles    int
	pieces   int // of a row in a tile
	chunk    int // entries of a piece
	longest  int // entries of one row and delay
	synapses int
	selves   bool // of an effect: entries number themselves
	shards   []*shard
	of       rowsKey
	memory   []*memoryBuffer // of the shards
	users    int             // programs

	// Of delivery alone.
	cutsOf []uint32 // pieces of each row and tile that are not empty at every delay
	parts  int      // all of them
	near   int      // most entries of a row at the first delay
}

// cuts is into how many parts a row is cut.
func (r *rows) cuts() int { return r.tiles * r.pieces }

// measure chooses into how many pieces rows are cut: at least chunk entries each,
// at most 64 of them.
func (r *rows) measure(sets []rowSet, chunk int) {
	n := uint32(0)
	for i := range sets {
		x := sets[i].index
		for k := 1; k < len(x); k++ {
			n = max(n, x[k]-x[k-1])
		}
	}
	r.tiles, r.longest = len(sets), int(n)
	r.chunk = max(chunk, ((r.longest+63)/64+31)&^31)
	r.pieces = max(1, (r.longest+r.chunk-1)/r.chunk)
}

// count counts the pieces of each row.
func (r *rows) count(sets []rowSet) {
	delays := len(r.delays)
	if delays == 0 {
		return
	}
	n := (len(sets[0].index) - 1) / delays
	r.cutsOf = make([]uint32, n*r.tiles)
	for row := range n {
		near := 0
		for tile := range sets {
			x := sets[tile].index[row*delays : (row+1)*delays+1]
			longest := uint32(0)
			for d := range delays {
				longest = max(longest, x[d+1]-x[d])
			}
			pieces := (int(longest) + r.chunk - 1) / r.chunk
			r.cutsOf[row*r.tiles+tile] = uint32(pieces)
			r.parts += pieces
			near += int(x[1] - x[0])
		}
		r.near = max(r.near, near)
	}
}
