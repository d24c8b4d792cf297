package rundir

import (
	"fmt"
	"path/filepath"
	"slices"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/host"
	"synfire/engine/store"
)

// Connections writes the synapses of a network as they are now: for each Synapses the neurons i and j of every synapse, the
// delay (s) of its pathway pre, or its only one, and its variables, in SI units. An object that has no synapses has no files.
func (d *Dir) Connections(w engine.Work, n *engine.Network) error {
	if err := d.start(n, nil); err != nil {
		return err
	}
	for _, s := range n.AllSynapses() {
		number, err := s.N(w)
		if err == nil && number > 0 {
			err = d.vacate(s.Name()) // a monitor of an earlier network may have had the name
		}
		if err != nil {
			return err
		}
	}
	return d.connections(w, n)
}

// connections reads on all ranks what the first writes: each may have some of it.
func (d *Dir) connections(w engine.Work, n *engine.Network) error {
	for _, s := range n.AllSynapses() {
		number, err := s.N(w)
		if err != nil {
			return err
		}
		if number == 0 {
			continue
		}
		src, tgt := s.Ends()
		entry := store.Connections{Source: s.Src.Group.Name(), Target: s.Tgt.Group.Name(), Sources: int64(src.N()), Targets: int64(tgt.N()), Synapses: int64(number)}
		for _, name := range s.VarNames() {
			if slices.Contains([]string{"N_incoming", "N_outgoing", "lastupdate"}, name) || name == "delay" && len(s.Paths) == 0 {
				continue
			}
			v, err := s.Var(name)
			if err != nil && name == "delay" { // several pathways, and none is pre
				continue
			}
			if err != nil {
				return err
			}
			if of, _, _ := v.Of(); v.Scalar() || of.Symbol.Kind == eqn.Subexpression {
				continue
			}
			if err := w.Room(24*int64(number), "writing %s.%s of %d synapses", s.Name(), name, number); err != nil {
				return err
			}
			a, err := v.In(w).Get(nil)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", s.Name(), name, err)
			}
			if err := d.dir.ByFirst(func() error { return d.write(array{s.Name() + "/" + name, a.V, 0, v.Integer()}) }); err != nil {
				return err
			}
			if name != "i" && name != "j" {
				entry.Variables, entry.Units = append(entry.Variables, name), append(entry.Units, a.Dim.String())
			}
		}
		d.Manifest.Connections.Set(s.Name(), entry)
	}
	return nil
}

// Connected are synapses that a run directory holds: the neurons of each, and its variables.
type Connected struct {
	store.Connections
	Name string
	I, J []int32
	path string
}

// Connections reads which neurons the synapses of a name connect.
func (r *Recorded) Connections(name string) (*Connected, error) {
	entry, ok := r.Manifest.Connections.Get(name)
	if !ok {
		return nil, fmt.Errorf("%s holds no synapses %s", r.Path, name)
	}
	c := &Connected{Connections: entry, Name: name, path: filepath.Join(r.Path, name)}
	for _, e := range []struct {
		name string
		n    int64
		to   *[]int32
	}{{"i", entry.Sources, &c.I}, {"j", entry.Targets, &c.J}} {
		a, err := r.read(name, e.name)
		if err != nil {
			return nil, err
		}
		if a.Len() != int(entry.Synapses) {
			return nil, fmt.Errorf("%s.npy has %d values, the manifest tells of %d synapses", filepath.Join(c.path, e.name), a.Len(), entry.Synapses)
		}
		if err := (host.Work{}).Room(8*int64(a.Len()), "reading %s", name); err != nil {
			return nil, err
		}
		*e.to = make([]int32, a.Len())
		for k, x := range a.F {
			if !(x >= 0 && x < float64(e.n)) || x != float64(int32(x)) {
				return nil, fmt.Errorf("%s.npy: value %d is %g: there are %d neurons", filepath.Join(c.path, e.name), k, x, e.n)
			}
			(*e.to)[k] = int32(x)
		}
	}
	return c, nil
}

// Variable is a variable of synapses, a value for each in SI units, and its unit.
func (r *Recorded) Variable(c *Connected, name string) (v []float64, unit string, err error) {
	a, err := r.read(c.Name, name)
	if err == nil && a.Len() != len(c.I) {
		err = fmt.Errorf("%s.npy has %d values, i.npy %d", filepath.Join(c.path, name), a.Len(), len(c.I))
	}
	if err != nil {
		return nil, "", err
	}
	if k := slices.Index(c.Variables, name); k >= 0 && k < len(c.Units) {
		unit = c.Units[k]
	}
	return a.F, unit, nil
}
