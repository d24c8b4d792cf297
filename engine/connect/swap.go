package connect

// tell tells all ranks each other's tiles, which lie in the order of ranks.
func (b *builder) tell(tiles [][]Range) ([][]Range, error) {
	ranks := b.work.Ranks
	if ranks == nil {
		return tiles, nil
	}
	var words []uint32
	for _, t := range tiles {
		words = append(words, uint32(len(t)))
		for _, r := range t {
			words = append(words, uint32(r.Lo), uint32(r.Hi))
		}
	}
	told, err := b.work.Meet(b.s.print(), 0, nil, words...)
	if err != nil {
		return nil, err
	}
	var all [][]Range
	b.of = nil
	for rank, words := range told {
		if rank == ranks.Rank() {
			b.first = len(all)
		}
		before := len(all)
		for len(words) > 0 {
			t := make([]Range, words[0])
			words = words[1:]
			for k := range t {
				t[k] = Range{int(words[2*k]), int(words[2*k+1])}
			}
			words, all = words[2*len(t):], append(all, t)
		}
		b.of = append(b.of, len(all)-before)
	}
	return all, nil
}

// owns says whether a tile is this rank's.
func (b *builder) owns(tile int) bool {
	return b.work.Ranks == nil || tile >= b.first && tile < b.first+b.of[b.work.Ranks.Rank()]
}

// piece is the synapses of one block of sources, sorted for the tiles of all ranks.
type piece struct {
	r0, r1 int
	count  []uint32 // of each tile, source and delay
	word   []uint32 // of each synapse: a word of Packed, or the local target
	weight []uint32 // Width 32
	from   []uint32 // of each tile: its first synapse; and where the last one ends
}

// inRound is how many blocks a worker sorts between two exchanges: so many that ranks seldom
// wait for each other, few enough that what is under way is little beside what a rank will hold.
func (b *builder) inRound() int {
	return int(max(1, min(8, b.st.Total/int64(64*blockTarget*b.work.Ranks.Size()))))
}

// swapRows is sortRows on ranks: each sorts its share of the blocks, and tells the
// owners of the targets, who put it behind what they have.
func (b *builder) swapRows(step, tiles int) error {
	ranks, rank, size := b.work.Ranks, b.work.Ranks.Rank(), b.work.Ranks.Size()
	per, blocks := b.inRound()*workers(b.work), (b.s.NSrc+step-1)/step
	sorters, pieces := make([]*sorter, workers(b.work)), make([]piece, per)
	var out []uint32
	of, end := make([]int, size), make([]uint64, len(b.tables))
	var failed error
	// In a round block first+slot*size+r is rank r's.
	for first := 0; first < blocks; first += per * size {
		sources := func(slot, r int) (r0, r1 int) {
			r0 = min((first+slot*size+r)*step, b.s.NSrc)
			return r0, min(r0+step, b.s.NSrc)
		}
		slot, err := handOut(b.work, per, func(worker, slot int) error {
			if sorters[worker] == nil {
				sorters[worker] = &sorter{walkers: make([]*walker, len(b.s.Projs))}
			}
			r0, r1 := sources(slot, rank)
			return b.sortPiece(sorters[worker], &pieces[slot], tiles, r0, r1)
		})
		if failed == nil {
			failed = err
		}
		out = out[:0]
		tile := 0
		for r, n := range b.of {
			begin := len(out)
			if failed == nil {
				out = b.pack(out, pieces, tile, tile+n)
			}
			of[r] = len(out) - begin
			tile += n
		}
		in := ranks.Swap(out, of)
		for r := range in {
			if len(in[r]) == 0 { // rank r has nothing to tell but an error
				_, err := b.work.Meet(b.s.print(), first+slot*size+rank, failed)
				return err
			}
		}
		failed = parallel(b.work, len(b.tables), func(_, tile int) error {
			parts := make([][]uint32, size)
			for r := range parts {
				parts[r] = section(in[r], tile)
			}
			for slot := range per {
				for r := range parts {
					r0, r1 := sources(slot, r)
					parts[r] = b.receive(tile, &end[tile], r0, r1, parts[r])
				}
			}
			return nil
		}) // an interruption, of which the others hear when they meet next
	}
	return failed
}

