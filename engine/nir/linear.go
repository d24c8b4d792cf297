package nir

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine"
)

// linear says that a node is a map of numbers, the same at all times.
func (n *node) linear() bool {
	switch n.kind {
	case "Linear", "Affine", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d":
		return true
	}
	return false
}

// most bounds the elements of a layer.
const most = 1 << 30

func product(shape []int) int {
	total := 1
	for _, x := range shape {
		if total *= x; total < 1 || total > most {
			return 0
		}
	}
	return total
}

// whole are the numbers of a parameter, dims of them; one stands for all.
func (n *node) whole(p string, dims, least, def int) ([]int, error) {
	out := make([]int, dims)
	for k := range out {
		out[k] = def
	}
	a, ok := n.arrays[p]
	if !ok {
		return out, nil
	}
	if len(a.v) != 1 && len(a.v) != dims {
		return nil, fmt.Errorf("nir: node %q: %s has %d numbers: %d were expected", n.name, p, len(a.v), dims)
	}
	for k := range out {
		x := a.v[min(k, len(a.v)-1)]
		if x != math.Trunc(x) || x < float64(least) || x > most {
			return nil, fmt.Errorf("nir: node %q: %s holds %g: a whole number of at least %d was expected", n.name, p, x, least)
		}
		out[k] = int(x)
	}
	return out, nil
}

// window is what a convolution or pooling looks at: along each dimension elements at first + stride*o + dilation*k.
type window struct {
	in, out, kernel, stride, dilation, first []int
	groups                                   int
}

// window reads it for an input of channels and places.
func (n *node) window(in []int) (w window, err error) {
	dims := 2
	if n.kind == "Conv1d" {
		dims = 1
	}
	weight := n.arrays["weight"].shape
	conv := n.arrays["weight"].v != nil
	if w.groups = 1; conv {
		if len(weight) != dims+2 {
			return w, fmt.Errorf("nir: node %q: weight has the shape %v: %d dimensions were expected", n.name, weight, dims+2)
		}
		groups, err := n.whole("groups", 1, 1, 1)
		if err != nil {
			return w, err
		}
		w.groups = groups[0]
		if weight[0]%w.groups != 0 {
			return w, fmt.Errorf("nir: node %q: %d channels do not make %d groups", n.name, weight[0], w.groups)
		}
		w.kernel = weight[2:]
	} else if w.kernel, err = n.whole("kernel_size", dims, 1, 1); err != nil {
		return w, err
	}
	if conv && n.arrays["input_shape"].v != nil {
		given, err := n.whole("input_shape", dims, 1, 1)
		if err != nil {
			return w, err
		}
		if given = append([]int{weight[1] * w.groups}, given...); in != nil && product(in) != product(given) {
			return w, fmt.Errorf("nir: node %q, %s, takes %v, and is given %v", n.name, n.kind, given, in)
		}
		in = given
	}
	if in == nil {
		return w, nil
	}
	if len(in) != dims+1 {
		return w, fmt.Errorf("nir: node %q, %s, is given the shape %v: channels and %d dimensions were expected", n.name, n.kind, in, dims)
	}
	if conv && in[0] != weight[1]*w.groups {
		return w, fmt.Errorf("nir: node %q, %s, takes %d channels, and is given the shape %v", n.name, n.kind, weight[1]*w.groups, in)
	}
	if w.dilation, err = n.whole("dilation", dims, 1, 1); err != nil {
		return w, err
	}
	if w.stride, err = n.whole("stride", dims, 1, 1); err != nil {
		return w, err
	}
	if !conv && n.arrays["stride"].v == nil {
		w.stride = w.kernel
	}
	padding, err := n.whole("padding", dims, 0, 0)
	if err != nil {
		return w, err
	}
	w.in, w.out = in, []int{in[0]}
	if conv {
		w.out[0] = weight[0]
	}
	for k, size := range in[1:] {
		spread := w.dilation[k] * (w.kernel[k] - 1)
		before, after := padding[k], padding[k]
		if n.padding == "same" { // as in PyTorch: what is odd comes behind
			if w.stride[k] != 1 {
				return w, fmt.Errorf("nir: node %q: padding 'same' goes with a stride of 1, not %d", n.name, w.stride[k])
			}
			before, after = spread/2, spread-spread/2
		}
		places := size + before + after - spread - 1
		if places < 0 {
			return w, fmt.Errorf("nir: node %q: its kernel is larger than its input, %v", n.name, in)
		}
		w.first = append(w.first, -before)
		w.out = append(w.out, places/w.stride[k]+1)
	}
	if product(w.kernel) == 0 || product(w.out) == 0 {
		return w, fmt.Errorf("nir: node %q: its kernel %v or what it gives, %v, has more than 2^30 elements", n.name, w.kernel, w.out)
	}
	return w, nil
}

