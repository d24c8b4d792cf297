package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/community"
	"gonum.org/v1/gonum/graph/simple"
)

// Graph is an undirected network of nodes whose links have weights above 0.
type Graph struct {
	w    [][]float64 // symmetric, 0 on the diagonal
	next [][]int     // the neighbours of each node
}

// NewGraph takes the weights between every two nodes: symmetric, finite, none below 0; 0 is no link. The diagonal does not
// count.
func NewGraph(w [][]float64) (*Graph, error) {
	g := &Graph{next: make([][]int, len(w))}
	if len(w) == 0 {
		return nil, fmt.Errorf("the network has no nodes")
	}
	for i, row := range w {
		if len(row) != len(w) {
			return nil, fmt.Errorf("the weights are no square: %d rows, but %d columns", len(w), len(row))
		}
		g.w = append(g.w, slices.Clone(row))
		g.w[i][i] = 0
	}
	for i, row := range g.w {
		for j, x := range row {
			switch {
			case x < 0 || x != x || math.IsInf(x, 0):
				return nil, fmt.Errorf("the weight of nodes %d and %d is %g: 0 (no link) or a positive number was expected; take a threshold first, or abs()", i, j, x)
			case x != g.w[j][i]:
				return nil, fmt.Errorf("the weights of nodes %d and %d are %g and %g in the two directions: these measures are of undirected networks; take W + W.T", i, j, x, g.w[j][i])
			case x > 0:
				g.next[i] = append(g.next[i], j)
			}
		}
	}
	return g, nil
}

// Links is the number of links.
func (g *Graph) Links() (n int) {
	for _, l := range g.next {
		n += len(l)
	}
	return n / 2
}

// Degrees returns the number of links of each node.
func (g *Graph) Degrees() []float64 {
	d := make([]float64, len(g.w))
	for i, l := range g.next {
		d[i] = float64(len(l))
	}
	return d
}

// Clustering returns of each node the part of its pairs of neighbours that are linked, whatever the weights:
//
//	C_i = 2 (links among the k_i neighbours) / (k_i (k_i - 1))
//
// 0 with fewer than two neighbours. The mean over nodes is the network's. No unit. (Watts and Strogatz, Nature 393:440,
// 1998.)
func (g *Graph) Clustering() []float64 {
	c := make([]float64, len(g.w))
	for i, l := range g.next {
		links := 0.0
		for a, j := range l {
			for _, k := range l[:a] {
				if g.w[j][k] > 0 {
					links++
				}
			}
		}
		if k := float64(len(l)); k > 1 {
			c[i] = 2 * links / (k * (k - 1))
		}
	}
	return c
}

// PathLength returns the mean over pairs of nodes of the fewest links from one to the other, whatever the weights, of the
// pairs that have a path, and which part of all pairs they are. NaN if none has. (Watts and Strogatz 1998.)
func (g *Graph) PathLength() (mean, connected float64) {
	n := len(g.w)
	sum, pairs := 0, 0
	far := make([]int, n)
	queue := make([]int, 0, n)
	for i := range n {
		for k := range far {
			far[k] = -1
		}
		far[i] = 0
		queue = append(queue[:0], i)
		for q := 0; q < len(queue); q++ {
			for _, k := range g.next[queue[q]] {
				if far[k] < 0 {
					far[k] = far[queue[q]] + 1
					queue = append(queue, k)
					sum += far[k]
				}
			}
		}
		pairs += len(queue) - 1
	}
	return float64(sum) / float64(pairs), float64(pairs) / float64(n*(n-1))
}

// SmallWorld returns the clustering and the path length over those of random networks with as many nodes and links (the
// mean of ten, always the same ones), and sigma, their quotient: well above 1 in a small world, whose clustering is
// that of a lattice and whose paths are those of a random network. No units. (Humphries and Gurney, PLoS ONE 3:e2051,
// 2008.)
func (g *Graph) SmallWorld() (clustering, path, sigma float64) {
	const networks = 10
	n := len(g.w)
	draw := rand.New(rand.NewPCG(1, 1))
	var c, l float64
	for range networks {
		r := &Graph{w: make([][]float64, n), next: make([][]int, n)}
		for i := range r.w {
			r.w[i] = make([]float64, n)
		}
		for k := g.Links(); k > 0; {
			i, j := draw.IntN(n), draw.IntN(n)
			if i != j && r.w[i][j] == 0 {
				r.w[i][j], r.w[j][i] = 1, 1
				r.next[i], r.next[j] = append(r.next[i], j), append(r.next[j], i)
				k--
			}
		}
		length, _ := r.PathLength()
		c, l = c+meanOf(r.Clustering())/networks, l+length/networks
	}
	own, _ := g.PathLength()
	clustering, path = meanOf(g.Clustering())/c, own/l
	return clustering, path, clustering / path
}

