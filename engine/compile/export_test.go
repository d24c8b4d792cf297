package compile

import "synfire/engine/model"

// KeepEach has every variable of synapses kept by synapse.
func KeepEach(on bool) {
	keepEach = nil
	if on {
		keepEach = alike
	}
}

// alike says whether the synapses of each neuron have one word.
func alike(v *model.Variable, conn int, post bool, g *model.Groups) bool {
	words, err := v.ConnWords(model.Work{}, conn)
	if err != nil {
		return false
	}
	one, err := v.Syn.OneOfEach(model.Work{}, conn, post)
	if err != nil {
		return false
	}
	proj := v.Syn.Conns[conn].Proj
	c, err := proj.Columns(model.Work{}, 0, len(words), 0)
	if err != nil {
		return false
	}
	ends := c.I
	if post {
		ends = c.J
	}
	if g != nil {
		ends = g.Of
		one = make([]int, len(g.End))
		for k, x := range g.Of {
			one[x] = k
		}
	}
	for k, e := range ends {
		if words[k] != words[one[e]] {
			return false
		}
	}
	return true
}

// Near counts the variables that are kept by neuron.
func Near(c *Compiled) int {
	n := 0
	for _, l := range c.Learned {
		if l.by == bySource || l.by == byTarget {
			n++
		}
	}
	return n
}
