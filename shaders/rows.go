//go:build egl && cgo && linux

package shaders

import (
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

func (p *program) listingOf(s *backend.Stage) listing {
	return listing{p.plan.Tables[s.Table].Spec, s.Form == backend.FormEffect, s.Form == backend.FormEffect && s.Post}
}

// buffersOf is what a kernel of these shards binds.
func buffersOf(shards []*shard) []*memoryBuffer {
	var out []*memoryBuffer
	for _, h := range shards {
		out = append(out, h.mem)
	}
	return out
}

// rowsFor is the rows of a listing on the device: those that another program has, or that the next is to find, or new ones.
func (p *program) rowsFor(l listing, most, chunk int) (*rows, error) {
	key := rowsKey{l, p.needsFar(l), most, chunk}
	r := p.d.rows[key]
	if r == nil {
		r = &rows{of: key}
		if err := p.upload(r, l, most, chunk); err != nil {
			p.d.drop(r)
			return nil, err
		}
		p.d.rows[key] = r
	}
	r.users++
	p.held = append(p.held, r)
	return r, nil
}

// tidy gives back what no program has and nobody waits for.
func (d *device) tidy() {
	for key, r := range d.rows {
		if r.users == 0 && !key.spec.Held() {
			d.drop(r)
			delete(d.rows, key)
		}
	}
}

func (d *device) drop(r *rows) {
	for _, b := range r.memory {
		d.used -= 4 * int64(b.words)
		b.free()
	}
}

// upload builds the rows of a listing and sends them to the device.
func (p *program) upload(r *rows, key listing, most, chunk int) error {
	var sets []rowSet
	if key.effect {
		adj, err := connect.Adjacent(key.spec, key.post, p.work)
		if err != nil {
			return err
		}
		set := rowSet{index: adj.Index, words: adj.K}
		r.delays, r.synapses, r.selves = adj.Delays, len(adj.K), inOrder(adj.K)
		if set.weights, err = p.far(key, adj.K); err != nil {
			return err
		}
		if r.selves {
			set.words = nil
		}
		sets = []rowSet{set}
	} else {
		tables, err := connect.Build(key.spec, connect.Cut(key.spec.NTgt, 1), p.work)
		if err != nil {
			return err
		}
		defer func() {
			for _, t := range tables {
				t.Close()
			}
		}()
		for _, t := range tables {
			sets, r.delays = append(sets, rowsOf(t)), t.Delays
			r.synapses += int(t.Index[len(t.Index)-1])
		}
	}
	r.measure(sets, chunk)
	if !key.effect {
		r.count(sets)
	}
	if len(r.delays) == 0 {
		return nil
	}
	for tile := range sets {
		set := &sets[tile]
		cuts, err := set.cutShards(tile, len(r.delays), most)
		if err != nil {
			return p.d.fail(TooLarge, "%s: %v; use --backend cpu", key.spec.Name, err)
		}
		for _, h := range cuts {
			i, e, w := set.size(len(r.delays), h.row0, h.row1)
			if h.mem, err = p.d.alloc(i+e+w, nil); err != nil {
				return err
			}
			r.memory = append(r.memory, h.mem)
			set.fill(h, len(r.delays), h.mem.write)
			if key.effect {
				from, to := set.index[h.row0*len(r.delays)], set.index[h.row1*len(r.delays)]
				h.lo, h.hi, h.base = int(from), int(to), int(from&^1)
				if set.words != nil && to > from {
					h.lo, h.hi = int(slices.Min(set.words[from:to])), int(slices.Max(set.words[from:to]))+1
				}
			}
		}
		r.shards = append(r.shards, cuts...)
	}
	return nil
}

// inOrder says whether number n stands at place n.
func inOrder(numbers []uint32) bool {
	for n, k := range numbers {
		if uint32(n) != k {
			return false
		}
	}
	return true
}

// needsFar says that an effect asks for the ends that are not the rows.
func (p *program) needsFar(key listing) bool {
	return slices.ContainsFunc(p.plan.Stages, func(s backend.Stage) bool {
		return s.Form == backend.FormEffect && p.listingOf(&s) == key && needsFar(&s)
	})
}

// far lists the ends that are not the rows, for synapses in the order of
// numbers; nil where no effect asks for them.
func (p *program) far(key listing, numbers []uint32) ([]uint32, error) {
	if !p.needsFar(key) {
		return nil, nil
	}
	if err := p.work.Room(8*int64(len(numbers)), "%s: the far ends of %d synapses", key.spec.Name, len(numbers)); err != nil {
		return nil, err
	}
	ends, first := make([]uint32, len(numbers)), 0 // by number
	for _, proj := range key.spec.Projs {
		n, err := proj.Count(p.work)
		if err != nil {
			return nil, err
		}
		err = proj.Walk(p.work, 0, n, 0, func(_ int, c *connect.Columns) error {
			far, off := c.J, proj.Tgt0
			if key.post {
				far, off = c.I, proj.Row0
			}
			for x, e := range far {
				ends[first+c.K0+x] = uint32(off) + e
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		first += n
	}
	out := make([]uint32, len(numbers))
	for n, k := range numbers {
		out[n] = ends[k]
	}
	return out, nil
}

// synapses counts the synapses of a Spec.
func synapses(w host.Work, spec *connect.Spec) (int, error) {
	total := 0
	for _, proj := range spec.Projs {
		n, err := proj.Count(w)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