// shape is that of what a node gives for a shape; nil: not known.
func (n *node) shape(in []int) ([]int, error) {
	many := func(p string) []int { // the shape of a parameter with a value for each element
		if a := n.arrays[p]; len(a.v) > 1 && (in == nil || product(in) != len(a.v)) {
			return a.shape
		}
		return in
	}
	switch n.kind {
	case "Input", "Output":
		a := n.arrays["shape"]
		shape := make([]int, len(a.v))
		whole := true
		for k, x := range a.v {
			shape[k] = int(max(min(x, most+1), 0))
			whole = whole && x == math.Trunc(x)
		}
		if !whole || product(shape) == 0 {
			return nil, fmt.Errorf("nir: node %q has a shape of %v elements", n.name, a.v)
		}
		return shape, nil
	case "Linear", "Affine":
		w := n.arrays["weight"].shape
		if len(w) != 2 {
			return nil, fmt.Errorf("nir: node %q: weight has the shape %v: two dimensions were expected", n.name, w)
		}
		return w[:1], nil
	case "Scale":
		return many("scale"), nil
	case "Delay":
		return many("delay"), nil
	case "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d":
		w, err := n.window(in)
		return w.out, err
	case "Flatten":
		if a := n.arrays["input_type"]; in == nil && a.v != nil {
			for _, x := range a.v {
				in = append(in, int(x))
			}
		}
		if in == nil {
			return nil, nil
		}
		at := [2]int{1, -1}
		for k, p := range []string{"start_dim", "end_dim"} {
			if a, ok := n.arrays[p]; ok {
				at[k] = int(a.v[0])
			}
			if at[k] < 0 {
				at[k] += len(in)
			}
		}
		if at[0] >= len(in) || at[0] < 0 || at[1] < at[0] || at[1] >= len(in) { // nothing to be joined
			return in, nil
		}
		return append(append(slices.Clone(in[:at[0]]), product(in[at[0]:at[1]+1])), in[at[1]+1:]...), nil
	case joint:
		return in, nil
	}
	size := 0
	var own []int
	for _, p := range n.all() {
		a := n.arrays[p]
		if len(a.v) > 1 && size > 1 && len(a.v) != size {
			return nil, fmt.Errorf("nir: node %q: %s has %d elements, others %d", n.name, p, len(a.v), size)
		}
		if len(a.v) > size {
			size, own = len(a.v), a.shape
		}
	}
	if size == 1 && in != nil {
		return in, nil
	}
	if in != nil && product(in) == size {
		return in, nil
	}
	if size == 1 {
		return nil, nil
	}
	return own, nil
}

// shapes works out what each node takes and gives, from the inputs and the parameters on.
func (g *Graph) shapes() error {
	for range g.nodes {
		changed := false
		for _, name := range g.names {
			n := g.nodes[name]
			if n.out != nil {
				continue
			}
			for _, e := range g.edges {
				if e[1] == name && n.in == nil {
					n.in = g.nodes[e[0]].out
				}
			}
			var err error
			if n.out, err = n.shape(n.in); err != nil {
				return err
			}
			changed = changed || n.out != nil
		}
		if !changed {
			break
		}
	}
	for _, n := range g.nodes {
		if n.out == nil && n.population() {
			n.out = []int{1}
		}
		for _, p := range []string{"scale", "delay"} { // one value for all
			if a := n.arrays[p]; len(a.v) == 1 && n.in != nil {
				if err := (engine.Work{}).Room(8*int64(product(n.in)), "the %s of %q", p, n.name); err != nil {
					return err
				}
				n.arrays[p] = array{n.in, slices.Repeat(a.v, product(n.in))}
			}
		}
	}
	return nil
}

// entry is a synapse: what lies between two neurons.
type entry struct {
	i, j  int
	w     float64
	delay float64 // in the file's unit
	p     int     // the number of the weight that it has from the node that may be trained; none, or several
	c     float64 // the rest of w
	q     int     // likewise of the delay
}

