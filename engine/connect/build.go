package connect

import (
	"fmt"
	"math"
	"sync"

	"synfire/engine/host"
)

// Build makes one table for each tile, all at once, so that each synapse is
// drawn once. Tiles may leave targets out but must not share any. It calls Measure
// unless that was done. Errors name the projection and the synapse: a weight that
// does not fit in Width bits or lies outside its column's bounds; a tile of more
// than MaxTile targets or 2^32-1 entries.
//
// Where w has ranks, all of them call it, each with the tiles of which it makes the
// tables; no two may share a target.
//
// How: rows of lists by source are drawn in blocks, each block sorted by tile,
// source and delay in a worker's own memory and written where the blocks before
// it end. Lists by target, or in the order given, need two passes over
// themselves for each tile (count, then fill) around that; tiles run in parallel.
func Build(s *Spec, tiles [][]Range, w host.Work) ([]*Table, error) {
	st, err := Measure(s, w)
	if err != nil {
		return nil, err
	}
	b := &builder{s: s, st: st, work: w, d: len(st.Delays), of: []int{len(tiles)}}
	all, err := b.tell(tiles)
	if err != nil {
		return nil, err
	}
	if err := b.layout(all); err != nil {
		return nil, err
	}
	for _, pass := range []func() error{b.allocate, b.countScattered, b.sortRows, b.fillScattered} {
		if _, err := w.Meet(s.print(), 0, pass()); err != nil {
			b.close()
			return nil, err
		}
	}
	return b.tables, nil
}

// nowhere is the place of a target that no tile holds.
const nowhere = ^uint32(0)

// blockTarget is how many synapses are sorted together: enough lanes for each projection, in L2.
const blockTarget = 32768

// maxTiles keeps a tile's number and a local target in one word, apart from nowhere.
const maxTiles = 1<<16 - 1

type builder struct {
	s       *Spec
	st      *Stats
	work    host.Work
	d       int        // delays
	column  []uint16   // number of each delay in st.Delays
	of      []int      // tiles of each rank
	first   int        // own tile
	place   []uint32   // of each target: tile<<16 | local target, tiles of all ranks being numbered through
	entries []int64    // of each own tile
	tables  []*Table   // of each own tile
	limits  [][2]int64 // of each projection: least and largest fixed weight
	rows    []*rows
}

// layout finds each target's place and each tile's size.
func (b *builder) layout(tiles [][]Range) error {
	s := b.s
	if len(tiles) > maxTiles {
		return fmt.Errorf("%s: %d tiles; at most %d are possible", s.Name, len(tiles), maxTiles)
	}
	b.place = make([]uint32, s.NTgt)
	for t := range b.place {
		b.place[t] = nowhere
	}
	for tile, ranges := range tiles {
		local, entries := 0, int64(0)
		for _, r := range ranges {
			if r.Lo < 0 || r.Hi < r.Lo || r.Hi > s.NTgt {
				return fmt.Errorf("%s: tile %d: no targets %d to %d: there are %d", s.Name, tile, r.Lo, r.Hi, s.NTgt)
			}
			if local += r.Hi - r.Lo; local > MaxTile {
				return fmt.Errorf("%s: tile %d has more than %d targets", s.Name, tile, MaxTile)
			}
			for t := r.Lo; t < r.Hi; t++ {
				if b.place[t] != nowhere {
					return fmt.Errorf("%s: target %d is in tiles %d and %d", s.Name, t, b.place[t]>>16, tile)
				}
				b.place[t] = uint32(tile<<16 | (local - (r.Hi - t)))
				entries += int64(b.st.InDegree[t])
			}
		}
		if entries > math.MaxUint32 {
			return fmt.Errorf("%s: tile %d would have %d synapses, more than 2^32-1: make more tiles", s.Name, tile, entries)
		}
		if !b.owns(tile) {
			continue
		}
		b.entries = append(b.entries, entries)
		b.tables = append(b.tables, &Table{Tile: ranges, NSrc: s.NSrc, NTgt: local, Width: s.Width, Uniform: s.Uniform, Delays: b.st.Delays})
	}
	b.column = make([]uint16, MaxDelay+1)
	for n, d := range b.st.Delays {
		b.column[d] = uint16(n)
	}
	lo, hi := int64(math.MinInt32), int64(math.MaxInt32)
	switch s.Width {
	case 0, 32:
	case 16:
		lo, hi = math.MinInt16, math.MaxInt16
	default:
		return fmt.Errorf("%s: weights of %d bits; 0, 16 and 32 are possible", s.Name, s.Width)
	}
	for n, p := range s.Projs {
		r, err := p.ready(b.work)
		if err != nil {
			return err
		}
		b.rows = append(b.rows, r)
		limit := [2]int64{lo, hi}
		if p.Weight.Prog != nil {
			bound := Fix(float32(b.st.Bound[n]), s.Scale) + 1
			limit = [2]int64{max(lo, -bound), min(hi, bound)}
			if p.Weight.Lo != 0 || p.Weight.Hi != 0 {
				limit = [2]int64{max(lo, Fix(float32(p.Weight.Lo), s.Scale)), min(hi, Fix(float32(p.Weight.Hi), s.Scale))}
			}
		}
		b.limits = append(b.limits, limit)
	}
	return nil
}

