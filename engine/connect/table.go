package connect

// Range is the targets Lo to Hi-1 of a Spec.
type Range struct{ Lo, Hi int }

// MaxTile is the largest number of targets of one tile.
const MaxTile = 1 << 16

// Table is what one tile of targets receives: synapses by source, then by
// delay, packed. Backends read the slices directly and never write them.
//
// The synapses of source s with delay Delays[d] are entries
// Index[s*D+d] to Index[s*D+d+1]-1, D = len(Delays); so the synapses of a source
// lie together, from Index[s*D] to Index[(s+1)*D]-1. Entry e goes to local target
// and adds the weight (in units of 1/Scale)
//
//	Width  0: Targets[e]             Uniform
//	Width 16: Packed[e] & 0xffff     int32(Packed[e]) >> 16
//	Width 32: Targets[e]             Weights[e]
//
// A local target is a position in the tile's ranges laid end to end. The
// capacity of Targets, Packed and Weights is at least 64 bytes more than their
// length, so that vector loads may read past the end. Within a group the order
// of entries is a function of the Spec and the tile.
type Table struct {
	Tile    []Range
	NSrc    int
	NTgt    int // local targets
	Width   int
	Uniform int32
	Delays  []uint16 // steps, ascending: those that occur in the Spec
	Index   []uint32 // NSrc*len(Delays) + 1 words
	Targets []uint16
	Packed  []uint32
	Weights []int32

	memory [4]memory
}

// Entries is the number of synapses in the table.
func (t *Table) Entries() int { return int(t.Index[len(t.Index)-1]) }

// Bytes is the memory that the table occupies.
func (t *Table) Bytes() int64 {
	return int64(4*len(t.Index) + 2*cap(t.Targets) + 4*cap(t.Packed) + 4*cap(t.Weights) + 2*len(t.Delays))
}

// Huge is the number of bytes of the table that lie on huge pages, as far as
// the system tells.
func (t *Table) Huge() int64 {
	var n int64
	for i := range t.memory {
		n += t.memory[i].huge()
	}
	return n
}

// Close gives the table's memory back; its slices must not be used any more.
func (t *Table) Close() {
	t.Index, t.Targets, t.Packed, t.Weights = nil, nil, nil, nil
	for i := range t.memory {
		t.memory[i].free()
	}
}

// Cut divides n targets into at least tiles equal tiles of one range each, more
// where a tile would pass MaxTile.
func Cut(n, tiles int) [][]Range {
	tiles = max(tiles, 1, (n+MaxTile-1)/MaxTile)
	out := make([][]Range, tiles)
	for t := range out {
		out[t] = []Range{{n * t / tiles, n * (t + 1) / tiles}}
	}
	return out
}
