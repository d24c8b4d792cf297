package bench

import (
	"embed"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"synfire/examples"
)

//go:embed workloads/*.star
var scripts embed.FS

//go:embed peers/*.py
var peerScripts embed.FS

// Workload is a network that is defined once, by a script with a parameter for
// its size.
type Workload struct {
	Name  string
	About string
	File  string            // of workloads/, or of examples/
	Param string            // the script's parameter that is the size
	Sizes []float64         // the first is run unless others are asked for
	Time  float64           // model seconds of a measured run, at the first size
	Set   map[string]string // other parameters of the script

	// Shape is the number of neurons and synapses that a size has.
	Shape func(size float64) (neurons, synapses float64)
	// Rate is roughly the mean rate in Hz, for estimates of time.
	Rate float64
	// Peers can run it; see peers/.
	Peers []string
	// Band is by how much, as a fraction, a peer's rate may differ from ours at
	// the first size.
	Band float64
	// Bias is by how much more the rates of Arbor and NEURON may. Theirs at 0.1 ms
	// are those of the shortest steps; ours grow by this much when our steps are
	// shortened to 0.02 ms (hh: 0.01 ms), means over seeds.
	Bias float64
	// files are made beside the script before it runs.
	files func(dir string, size float64) (map[string]string, error)
}

// perCell is the shape of networks with k synapses to each of n cells.
func perCell(k float64) func(float64) (float64, float64) {
	return func(n float64) (float64, float64) { return n, k * n }
}

// microcircuit is the shape of Potjans and Diesmann's network.
func microcircuit(scale float64) (float64, float64) { return 77169 * scale, 298880969 * scale * scale }

// brunelSTDP is the shape of Brunel's network with a tenth of the cells as inputs, 1,250 at most.
func brunelSTDP(scale float64) (float64, float64) {
	n := 12500 * scale
	return n, n * min(1250, n/10)
}

var (
	brian2      = []string{"brian2", "brian2-cython"}
	brunelPeers = []string{"nest", "brian2", "arbor"}
)