const (
	none    = -1
	several = -2
)

// inside is the first element of a kernel that does not lie before its input.
func inside(first, dilation int) int { return max(0, (dilation-1-first)/dilation) }

// taps gives the elements of the matrix of a linear node: to, from, value, number of the weight.
func (n *node) taps(in []int, size int, give func(o, m int, w float64, p int)) error {
	w := n.arrays["weight"]
	switch n.kind {
	case "Linear", "Affine":
		if w.shape[1] != size {
			return fmt.Errorf("nir: node %q: weight has the shape %v; [%d, %d] were expected", n.name, w.shape, w.shape[0], size)
		}
		for o := range w.shape[0] {
			for m := range size {
				give(o, m, w.v[o*size+m], o*size+m)
			}
		}
		return nil
	case "Scale":
		s := n.arrays["scale"].v
		if len(s) != 1 && len(s) != size {
			return fmt.Errorf("nir: node %q: scale has %d elements for %d", n.name, len(s), size)
		}
		for o := range size {
			k := min(o, len(s)-1)
			give(o, o, s[k], k)
		}
		return nil
	}
	x, err := n.window(in)
	if err != nil {
		return err
	}
	if x.in == nil {
		return fmt.Errorf("nir: the shape of what node %q, %s, is given is not known: an Input with channels and places, or input_shape, was expected", n.name, n.kind)
	}
	if product(x.in) != size {
		return fmt.Errorf("nir: node %q, %s, takes %v, and is given %d elements", n.name, n.kind, x.in, size)
	}
	if len(x.kernel) == 1 { // as a picture of one line
		x.in, x.out = []int{x.in[0], 1, x.in[1]}, []int{x.out[0], 1, x.out[1]}
		x.kernel, x.stride, x.dilation, x.first = []int{1, x.kernel[0]}, []int{1, x.stride[0]}, []int{1, x.dilation[0]}, []int{0, x.first[0]}
	}
	channels := 1 // of the input that a channel of the output sees
	value := 1.0
	if w.v != nil {
		channels = w.shape[1]
	} else if n.kind == "AvgPool2d" {
		value = 1 / float64(product(x.kernel))
	}
	for o := range product(x.out) {
		c, y, col := o/(x.out[1]*x.out[2]), o/x.out[2]%x.out[1], o%x.out[2]
		for from := range channels {
			source := c
			if w.v != nil {
				source = c/(x.out[0]/x.groups)*channels + from
			}
			top, left := x.first[0]+x.stride[0]*y, x.first[1]+x.stride[1]*col
			for a := inside(top, x.dilation[0]); a < x.kernel[0] && top+x.dilation[0]*a < x.in[1]; a++ {
				for b := inside(left, x.dilation[1]); b < x.kernel[1] && left+x.dilation[1]*b < x.in[2]; b++ {
					r, s := top+x.dilation[0]*a, left+x.dilation[1]*b
					m := (source*x.in[1]+r)*x.in[2] + s
					if w.v == nil {
						give(o, m, value, none)
						continue
					}
					p := ((c*channels+from)*x.kernel[0]+a)*x.kernel[1] + b
					give(o, m, w.v[p], p)
				}
			}
		}
	}
	return nil
}

// trained is the node of a path whose weights its synapses stand for, nil if there is not one alone.
func (p *path) trained() *node {
	for _, weights := range []string{"weight", "scale"} {
		var found []*node
		for _, n := range p.by {
			if n.arrays[weights].v != nil {
				found = append(found, n)
			}
		}
		if len(found) == 1 {
			return found[0]
		}
		if len(found) > 1 {
			return nil
		}
	}
	return nil
}

// late is the node of a path that delays, nil if there is not one alone.
func (p *path) late() *node {
	var found *node
	for _, n := range p.by {
		if n.kind == "Delay" {
			if found != nil {
				return nil
			}
			found = n
		}
	}
	return found
}

func (p *path) String() string {
	names := []string{p.from.name}
	for _, n := range p.by {
		names = append(names, n.name)
	}
	return strings.Join(append(names, p.to.name), " to ")
}