func checkCommunities(n int, of []int) error {
	if len(of) != n {
		return fmt.Errorf("there are %d nodes, but communities of %d", n, len(of))
	}
	return nil
}

// Modularity returns how much more of the weight lies within communities than if links were drawn at random:
//
//	Q = 1/(2m) sum_ij (w_ij - s_i s_j/(2m)) [of_i = of_j],   s_i = sum_j w_ij,   2m = sum_i s_i
//
// of[i] is the community of node i. NaN without links. No unit. (Newman and Girvan, Phys. Rev. E 69:026113, 2004.)
func (g *Graph) Modularity(of []int) (float64, error) {
	if err := checkCommunities(len(g.w), of); err != nil {
		return 0, err
	}
	s, all := g.strengths()
	within, strength := 0.0, map[int]float64{}
	for i, row := range g.w {
		strength[of[i]] += s[i]
		for j, x := range row {
			if of[i] == of[j] {
				within += x
			}
		}
	}
	q := within / all
	for _, c := range slices.Compact(slices.Sorted(slices.Values(of))) {
		q -= strength[c] / all * (strength[c] / all)
	}
	return q, nil
}

func (g *Graph) strengths() (s []float64, all float64) {
	s = make([]float64, len(g.w))
	for i, row := range g.w {
		for _, x := range row {
			s[i] += x
		}
		all += s[i]
	}
	return s, all
}

// Communities returns a division of the nodes that has a large modularity, found by the method of Blondel et al. (J. Stat.
// Mech. P10008, 2008; gonum's): the best of ten tries, always the same ones. Communities are numbered by their first node.
func (g *Graph) Communities() []int {
	u := simple.NewWeightedUndirectedGraph(0, 0)
	for i := range g.w {
		u.AddNode(simple.Node(i))
	}
	for i, l := range g.next {
		for _, j := range l {
			if j < i {
				u.SetWeightedEdge(u.NewWeightedEdge(simple.Node(i), simple.Node(j), g.w[i][j]))
			}
		}
	}
	of, best := make([]int, len(g.w)), math.Inf(-1)
	for try := range uint64(10) {
		found := make([]int, len(g.w))
		for c, nodes := range community.Modularize(graph.Undirected(u), 1, rand.NewPCG(1, try)).Communities() {
			for _, node := range nodes {
				found[node.ID()] = c
			}
		}
		if q, err := g.Modularity(found); err == nil && q > best {
			of, best = found, q
		}
	}
	names := map[int]int{}
	for i, c := range of {
		if _, known := names[c]; !known {
			names[c] = len(names)
		}
		of[i] = names[c]
	}
	return of
}

// Participation returns of each node how evenly its weight is spread over communities:
//
//	P_i = 1 - sum_c (s_ic/s_i)^2,   s_ic the weight of its links to community c, s_i that of all
//
// 0 where all goes to one; 0 without links. No unit. (Guimera and Amaral, Nature 433:895, 2005.)
func (g *Graph) Participation(of []int) ([]float64, error) {
	if err := checkCommunities(len(g.w), of); err != nil {
		return nil, err
	}
	p := make([]float64, len(g.w))
	for i, row := range g.w {
		to, s := make(map[int]float64), 0.0
		for j, x := range row {
			to[of[j]] += x
			s += x
		}
		if s == 0 {
			continue
		}
		p[i] = 1
		for _, c := range slices.Compact(slices.Sorted(slices.Values(of))) {
			p[i] -= to[c] / s * (to[c] / s)
		}
	}
	return p, nil
}

// WithinModuleZ returns of each node how far the weight of its links within its own community lies above the mean of its
// community, in standard deviations (divided by the number of nodes) of it:
//
//	z_i = (s_i,own - mean) / sd
//
// 0 where the community's do not vary. No unit. A node with z above 2.5 is a hub (Guimera and Amaral 2005).
func (g *Graph) WithinModuleZ(of []int) ([]float64, error) {
	if err := checkCommunities(len(g.w), of); err != nil {
		return nil, err
	}
	own, each := make([]float64, len(g.w)), map[int][]float64{}
	for i, row := range g.w {
		for j, x := range row {
			if of[j] == of[i] {
				own[i] += x
			}
		}
		each[of[i]] = append(each[of[i]], own[i])
	}
	z := make([]float64, len(g.w))
	for i := range z {
		if m, v := meanVar(each[of[i]]); v > 0 {
			z[i] = (own[i] - m) / math.Sqrt(v)
		}
	}
	return z, nil
}