// Workloads are all there are, in the order in which they run.
var Workloads = []Workload{
	{Name: "update", About: "LIF, no noise, no synapses", File: "update.star", Param: "n", Sizes: []float64{1e6, 1e4, 1e5, 4e6}, Time: 0.1, Shape: perCell(0), Rate: 15, Peers: brian2, Band: .02},
	{Name: "lif", About: "LIF with white noise, no synapses", File: "lif.star", Param: "n", Sizes: []float64{1e5, 1e4, 1e6, 4e6}, Time: 0.2, Shape: perCell(0), Rate: 30, Peers: brian2, Band: .03},
	{Name: "izhikevich", About: "Izhikevich cells, no synapses", File: "izhikevich.star", Param: "n", Sizes: []float64{1e5, 1e4, 1e6}, Time: 0.2, Shape: perCell(0), Rate: 40, Peers: brian2, Band: .03},
	{Name: "hh", About: "Hodgkin-Huxley cells, no synapses", File: "hh.star", Param: "n", Sizes: []float64{2e4, 1e3, 1e5}, Time: 0.1, Shape: perCell(0), Rate: 50, Peers: []string{"brian2", "brian2-cython", "arbor", "neuron"}, Band: .03, Bias: .08},
	{Name: "cuba", About: "current-based LIF network, 80 inputs each", File: "cuba.star", Param: "n", Sizes: []float64{4000, 2e4, 1e5, 1e6}, Time: 1, Shape: perCell(80), Rate: 6, Peers: []string{"brian2", "brian2-cython", "nest"}, Band: .15},
	{Name: "coba", About: "conductance-based LIF network, 80 inputs each", File: "coba.star", Param: "n", Sizes: []float64{4000, 2e4, 1e5, 1e6}, Time: 1, Shape: perCell(80), Rate: 20, Peers: []string{"brian2", "brian2-cython", "nest"}, Band: .25},
	{Name: "cobahh", About: "Hodgkin-Huxley network, 80 inputs each", File: "cobahh.star", Param: "n", Sizes: []float64{4000, 2e4, 1e5, 1e6}, Time: 0.5, Shape: perCell(80), Rate: 37, Peers: []string{"brian2", "brian2-cython", "nest", "arbor", "neuron"}, Band: .15, Bias: .13},
	{Name: "brunel", About: "Brunel (2000), AI state, 1,250 inputs each", File: "brunel.star", Param: "n", Sizes: []float64{12500, 1e5}, Time: 0.5, Shape: perCell(1250), Rate: 37, Peers: brunelPeers, Band: .04, Bias: .02},
	{Name: "brunel100", About: "the same with 100 inputs each", File: "brunel.star", Param: "n", Sizes: []float64{1e5, 1e4, 1e6}, Time: 0.2, Set: map[string]string{"indegree": "100"}, Shape: perCell(100), Rate: 68, Peers: brunelPeers, Band: .06, Bias: .05},
	{Name: "brunel1000", About: "the same with 1,000 inputs each", File: "brunel.star", Param: "n", Sizes: []float64{1e5, 1e4, 1e6}, Time: 0.1, Set: map[string]string{"indegree": "1000"}, Shape: perCell(1000), Rate: 37, Peers: brunelPeers, Band: .05, Bias: .02},
	{Name: "indegree", About: "Brunel's network of 10,000 cells, inputs varied", File: "brunel.star", Param: "indegree", Sizes: []float64{1000, 100, 300, 3000, 8000}, Time: 0.3, Set: map[string]string{"n": "10000"},
		Shape: func(k float64) (float64, float64) { return 1e4, 1e4 * k }, Rate: 37, Peers: brunelPeers, Band: .06, Bias: .04},
	{Name: "potjans_diesmann", About: "cortical microcircuit, Poisson drive", File: "potjans_diesmann.star", Param: "scale", Sizes: []float64{0.1, 0.2, 0.5, 1}, Time: 2, Shape: microcircuit, Rate: 3.3, Peers: []string{"nest"}, Band: .15},
	{Name: "fly", About: "surrogate of the fly brain, 15.1 M edges", File: "fly.star", Param: "n", Sizes: []float64{138639, 13864}, Time: 1,
		Shape: perCell(flyDegree), Rate: 0.12, Peers: []string{"brian2"}, Band: .05, files: flyFiles},
	{Name: "stdp", About: "1,000 Poisson inputs to 10 cells, all plastic", File: "song.star", Param: "n", Sizes: []float64{1000, 1e4}, Time: 10,
		Shape: func(n float64) (float64, float64) { return n + 10, 10 * n }, Rate: 15, Peers: brian2, Band: .05},
	{Name: "brunel_stdp", About: "Brunel (2000), plastic among excitatory cells", File: "brunel_stdp.star", Param: "scale", Sizes: []float64{0.2, 0.1, 1}, Time: 1, Shape: brunelSTDP, Rate: 15, Peers: []string{"nest", "brian2", "brian2-cython"}, Band: .1},
	{Name: "delivery", About: "synaptic events alone, 1,000 targets each", File: "delivery.star", Param: "n", Sizes: []float64{1e5, 1e4, 1e6}, Time: 0.1,
		Shape: func(n float64) (float64, float64) { return 2 * n, 1000 * n }, Rate: 25},
	{Name: "build", About: "construction alone: weights and delays drawn", File: "build.star", Param: "synapses", Sizes: []float64{1e7, 1e6, 1e8}, Time: 1e-4,
		Shape: func(k float64) (float64, float64) { return k / 1000, k }},
}

// workload finds a workload by name; the zero Workload if there is none.
func workload(name string) Workload {
	for _, w := range Workloads {
		if w.Name == name {
			return w
		}
	}
	return Workload{}
}

