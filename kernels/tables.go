package kernels

import (
	"fmt"
	"slices"
	"sync"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

// built is the tables of a Spec, for one division of its targets.
type built struct {
	spec   *connect.Spec
	key    string // the tiles, and the form of the weights
	width  int
	delays []uint16
	tiles  [][]*connect.Table // by part
	all    []*connect.Table
	bytes  int64
	users  int            // programs and stages that hold it
	ends   map[[2]int]int // of ranges of rows: see end
}

// shelf is the tables that are there, of one backend or of several beside one another.
type shelf struct {
	mu       sync.Mutex // of all below, users and ends included
	built    []*built
	backends int
}

// loadTables makes what the plan's deliveries and effects need.
func (p *program) loadTables() error {
	if err := p.loadDelivered(); err != nil {
		return err
	}
	return p.loadEffects()
}

// loadDelivered makes what deliveries need. Tables that an earlier plan or another backend has left are used again; those
// that this plan does without go before new ones are built. The memory is reckoned before any of it is taken.
func (p *program) loadDelivered() error {
	p.cpu.mu.Lock()
	defer p.cpu.mu.Unlock()
	p.tables, p.ends = make([]*built, len(p.plan.Stages)), make([][]int, len(p.plan.Stages))
	type order struct {
		stage int
		key   string
		tiles [][][]connect.Range // by part
	}
	var orders []order
	needed := map[string]bool{}
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form != backend.FormDeliver {
			continue
		}
		spec := p.plan.Tables[st.Table].Spec
		o := order{stage: i}
		for t := range p.lay.parts {
			if !slices.Contains(p.own, t) {
				o.tiles = append(o.tiles, nil)
				continue
			}
			o.tiles = append(o.tiles, p.lay.accs[st.Acc].tiles(t, spec.NTgt))
		}
		o.key = fmt.Sprint(o.tiles, spec.Scale, spec.Width, spec.Uniform) // a later run may choose another scale
		orders = append(orders, o)
		needed[fmt.Sprintf("%p %s", spec, o.key)] = true
	}
	p.cpu.drop(func(b *built) bool { return !needed[fmt.Sprintf("%p %s", b.spec, b.key)] })

	var want connect.Memory
	largest, name := int64(0), ""
	counted := map[string]bool{}
	count := func(id string, spec *connect.Spec, m connect.Memory) {
		if counted[id] {
			return
		}
		counted[id] = true
		want.Synapses += m.Synapses
		want.Entries += m.Entries
		want.Index += m.Index
		want.Scratch = max(want.Scratch, m.Scratch)
		if m.Total() > largest {
			largest, name = m.Total(), spec.Name
		}
	}
	for _, o := range orders {
		spec := p.plan.Tables[p.plan.Stages[o.stage].Table].Spec
		if p.cpu.find(spec, o.key) == nil {
			m := connect.Estimate(spec, len(flat(o.tiles)), p.work)
			m.Entries = int64(float64(m.Entries) * p.ownTargets(p.plan.Stages[o.stage].Acc, spec.NTgt))
			count(fmt.Sprintf("%p %s", spec, o.key), spec, m)
		}
	}
	for i := range p.plan.Stages {
		if st := &p.plan.Stages[i]; st.Form == backend.FormEffect && p.lay.lags[i] == nil {
			spec := p.plan.Tables[st.Table].Spec
			if slices.ContainsFunc(p.cpu.lists, func(l *listing) bool { return l.spec == spec && l.post == st.Post }) {
				continue
			}
			count(fmt.Sprintf("%p effects %v", spec, st.Post), spec, listingMemory(spec, st.Post, p.lay.parts))
		}
	}
	w := p.work.Alone()
	if p.over != nil {
		w.Ranks = p.over.Ranks
	}
	if _, err := w.Meet(0, 0, p.fits(want, largest, name)); err != nil {
		return err
	}
	for _, o := range orders {
		if _, err := connect.Measure(p.plan.Tables[p.plan.Stages[o.stage].Table].Spec, p.work); err != nil {
			return err
		}
		b, err := p.cpu.build(w, p.plan.Tables[p.plan.Stages[o.stage].Table].Spec, o.key, o.tiles)
		if err != nil {
			return err
		}
		b.users++
		p.tables[o.stage] = b
		t := &p.plan.Tables[p.plan.Stages[o.stage].Table]
		for _, src := range t.Sources {
			p.ends[o.stage] = append(p.ends[o.stage], b.end(src.Row0, src.Row0+src.Hi-src.Lo))
		}
		if n := len(b.delays); n > 0 && (int(b.delays[0]) < t.MinDelay || int(b.delays[n-1]) > t.MaxDelay) {
			return fmt.Errorf("table %s: delays of %d to %d steps, the plan says %d to %d", t.Spec.Name, b.delays[0], b.delays[n-1], t.MinDelay, t.MaxDelay)
		}
	}
	return nil
}

