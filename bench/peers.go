package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// peers are the simulators that can be measured beside ours, each a script of
// peers/; brian2 is its C++ standalone mode, brian2-cython its default.
var peers = []string{"nest", "brian2", "brian2-cython", "arbor", "neuron"}

// python finds an interpreter that has a peer: Runner.Python, $SYNFIRE_PEERS (an
// interpreter or its environment), or .venv, which `make peers` makes.
func (r *Runner) python(peer string) (string, error) {
	var tried []string
	for _, p := range []string{r.Python, os.Getenv("SYNFIRE_PEERS"), ".venv"} {
		if p == "" {
			continue
		}
		if s, err := os.Stat(p); err == nil && s.IsDir() {
			p = filepath.Join(p, "bin", "python")
		}
		if _, err := exec.LookPath(p); err != nil {
			tried = append(tried, p+" is not there")
			continue
		}
		if module := module(peer); exec.Command(p, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('"+module+"') is None)").Run() != nil {
			tried = append(tried, p+" has no "+module)
			continue
		}
		if abs, err := filepath.Abs(p); err == nil && strings.ContainsRune(p, filepath.Separator) {
			p = abs
		}
		return p, nil
	}
	return "", fmt.Errorf("not installed (%s): `make peers` installs it, or $SYNFIRE_PEERS names a Python that has it", strings.Join(tried, "; "))
}

func module(peer string) string { return strings.TrimSuffix(peer, "-cython") }

// peer runs a case on another simulator.
func (r *Runner) peer(ctx context.Context, o order, label string) (*Sample, error) {
	python, err := r.python(o.Backend)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(o.Script)
	text, err := json.Marshal(struct {
		order
		Dir string `json:"dir"`
	}{o, dir})
	if err != nil {
		return nil, err
	}
	r.progress(o.Case, label, 0)
	cmd := exec.CommandContext(ctx, python, filepath.Join(dir, module(o.Backend)+"_peer.py"), string(text))
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", o.Threads), "MPLBACKEND=Agg")
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	began := time.Now()
	err = cmd.Run()
	total := time.Since(began).Seconds()
	if err != nil {
		return nil, fmt.Errorf("%s failed: %w: %s", o.Backend, err, lastLines(stderr.String(), 1))
	}
	s := &Sample{}
	if err := json.Unmarshal([]byte(lastLines(stdout.String(), 1)), s); err != nil {
		return nil, errors.New(o.Backend + " printed no result: " + lastLines(stdout.String(), 1))
	}
	s.Total = total
	return s, nil
}

// comparePeers holds each peer's rates against ours, in Row.Note.
func comparePeers(rows []Row) {
	for k := range rows {
		p := &rows[k]
		if !p.isPeer() || len(p.Samples) == 0 {
			continue
		}
		i := slices.IndexFunc(rows, func(o Row) bool {
			return !o.isPeer() && len(o.Samples) > 0 && o.network() == p.network()
		})
		if i < 0 {
			continue
		}
		band := workload(p.Workload).band(p.Case)
		p.Note = rateNote(rows[i].Samples[0].Rates, medianRates(p.Samples), band) + weightNote(rows[i].Samples[0].Weights, p.Samples[0].Weights, band)
	}
}

// band is by how much a peer's rates may differ in a case: Band for the workload's
// first size and as much time, more for less, since rates wander from seed to seed;
// with a tenth of the inputs (indegree) by 5 % instead of 1 %.
func (w Workload) band(c Case) float64 {
	band := w.Band * math.Sqrt(max(1, w.Sizes[0]/c.Size)*max(1, w.Time/c.Duration))
	if c.Backend == "arbor" || c.Backend == "neuron" {
		band += w.Bias
	}
	return band
}

// medianRates takes the median of each population's rate over the samples.
func medianRates(samples []Sample) map[string]float64 {
	all := map[string][]float64{}
	for _, s := range samples {
		for n, x := range s.Rates {
			all[n] = append(all[n], x)
		}
	}
	out := map[string]float64{}
	for n, x := range all {
		out[n] = median(x)
	}
	return out
}

// rateNote says whether rates agree within a band, and where they do not. Rates
// below 1 Hz are held to the band of 1 Hz: short runs hold few of their spikes.
func rateNote(ours, theirs map[string]float64, band float64) string {
	names := make([]string, 0, len(theirs))
	for n := range theirs {
		names = append(names, n)
	}
	slices.Sort(names)
	var off []string
	for _, n := range names {
		if x, ok := ours[n]; !ok || math.Abs(theirs[n]-x) > band*max(x, 1) {
			off = append(off, fmt.Sprintf("%s %.3g Hz, ours %.3g", n, theirs[n], x))
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(off) > 0:
		return fmt.Sprintf("RATES DIFFER by more than %.0f %%: %s", band*100, strings.Join(off, ", "))
	case len(names) == 1:
		return fmt.Sprintf("rates agree within %.0f %%: %.3g Hz, ours %.3g", band*100, theirs[names[0]], ours[names[0]])
	}
	return fmt.Sprintf("rates of %d populations agree within %.0f %%", len(names), band*100)
}

// weightNote says how what was learned compares: mean and spread of the weights of
// each Synapses, in SI units.
func weightNote(ours, theirs map[string]Spread, band float64) string {
	note := ""
	for _, n := range slices.Sorted(maps.Keys(theirs)) {
		x, ok := ours[n]
		y := theirs[n]
		agree := "agree"
		if !ok || math.Abs(x[0]-y[0]) > band*math.Abs(y[0]) || math.Abs(x[1]-y[1]) > 3*band*y[1] {
			agree = "DIFFER"
		}
		note += fmt.Sprintf("; weights of %s %s: mean %.4g, ours %.4g, standard deviation %.3g, ours %.3g", n, agree, y[0], x[0], y[1], x[1])
	}
	return note
}