// sortPiece draws and sorts the synapses of sources r0 to r1-1.
func (b *builder) sortPiece(w *sorter, p *piece, tiles, r0, r1 int) error {
	p.r0, p.r1 = r0, r1
	each := (r1 - r0) * b.d
	w.next = resize(w.next, tiles*each)
	clear(w.next)
	w.key, w.place, w.weight = w.key[:0], w.place[:0], w.weight[:0]
	for n := range b.s.Projs {
		if err := b.collect(w, n, r0, r1); err != nil {
			return err
		}
	}
	p.count = append(p.count[:0], w.next...)
	p.from = p.from[:0]
	at := uint32(0)
	for g, c := range p.count {
		if g%each == 0 {
			p.from = append(p.from, at)
		}
		w.next[g] = at
		at += c
	}
	p.from = append(p.from, at)
	p.word = resize(p.word, int(at))
	if b.s.Width == 32 {
		p.weight = resize(p.weight, int(at))
	}
	for n, key := range w.key {
		at := w.next[key]
		w.next[key]++
		switch p.word[at] = w.place[n] & 0xffff; b.s.Width {
		case 16:
			p.word[at] |= w.weight[n]
		case 32:
			p.weight[at] = w.weight[n]
		}
	}
	return nil
}

// pack appends what pieces have for tiles lo to hi-1: how many words for each, and these.
func (b *builder) pack(out []uint32, pieces []piece, lo, hi int) []uint32 {
	head := len(out)
	out = append(out, uint32(hi-lo))
	out = append(out, make([]uint32, hi-lo)...)
	for tile := lo; tile < hi; tile++ {
		begin := len(out)
		for k := range pieces {
			p := &pieces[k]
			if p.r0 == p.r1 {
				continue
			}
			each := (p.r1 - p.r0) * b.d
			out = append(out, p.count[tile*each:(tile+1)*each]...)
			out = append(out, p.word[p.from[tile]:p.from[tile+1]]...)
			if b.s.Width == 32 {
				out = append(out, p.weight[p.from[tile]:p.from[tile+1]]...)
			}
		}
		out[head+1+tile-lo] = uint32(len(out) - begin)
	}
	return out
}

// section is the words for a tile.
func section(words []uint32, tile int) []uint32 {
	at := 1 + int(words[0])
	for _, n := range words[1 : 1+tile] {
		at += int(n)
	}
	return words[at : at+int(words[1+tile])]
}

// receive puts the synapses of sources r0 to r1-1 behind those before them, at *end, and
// leaves room for scattered ones. It returns the words that follow.
func (b *builder) receive(tile int, end *uint64, r0, r1 int, words []uint32) []uint32 {
	t, n := b.tables[tile], (r1-r0)*b.d
	if n == 0 {
		return words
	}
	count, index := words[:n], t.Index[r0*b.d+1:r1*b.d+1]
	total := 0
	for _, c := range count {
		total += int(c)
	}
	word, rest := words[n:n+total], words[n+total:]
	var weight []uint32
	if t.Width == 32 {
		weight, rest = rest[:total], rest[total:]
	}
	at, from, upTo := uint32(*end), uint32(0), uint32(0) // synapses from to upTo-1 lie together and end at at
	for g, c := range count {
		at += c
		upTo += c
		scattered := index[g]
		if index[g] = at; scattered > 0 {
			t.fill(at-(upTo-from), word[from:upTo], weight, from)
			from = upTo
			at += scattered
		}
	}
	t.fill(at-(upTo-from), word[from:upTo], weight, from)
	*end += uint64(at - uint32(*end))
	return rest
}

// fill writes entries from at on; their weights, of Width 32, are those from k on.
func (t *Table) fill(at uint32, word, weight []uint32, k uint32) {
	if t.Width == 16 {
		copy(t.Packed[at:], word)
		return
	}
	for n, place := range word {
		t.Targets[at+uint32(n)] = uint16(place)
	}
	if t.Width == 32 {
		for n := range word {
			t.Weights[at+uint32(n)] = int32(weight[k+uint32(n)])
		}
	}
}
