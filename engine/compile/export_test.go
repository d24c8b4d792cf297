package compile

// KeepEach has every variable of synapses kept by synapse.
func KeepEach(on bool) { keepEach = on }

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