// choose finds the workloads that are named, or all.
func choose(names []string) ([]Workload, error) {
	if len(names) == 0 {
		return Workloads, nil
	}
	var out []Workload
	for _, n := range names {
		w := workload(n)
		if w.Name == "" {
			var known []string
			for _, w := range Workloads {
				known = append(known, w.Name)
			}
			return nil, fmt.Errorf("there is no workload %q; there are %s", n, strings.Join(known, ", "))
		}
		if !slices.ContainsFunc(out, func(o Workload) bool { return o.Name == n }) {
			out = append(out, w)
		}
	}
	return out, nil
}

// WriteList prints the workloads with their sizes, the first of which is run
// unless others are asked for.
func WriteList(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tsize is\tsizes\tmodel time\tpeers\twhat it is")
	for _, x := range Workloads {
		var sizes []string
		for _, s := range x.Sizes {
			sizes = append(sizes, fmt.Sprint(s))
		}
		peers := strings.Join(x.Peers, " ")
		if peers == "" {
			peers = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%g s\t%s\t%s\n", x.Name, x.Param, strings.Join(sizes, " "), x.Time, peers, x.About)
	}
	return t.Flush()
}

// ParseSizes reads --sizes: numbers with commas between, or all.
func ParseSizes(text string) (sizes []float64, all bool, err error) {
	if text == "" || text == "all" {
		return nil, text == "all", nil
	}
	for _, s := range strings.Split(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || !(x > 0) || math.IsInf(x, 0) {
			return nil, false, fmt.Errorf("--sizes %s: %q is no size; sizes are numbers above 0 with commas between, or all", text, s)
		}
		sizes = append(sizes, x)
	}
	return sizes, false, nil
}

// path is where the script lies once unpack has been there.
func (w Workload) path(dir string) string { return filepath.Join(dir, w.File) }

// unpack writes all scripts into a folder, those of the examples too.
func unpack(dir string) error {
	for _, src := range []struct {
		fs   embed.FS
		from string
	}{{scripts, "workloads"}, {examples.FS, "."}, {peerScripts, "peers"}} {
		list, err := src.fs.ReadDir(src.from)
		if err != nil {
			return err
		}
		for _, e := range list {
			b, err := src.fs.ReadFile(strings.TrimPrefix(src.from+"/"+e.Name(), "./"))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, e.Name()), b, 0o644)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// bytesNeeded is what a case will take at most, measured on this backend; tables
// of synapses and what building them takes decide.
func (w Workload) bytesNeeded(size float64, backend string) float64 {
	n, s := w.Shape(size)
	perSynapse, perNeuron := 6.0, 300.0
	switch backend {
	case "ref":
		perSynapse = 64
	case "gl":
		perSynapse, perNeuron = 14, 600
	case "nest":
		perSynapse, perNeuron = 40, 45e3 // most of it for the connection of each cell to a recorder
	case "brian2", "brian2-cython":
		perSynapse, perNeuron = 64, 600
	case "arbor":
		perSynapse, perNeuron = 64, 3000
	case "neuron":
		perSynapse, perNeuron = 350, 3000
	}
	if w.files != nil {
		perSynapse += 15 // arrays as the script reads them
	}
	return 60e6 + perNeuron*n + perSynapse*s
}

// cost is a rough measure of a sample's time, in seconds of one core, for the
// time that is left.
func (w Workload) cost(c Case) float64 {
	n, s := w.Shape(c.Size)
	steps := c.Duration * 1e4
	update, event, build := 1.5e-9, 2.5e-9, 60e-9
	switch c.Backend {
	case "ref":
		update, event, build = 1e-6, 50e-9, 500e-9
	case "nest":
		update, event, build = 100e-9, 20e-9, 2e-6
	case "brian2", "brian2-cython":
		update, event, build = 20e-9, 5e-9, 500e-9
	case "arbor":
		update, event, build = 30e-9, 50e-9, 2e-6
	case "neuron":
		update, event, build = 60e-9, 200e-9, 4e-6
	case "gl":
		update, event = 5e-9, 10e-9
	}
	t := 0.05 + n*steps*update + s*w.Rate*c.Duration*event + s*build
	if c.Threads > 1 {
		t /= float64(c.Threads)
	}
	if c.isPeer() {
		t += 15
	}
	return t
}