func flat(tiles [][][]connect.Range) (all [][]connect.Range) {
	for _, t := range tiles {
		all = append(all, t...)
	}
	return all
}

// fits refuses a plan that the machine's memory does not hold.
func (p *program) fits(m connect.Memory, largest int64, name string) error {
	state, records := int64(0), int64(0)
	for i := range p.plan.Bufs {
		n := 4 * int64(p.plan.Bufs[i].Len)
		if p.plan.Bufs[i].Kind == backend.Record {
			records += 2 * n // as each thread lists them, and together
		} else {
			state += n
		}
	}
	need, free := m.Total()+state+records, p.work.Free()
	if free <= 0 || need <= free {
		return nil
	}
	msg := fmt.Sprintf("the network needs %s of memory and %s are free: %s for %d synapses (the largest table, %s, %s), %s for neurons, %s for records",
		host.Size(need), host.Size(free), host.Size(m.Total()), m.Synapses, name, host.Size(largest), host.Size(state), host.Size(records))
	if m.Total() > 0 {
		msg += fmt.Sprintf("; %.3g of its synapses would fit", max(0, float64(free-state-records)/float64(m.Total())))
	}
	return fmt.Errorf("cpu: %s", msg)
}

func (c *cpu) find(spec *connect.Spec, key string) *built {
	for _, b := range c.built {
		if b.spec == spec && b.key == key {
			return b
		}
	}
	return nil
}

func (c *cpu) build(w host.Work, spec *connect.Spec, key string, tiles [][][]connect.Range) (*built, error) {
	if b := c.find(spec, key); b != nil {
		return b, nil
	}
	all, err := connect.Build(spec, flat(tiles), w)
	if err != nil {
		return nil, err
	}
	b := &built{spec: spec, key: key, width: spec.Width, all: all, ends: map[[2]int]int{}}
	for _, of := range tiles {
		b.tiles = append(b.tiles, all[:len(of):len(of)])
		all = all[len(of):]
	}
	for _, t := range b.all {
		b.delays = t.Delays
		b.bytes += t.Bytes()
	}
	c.built = append(c.built, b)
	return b, nil
}

// end is one past the last delay, as an index into delays, that a synapse of rows
// lo to hi-1 has: those of one population often end long before those of another.
func (b *built) end(lo, hi int) int {
	if end, known := b.ends[[2]int{lo, hi}]; known {
		return end
	}
	end, n := 0, len(b.delays)
	for _, t := range b.all {
		for r := lo; r < hi && end < n; r++ {
			row := t.Index[r*n : (r+1)*n+1]
			for row[end] != row[n] { // there are synapses from here on
				end++
			}
		}
	}
	b.ends[[2]int{lo, hi}] = end
	return end
}

// drop frees the tables that no program holds and for which cond is true.
func (c *cpu) drop(cond func(*built) bool) {
	kept := c.built[:0]
	for _, b := range c.built {
		if b.users > 0 || b.spec.Held() || !cond(b) {
			kept = append(kept, b)
			continue
		}
		b.close()
	}
	clear(c.built[len(kept):])
	c.built = kept
}

func (b *built) close() {
	for _, t := range b.all {
		t.Close()
	}
}
