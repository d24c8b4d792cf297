package model

import "fmt"

// Synapses may be the source or the target of other Synapses. To these they are a
// group of as many cells as there are synapses, whose variables mirror theirs.

// Cells are the synapses made so far, as an end of other Synapses.
func (s *Synapses) Cells(w Work) (*NeuronGroup, error) {
	n, err := s.N(w)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("%s has no synapses yet, to which others could lead: call connect first", s.Name())
	}
	if g := s.mirror; g != nil && g.Size == n {
		return g, nil
	}
	g := &NeuronGroup{Size: n, Mirror: s}
	g.Object = s.Object
	g.Eqs, g.Namespace = s.Eqs, s.Namespace
	for _, v := range s.Vars {
		m := &Variable{Group: g, Name: v.Name, Equation: v.Equation, Count: n, Shared: v.Shared, Mirror: v}
		y := *v.Symbol
		y.Ref = m
		if v.Driven != nil { // known at its own synapse's events alone
			continue
		}
		if v.Shared {
			m.Count = 1
		}
		m.Symbol = &y
		g.Vars = append(g.Vars, m)
		if g.ByName == nil {
			g.ByName = map[string]*Variable{}
		}
		g.ByName[v.Name] = m
	}
	s.mirror = g
	return g, nil
}

// MirrorWords are the words of the synapses that a mirror shows, all connect calls
// end to end.
func (v *Variable) MirrorWords(w Work) ([]uint32, error) {
	of := v.Mirror
	if of.Shared {
		word, err := of.SharedWord(w)
		return []uint32{word}, err
	}
	var out []uint32
	for c := range of.Syn.Conns {
		words, err := of.ConnWords(w, c)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
	}
	if len(out) != v.Count {
		return nil, fmt.Errorf("%s: connect has made synapses since other Synapses began to lead to it: %d, now %d; connect it before", of.Syn.Name(), v.Count, len(out))
	}
	return out, nil
}

// mirrored is the image of a mirror.
func (v *Variable) mirrored(w Work) *Image {
	words, err := v.MirrorWords(w)
	if err != nil {
		words = make([]uint32, v.Count) // told by the compilation
	}
	y := *v.Symbol
	y.Steps, y.TwoWords = v.Mirror.Symbol.Steps, false
	return &Image{Sym: &y, Words: words}
}

// Mirrored says that other Synapses lead to these or away from them.
func (s *Synapses) Mirrored() bool { return s.mirror != nil }
