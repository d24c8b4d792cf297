// Package bench measures how fast Synfire is, how large, against what, and how
// far from the limits of the machine: `synfire bench`. Each workload is one
// script (workloads/, or the one in examples/); every case runs in a process of
// its own, so that peak memory and the time to the first spike are honest; cases
// of one network must have one hash, whatever the backend and the number of
// threads. Peers (NEST, Brian2) run the same model in the same session.
//
//	r := bench.Runner{Child: []string{exe, "bench", "--case"}, ...}
//	results, err := r.Run(ctx, options)
//	results.WriteTable(os.Stdout)
//
// README.md says what each column means.
package bench

import (
	"fmt"
	"strings"
)

// Options choose what is measured.
type Options struct {
	Workloads []string  // names; nil: all
	Sizes     []float64 // nil: each workload's own first size
	AllSizes  bool      // every size that the workload lists
	Duration  float64   // model seconds; 0: each workload's own
	Seed      uint64
	Repeats   int      // measured runs of each case
	Warmup    bool     // a short run first, which is not counted
	Threads   []int    // of the cpu backend and the peers
	Weak      bool     // sizes grow with the number of threads
	Backends  []string // "cpu", "ref", "gl" (each device), "gl:NAME"
	Peers     []string // of peers: "nest", "brian2", "brian2-cython", "arbor", "neuron"
}

// Case is one run of one workload in a process of its own.
type Case struct {
	Workload string  `json:"workload"`
	Size     float64 `json:"size"`       // cells, or as Workload.Param says
	Duration float64 `json:"duration_s"` // model time of the measured run
	Seed     uint64  `json:"seed"`
	Backend  string  `json:"backend"` // cpu, ref, gl, or the name of a peer
	Device   string  `json:"device,omitempty"`
	Threads  int     `json:"threads"`
}

// network names what is simulated: cases that share it must have one hash.
func (c Case) network() string {
	return fmt.Sprintf("%s size=%g duration=%g seed=%d", c.Workload, c.Size, c.Duration, c.Seed)
}

// key identifies the case in comparisons with earlier results.
func (c Case) key() string {
	return fmt.Sprintf("%s/%s=%g/%s/threads=%d", c.Workload, workload(c.Workload).Param, c.Size, c.where(), c.Threads)
}

// where is the backend with its device.
func (c Case) where() string {
	if c.Device == "" {
		return c.Backend
	}
	return c.Backend + ":" + c.Device
}

func (c Case) String() string {
	s := fmt.Sprintf("%s %s=%g %s", c.Workload, workload(c.Workload).Param, c.Size, c.where())
	if c.Threads > 0 {
		s += fmt.Sprintf(" %d thr", c.Threads)
	}
	return s
}

// Spread is the mean and the standard deviation of a set of numbers.
type Spread [2]float64

// Sample is what one run of a case did. Times are in seconds.
type Sample struct {
	Compile    float64            `json:"compile_s"` // script and equations to a plan; a peer's compiler
	Build      float64            `json:"build_s"`   // connections, tables, loading
	Run        float64            `json:"run_s"`     // simulation proper, of the last run() of the script
	Model      float64            `json:"model_s"`   // model time of that
	Total      float64            `json:"total_s"`   // the process from start to end
	FirstSpike float64            `json:"first_spike_s,omitempty"`
	Steps      int64              `json:"steps"`
	Neurons    int64              `json:"neurons"`
	Synapses   int64              `json:"synapses"`
	Events     uint64             `json:"events"` // synaptic deliveries
	Spikes     uint64             `json:"spikes"`
	Rates      map[string]float64 `json:"rates_hz,omitempty"` // of each population
	Weights    map[string]Spread  `json:"weights,omitempty"`  // of each Synapses that has learned, its variable w, in SI units
	Phases     map[string]float64 `json:"phases_s,omitempty"` // summed over threads
	Idle       int64              `json:"idle_bytes"`         // resident before anything was made
	Peak       int64              `json:"peak_bytes"`         // largest resident size
	PlanBytes  int64              `json:"plan_bytes"`         // state, parameters and records
	Hash       string             `json:"hash,omitempty"`     // of spikes and state
	Work       Work               `json:"work"`               // what must be moved
	Device     string             `json:"device_name,omitempty"`
	Version    string             `json:"version,omitempty"` // of a peer
}

// Row is one case with all its samples, or the reason why there are none.
type Row struct {
	Case
	Samples []Sample `json:"samples,omitempty"`
	Skipped string   `json:"skipped,omitempty"` // it was not run: too large, missing
	Error   string   `json:"error,omitempty"`   // it failed, or its hash differs
	Note    string   `json:"note,omitempty"`    // statistics of a peer beside ours
}

// Results is a whole benchmark: what --json prints and --compare reads.
type Results struct {
	Version     string  `json:"version"`
	Date        string  `json:"date"`
	Command     string  `json:"command"`
	Machine     Machine `json:"machine"`
	Rows        []Row   `json:"rows"`
	Interrupted bool    `json:"interrupted,omitempty"`
}

// Failed lists the rows that make the benchmark fail.
func (r *Results) Failed() []string {
	var out []string
	for _, row := range r.Rows {
		if row.Error != "" {
			out = append(out, row.String()+": "+strings.SplitN(row.Error, "\n", 2)[0])
		}
	}
	return out
}

// isPeer says that a case is run by another simulator.
func (c Case) isPeer() bool { return c.Backend != "cpu" && c.Backend != "ref" && c.Backend != "gl" }
