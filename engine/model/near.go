package model

import (
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
)

// nearby is words that all synapses of a neuron share, or all of one delay.
type nearby struct {
	post   bool // one for each target, else for each source
	groups *Groups
	words  []uint32
}

// Groups are the synapses of a conn by a neuron at one end and their delay in a
// pathway: the neurons ascend, and for each its delays.
type Groups struct {
	End   []uint32  // of each group: the neuron
	Delay []float32 // steps
	Of    []uint32  // of each synapse: its group
}

// GroupsOf groups the synapses of conn c, which have the given delays.
func (s *Synapses) GroupsOf(w Work, proj *connect.Proj, post bool) (*Groups, error) {
	n, err := proj.Count(w)
	if err == nil {
		err = w.Room(14*int64(n), "%s: the delays of %d synapses", s.Name(), n)
	}
	if err != nil {
		return nil, err
	}
	size := s.Src.Hi - s.Src.Lo
	if post {
		size = s.Tgt.Hi - s.Tgt.Lo
	}
	ends, steps := make([]uint32, n), make([]uint16, n)
	at := make([]int, size+1)
	err = proj.Walk(w.Single(), 0, n, connect.WantSteps, func(_ int, b *connect.Columns) error {
		from := b.I
		if post {
			from = b.J
		}
		copy(ends[b.K0:], from)
		copy(steps[b.K0:], b.Steps)
		for _, e := range from {
			at[e+1]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for e := range size {
		at[e+1] += at[e]
	}
	g := &Groups{Of: ends}
	byEnd, next := make([]uint32, n), slices.Clone(at)
	for k, e := range ends {
		byEnd[next[e]] = uint32(k)
		next[e]++
	}
	number, seen := make([]uint32, connect.MaxDelay+1), make([]int32, connect.MaxDelay+1)
	var delays []uint16
	for e := range size {
		mine := byEnd[at[e]:at[e+1]]
		delays = delays[:0]
		for _, k := range mine {
			if d := steps[k]; seen[d] != int32(e+1) {
				seen[d] = int32(e + 1)
				delays = append(delays, d)
			}
		}
		slices.Sort(delays)
		for _, d := range delays {
			number[d] = uint32(len(g.End))
			g.End, g.Delay = append(g.End, uint32(e)), append(g.Delay, float32(d))
		}
		for _, k := range mine {
			g.Of[k] = number[steps[k]]
		}
	}
	return g, nil
}

// NearGroups are a conn's words by group, where they are kept so, or by neuron.
func (v *Variable) NearGroups(c int, post bool, g *Groups) ([]uint32, bool) {
	if near := v.Col(c).Near; near != nil && near.post == post && near.groups == g {
		return slices.Clone(near.words), true
	}
	words, ok := v.NearWords(c, post)
	if !ok {
		return nil, false
	}
	out := make([]uint32, len(g.End))
	for k, e := range g.End {
		out[k] = words[e]
	}
	return out, true
}

// Uniform is the one value that all synapses of conn c have, as a word.
func (v *Variable) Uniform(c int) (word uint32, ok bool) {
	h := v.Col(c)
	if h.Lazy != nil || h.List != nil || h.Near != nil {
		return 0, false
	}
	w, err := Encode(v.Symbol, v.Dt(), h.Value)
	return w, err == nil
}

// NearWords are a conn's words by neuron of one side, where they are kept so.
func (v *Variable) NearWords(c int, post bool) ([]uint32, bool) {
	n := v.Syn.Src.Hi - v.Syn.Src.Lo
	if post {
		n = v.Syn.Tgt.Hi - v.Syn.Tgt.Lo
	}
	if w, ok := v.Uniform(c); ok {
		words := make([]uint32, n)
		for k := range words {
			words[k] = w
		}
		return words, true
	}
	if near := v.Col(c).Near; near != nil && near.post == post && near.groups == nil {
		return slices.Clone(near.words), true
	}
	return nil, false
}

// KeepEach takes the words of a run back: one for each synapse of conn c.
func (v *Variable) KeepEach(c int, words []uint32) {
	v.settle()
	v.cols[c] = Held{}
	if len(words) > 0 {
		v.cols[c].List = &list{words: words, of: v.Symbol, dt: v.Dt(), live: true}
	}
}

// KeepFar has the n words of conn c lie with the processes of a run.
func (v *Variable) KeepFar(c, n int, at backend.Lying) {
	v.settle()
	v.cols[c] = Held{}
	if n > 0 {
		far := func(take func(k0 int, words []uint32) error) error { return at.In.Each(at.Buf, at.Lo, n, take) }
		v.cols[c].List = &list{n: n, far: far, lies: &at, of: v.Symbol, dt: v.Dt(), live: true}
	}
}

// Far says that words of conn c lie with the processes of a run, and gives what brings them
// here before that ends, if they are the variable's still.
func (v *Variable) Far(c int) (home func() error) {
	of := v.Col(c).List
	if of == nil || of.far == nil {
		return nil
	}
	return func() (err error) {
		if v.Col(c).List == of {
			v.settle()
			v.cols[c].List, err = of.home()
		}
		return err
	}
}

// Part is the words of conn c, one for each synapse, as a run of several processes takes them.
func (v *Variable) Part(w Work, c int) (backend.Part, error) {
	n, err := v.Syn.Count(w, c)
	p := backend.Part{N: n}
	if err != nil || n == 0 {
		return p, err
	}
	l := v.Col(c).List
	switch word, ok := v.Uniform(c); {
	case ok:
		p.Value = word
	case l != nil && l.far != nil:
		p.Each, p.Lies = l.far, l.lies
	case l != nil && l.words != nil:
		p.Each = func(take func(int, []uint32) error) error { return take(0, l.words) }
	case v.Col(c).Near != nil:
		p.Each = func(take func(int, []uint32) error) error {
			words, err := v.ConnWords(w, c)
			if err != nil {
				return err
			}
			return take(0, words)
		}
	default:
		p.Each = func(take func(int, []uint32) error) error { return v.encoded(w, c, n, take) }
	}
	return p, nil
}

// KeepNear takes the words of a run back: one for each neuron of a side, or for each
// of its groups.
func (v *Variable) KeepNear(c int, post bool, groups *Groups, words []uint32) {
	v.settle()
	v.cols[c] = Held{Near: &nearby{post: post, groups: groups, words: words}}
}

// KeepOne takes the word of a run back that all synapses share.
func (v *Variable) KeepOne(word uint32) {
	v.settle()
	x := Value(v.Symbol, v.Dt(), word)
	for c := range v.cols {
		v.cols[c] = Held{Value: x}
	}
	v.later = Held{Value: x}
}

func (v *Variable) settle() {
	if len(v.cols) < len(v.Syn.Conns) {
		v.fill()
	}
}

// expand makes words by synapse of words by neuron.
func (h *nearby) expand(w Work, p *connect.Proj, n int) ([]uint32, error) {
	if err := w.Room(4*int64(n), "%s: the values of %d synapses", p.Name, n); err != nil {
		return nil, err
	}
	out := make([]uint32, n)
	if h.groups != nil {
		for k, g := range h.groups.Of {
			out[k] = h.words[g]
		}
		return out, nil
	}
	return out, p.Walk(w, 0, n, 0, func(_ int, b *connect.Columns) error {
		ends := b.I
		if h.post {
			ends = b.J
		}
		for k, e := range ends {
			out[b.K0+k] = h.words[e]
		}
		return nil
	})
}

// OneOfEach is a synapse of each neuron of one side of conn c; -1: there is none.
func (s *Synapses) OneOfEach(w Work, c int, post bool) ([]int, error) {
	size := s.Src.Hi - s.Src.Lo
	if post {
		size = s.Tgt.Hi - s.Tgt.Lo
	}
	out := make([]int, size)
	for k := range out {
		out[k] = -1
	}
	n, err := s.Count(w, c)
	if err != nil {
		return nil, err
	}
	return out, s.Conns[c].Proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		ends := b.I
		if post {
			ends = b.J
		}
		for k, e := range ends {
			out[e] = b.K0 + k
		}
		return nil
	})
}

// Mix is the 64-bit mix of three numbers in the hash of a run (splitmix64's
// finaliser, applied to each part in turn).
func Mix(a, b, c uint64) uint64 {
	h := uint64(0)
	for _, x := range [3]uint64{a, b, c} {
		h += x + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// OwnWords are the words of conn c for a run to change: those that the last run
// left, or a copy.
func (v *Variable) OwnWords(w Work, c int) ([]uint32, error) {
	if l := v.Col(c).List; l != nil && l.words != nil && !l.live {
		if err := w.Room(4*int64(len(l.words)), "%s: the values of %d synapses", v.FullName(), len(l.words)); err != nil {
			return nil, err
		}
		return slices.Clone(l.words), nil
	}
	return v.ConnWords(w, c)
}