func (b *builder) allocate() (err error) {
	for n, t := range b.tables {
		if t.Index, err = allocate[uint32](&t.memory[0], b.s.NSrc*b.d+1); err != nil {
			return err
		}
		size := int(b.entries[n])
		if t.Width == 16 {
			if t.Packed, err = allocate[uint32](&t.memory[1], size); err != nil {
				return err
			}
			continue
		}
		if t.Targets, err = allocate[uint16](&t.memory[2], size); err != nil {
			return err
		}
		if t.Width == 32 {
			if t.Weights, err = allocate[int32](&t.memory[3], size); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) close() {
	for _, t := range b.tables {
		t.Close()
	}
}

// want is the columns that a table's entries need.
func (b *builder) want() Want {
	if b.s.Width == 0 {
		return WantSteps
	}
	return WantSteps | WantWeight
}

// fixed turns weights into a table's words: those of the entry's upper half
// where they have 16 bits.
func (b *builder) fixed(proj int, c *Columns, out []uint32) error {
	if b.s.Width == 0 {
		return nil
	}
	scale, limit := b.s.Scale, b.limits[proj]
	lo, hi := float64(limit[0]), float64(limit[1])
	shift := uint(32-b.s.Width) & 31
	for k, w := range c.Weight {
		x := math.Floor(float64(float64(w)*scale) + 0.5)
		if !(x >= lo && x <= hi) {
			p := b.s.Projs[proj]
			return p.at(c, k, fmt.Errorf("the weight %g is %.0f units of 1/%g, outside %.0f to %.0f, its %d bits or its column's bounds", w, x, scale, lo, hi, b.s.Width))
		}
		out[k] = uint32(int32(x)) << shift
	}
	return nil
}

// put writes an entry.
func (t *Table) put(at, place, weight uint32) {
	switch t.Width {
	case 0:
		t.Targets[at] = uint16(place)
	case 16:
		t.Packed[at] = place&0xffff | weight
	default:
		t.Targets[at], t.Weights[at] = uint16(place), int32(weight)
	}
}

// scattered runs f over the synapses of the lists that are not by source, for
// each tile those whose targets may lie in it.
func (b *builder) scattered(want Want, f func(tile, proj int, c *Columns) error) error {
	none := true
	for _, r := range b.rows {
		none = none && (r.sorted || r.count() == 0)
	}
	if none {
		return nil
	}
	return parallel(b.work, len(b.tables), func(_, tile int) error {
		var bufs buffers
		for n, p := range b.s.Projs {
			r := b.rows[n]
			if r.sorted || r.count() == 0 {
				continue
			}
			parts := []Range{{0, r.n}}
			if r.byTarget {
				parts = nil
				for _, t := range b.tables[tile].Tile {
					parts = append(parts, Range{max(t.Lo-p.Tgt0, 0), min(t.Hi-p.Tgt0, r.n)})
				}
			}
			w, step := newWalker(&bufs, p, r), p.chunk(r, float64(r.count()))
			for _, part := range parts {
				for lo := part.Lo; lo < part.Hi; {
					if err := b.work.Err(); err != nil {
						return err
					}
					hi := min((lo/step+1)*step, part.Hi)
					c, err := w.run(lo, hi, 0, math.MaxInt, want)
					if err == nil {
						err = f(tile, n, c)
					}
					if err != nil {
						return err
					}
					lo = hi
				}
			}
		}
		return nil
	})
}

// countScattered leaves in Index[g+1] how many synapses of group g come from lists
// that are not by source.
func (b *builder) countScattered() error {
	return b.scattered(WantSteps, func(tile, proj int, c *Columns) error {
		p, index := b.s.Projs[proj], b.tables[tile].Index[1:]
		place, own := b.place[p.Tgt0:], uint32(b.first+tile)
		for k, j := range c.J {
			if place[j] != nowhere && place[j]>>16 == own {
				index[(p.Row0+int(c.I[k]))*b.d+int(b.column[c.Steps[k]])]++
			}
		}
		return nil
	})
}

// fillScattered puts those synapses behind the others of their group:
// Index[g+1] says where the next one goes, and in the end where group g+1 begins.
func (b *builder) fillScattered() error {
	fixed := make([][]uint32, len(b.tables))
	return b.scattered(b.want(), func(tile, proj int, c *Columns) error {
		p, t := b.s.Projs[proj], b.tables[tile]
		fixed[tile] = resize(fixed[tile], len(c.I))
		if err := b.fixed(proj, c, fixed[tile]); err != nil {
			return err
		}
		place, index, own := b.place[p.Tgt0:], t.Index[1:], uint32(b.first+tile)
		for k, j := range c.J {
			if place[j] != nowhere && place[j]>>16 == own {
				next := &index[(p.Row0+int(c.I[k]))*b.d+int(b.column[c.Steps[k]])]
				t.put(*next, place[j], fixed[tile][k])
				*next++
			}
		}
		return nil
	})
}

// sorter is one worker's memory in sortRows.
type sorter struct {
	buffers
	walkers []*walker // of each projection
	key     []uint32  // of each synapse of the block: (tile*rows + row)*delays + delay
	place   []uint32
	weight  []uint32
	next    []uint32 // of each key: the number of synapses, then where the next one goes
	size    []uint64 // of each tile: this block's entries, scattered ones among them
}

// turn hands the ends of the tiles from block to block, in order.
type turn struct {
	mu     sync.Mutex
	moved  sync.Cond
	block  int
	end    []uint64 // of each tile
	failed bool
}

// sortRows writes the entries of lists by source, and Index: afterwards
// Index[g+1] is where the scattered synapses of group g go.
func (b *builder) sortRows() error {
	s, tiles := b.s, 0
	for _, n := range b.of {
		tiles += n
	}
	if b.d == 0 || tiles == 0 {
		return nil
	}
	total, step := 0.0, 1
	for n, r := range b.rows {
		if r.sorted {
			total += float64(b.st.Count[n])
		}
	}
	step = int(blockTarget / max(1, total/float64(s.NSrc)))
	step = min(step, (1<<18)/(tiles*b.d), s.NSrc) // keys
	if b.work.Ranks != nil {                      // some blocks for each
		step = min(step, s.NSrc/(8*b.work.Ranks.Size()))
	}
	step = max(step, 1)
	if step > 4 {
		step = step / 4 * 4
	}
	if b.work.Ranks != nil {
		return b.swapRows(step, tiles)
	}
	sorters := make([]*sorter, workers(b.work))
	tn := &turn{end: make([]uint64, len(b.tables))}
	tn.moved.L = &tn.mu
	return parallel(b.work, (s.NSrc+step-1)/step, func(worker, item int) error {
		if sorters[worker] == nil {
			sorters[worker] = &sorter{walkers: make([]*walker, len(s.Projs)), size: make([]uint64, len(b.tables))}
		}
		err := b.sortBlock(sorters[worker], tn, item, item*step, min((item+1)*step, s.NSrc))
		if err != nil {
			tn.mu.Lock()
			tn.failed = true
			tn.mu.Unlock()
			tn.moved.Broadcast()
		}
		return err
	})
}

// sortBlock writes the entries of sources r0 to r1-1.
func (b *builder) sortBlock(w *sorter, tn *turn, number, r0, r1 int) error {
	rows, d := r1-r0, b.d
	keys := len(b.tables) * rows * d
	w.next = resize(w.next, keys)
	clear(w.next)
	w.key, w.place, w.weight = w.key[:0], w.place[:0], w.weight[:0]
	for n := range b.s.Projs {
		if err := b.collect(w, n, r0, r1); err != nil {
			return err
		}
	}
	for tile, t := range b.tables {
		sum := uint64(0)
		for _, c := range w.next[tile*rows*d : (tile+1)*rows*d] {
			sum += uint64(c)
		}
		for _, c := range t.Index[r0*d+1 : r1*d+1] { // scattered ones
			sum += uint64(c)
		}
		w.size[tile] = sum
	}
	if !tn.take(number, w.size) { // a block before this one failed
		return nil
	}
	for tile, t := range b.tables {
		at := uint32(w.size[tile])
		next, index := w.next[tile*rows*d:(tile+1)*rows*d], t.Index[r0*d+1:r1*d+1]
		for g, c := range next {
			next[g] = at
			at += c
			c, index[g] = index[g], at
			at += c
		}
	}
	switch b.s.Width {
	case 16:
		for n, key := range w.key {
			place := w.place[n]
			b.tables[place>>16].Packed[w.next[key]] = place&0xffff | w.weight[n]
			w.next[key]++
		}
	default:
		for n, key := range w.key {
			place := w.place[n]
			b.tables[place>>16].put(w.next[key], place, w.weight[n])
			w.next[key]++
		}
	}
	return nil
}

// take waits for block number's turn and exchanges its sizes for where it begins in each tile.
func (tn *turn) take(number int, size []uint64) bool {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	for tn.block != number {
		if tn.failed {
			return false
		}
		tn.moved.Wait()
	}
	for tile, n := range size {
		size[tile] = tn.end[tile]
		tn.end[tile] += n
	}
	tn.block++
	tn.moved.Broadcast()
	return true
}

// collect adds a projection's synapses of sources r0 to r1-1 to a block.
func (b *builder) collect(w *sorter, proj, r0, r1 int) error {
	p, r := b.s.Projs[proj], b.rows[proj]
	lo, hi := max(r0-p.Row0, 0), min(r1-p.Row0, r.n)
	if !r.sorted || lo >= hi || r.from(lo) == r.from(hi) {
		return nil
	}
	if w.walkers[proj] == nil {
		w.walkers[proj] = newWalker(&w.buffers, p, r)
	}
	c, err := w.walkers[proj].run(lo, hi, 0, math.MaxInt, b.want())
	if err != nil {
		return err
	}
	n, m := len(w.key), len(c.I)
	w.key, w.place, w.weight = grow(w.key, m), grow(w.place, m), grow(w.weight, m)
	key, place, weight := w.key[n:], w.place[n:], w.weight[n:]
	if err := b.fixed(proj, c, weight); err != nil {
		return err
	}
	places, row0 := b.place[p.Tgt0:p.Tgt0+p.NPost], uint32(p.Row0-r0)
	rows, d := uint32(r1-r0), uint32(b.d)
	column, next := b.column[:MaxDelay+1], w.next
	kept := 0
	steps, ends := c.Steps[:m], c.J[:m]
	for k, i := range c.I {
		at := places[ends[k]]
		if at == nowhere {
			continue
		}
		g := (at>>16*rows+i+row0)*d + uint32(column[steps[k]])
		next[g]++
		key[kept], place[kept], weight[kept] = g, at, weight[k]
		kept++
	}
	w.key, w.place, w.weight = w.key[:n+kept], w.place[:n+kept], w.weight[:n+kept]
	return nil
}

// grow adds n elements with any content.
func grow[T any](s []T, n int) []T {
	if len(s)+n > cap(s) {
		bigger := make([]T, len(s), (len(s)+n)*5/4+1024)
		copy(bigger, s)
		s = bigger
	}
	return s[:len(s)+n]
}