// synapses multiplies the maps of a path out: its synapses, ordered by source and target, and the constant that
// its target receives. A bias that several paths lead through counts in the first: told are those that have been counted.
func (p *path) synapses(from, to int, told map[string]bool) (list []entry, bias []float64, err error) {
	if err := (engine.Work{}).Room(2*56*int64(from), "the %d synapses from %q", from, p.from.name); err != nil {
		return nil, nil, err
	}
	list = make([]entry, from)
	for i := range list {
		list[i] = entry{i: i, j: i, w: 1, p: none, c: 1, q: none}
	}
	trained, late, size, shape := p.trained(), p.late(), from, p.from.out
	for k, n := range p.by {
		if n.kind == "Delay" {
			d := n.arrays["delay"].v
			if len(d) != 1 && len(d) != size {
				return nil, nil, fmt.Errorf("nir: node %q: delay has %d elements for %d", n.name, len(d), size)
			}
			for k := range list {
				e := &list[k]
				e.delay += d[min(e.j, len(d)-1)]
				if e.q = several; n == late {
					e.q = min(e.j, len(d)-1)
				}
			}
		}
		if n.linear() {
			rest := (&path{from: n, by: p.by[k+1:], to: p.to}).String()
			if list, bias, size, err = n.apply(list, bias, shape, size, n == trained, !told[rest]); err != nil {
				return nil, nil, err
			}
			told[rest] = true
		}
		out, err := n.shape(shape)
		if err != nil {
			return nil, nil, err
		}
		if product(out) == size {
			shape = out
		} else {
			shape = []int{size}
		}
	}
	if size != to {
		return nil, nil, fmt.Errorf("nir: %q gives %d elements (%s), %q has %d", p.from.name, size, p, p.to.name, to)
	}
	return list, bias, nil
}

// apply multiplies by the matrix of a node.
func (n *node) apply(list []entry, bias []float64, shape []int, size int, trained, biased bool) ([]entry, []float64, int, error) {
	// The entries by target.
	start := make([]int, size+1)
	for _, e := range list {
		start[e.j+1]++
	}
	for k := range size {
		start[k+1] += start[k]
	}
	order, at := make([]int, len(list)), slices.Clone(start)
	for k, e := range list {
		order[at[e.j]] = k
		at[e.j]++
	}
	total, outs := 0, 0
	if err := n.taps(shape, size, func(o, m int, _ float64, _ int) {
		total += start[m+1] - start[m]
		outs = max(outs, o+1)
	}); err != nil {
		return nil, nil, 0, err
	}
	if err := (engine.Work{}).Room(2*56*int64(total), "the %d synapses of the node %q", total, n.name); err != nil {
		return nil, nil, 0, err
	}
	if out, err := n.shape(shape); err != nil {
		return nil, nil, 0, err
	} else if out != nil && n.kind != "Scale" {
		outs = product(out)
	}
	made, b := make([]entry, 0, total), make([]float64, outs)
	n.taps(shape, size, func(o, m int, w float64, p int) {
		for _, k := range order[start[m]:start[m+1]] {
			e := list[k]
			e.j = o
			if trained {
				e.p, e.c = p, e.w
			} else {
				e.c *= w
			}
			e.w *= w
			made = append(made, e)
		}
		if bias != nil {
			b[o] += w * bias[m]
		}
	})
	if v := n.arrays["bias"].v; v != nil && biased {
		each := outs // elements for each value
		if n.kind != "Affine" {
			each = n.arrays["weight"].shape[0]
		}
		if len(v) != 1 && len(v) != each {
			return nil, nil, 0, fmt.Errorf("nir: node %q: bias has %d elements for %d", n.name, len(v), each)
		}
		for o := range b {
			b[o] += v[min(o/(outs/each), len(v)-1)]
		}
		bias = b
	} else if bias != nil {
		bias = b
	}
	return merge(made), bias, outs, nil
}

// merge adds up what leads from the same neuron to the same in the same time.
func merge(list []entry) []entry {
	slices.SortStableFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j), cmp.Compare(a.delay, b.delay))
	})
	out := list[:0]
	for _, e := range list {
		if k := len(out) - 1; k >= 0 && out[k].i == e.i && out[k].j == e.j && out[k].delay == e.delay {
			l := &out[k]
			l.w += e.w
			if l.q != e.q {
				l.q = several
			}
			if l.p != e.p {
				l.p = several
			} else {
				l.c += e.c
			}
			continue
		}
		out = append(out, e)
	}
	return out
}
