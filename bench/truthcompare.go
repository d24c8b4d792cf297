package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"synfire/engine/analysis"
)

const (
	truthStep = 1e-4 // s
	// What Senk et al. (2026) compare: correlations of spike counts in bins of 2 ms, of 200 cells; irregularity of cells with five intervals or more.
	correlationBin   = 2e-3
	correlationCells = 200
	leastIntervals   = 5
)

// measures are what networks are compared by, each as a distribution over neurons or pairs.
var measures = []string{"rate", "CV", "correlation"}

// distributions are the measures of one run of a population, each sorted, without neurons that have none.
func distributions(s *analysis.Spikes) [][]float64 {
	_, cv := s.CV(leastIntervals)
	all := [][]float64{s.Rates(), cv, correlations(s)}
	for k, v := range all {
		all[k] = slices.DeleteFunc(v, func(x float64) bool { return x != x })
		slices.Sort(all[k])
	}
	return all
}

// correlations are those of all pairs among cells that spike, evenly chosen.
func correlations(s *analysis.Spikes) (r []float64) {
	var active, chosen []int
	for j, x := range s.Rates() {
		if x > 0 {
			active = append(active, j)
		}
	}
	for k := range min(len(active), correlationCells) {
		chosen = append(chosen, active[k*len(active)/min(len(active), correlationCells)])
	}
	if len(chosen) < 2 {
		return nil
	}
	for j, row := range analysis.CorrelationMatrix(s.Of(chosen).CountsEach(correlationBin)) {
		r = append(r, row[:j]...)
	}
	return r
}

// distances are those of Kolmogorov and Smirnov between distributions of two simulators' runs, and between the peer's own.
type distances struct {
	cross, own []float64
}

// distancesOf compares each run of ours with each of theirs, and theirs among each other.
func distancesOf(ours, theirs [][]float64) (d distances) {
	for k, b := range theirs {
		for _, a := range ours {
			d.cross = append(d.cross, stat.KolmogorovSmirnov(a, nil, b, nil))
		}
		for _, a := range theirs[:k] {
			d.own = append(d.own, stat.KolmogorovSmirnov(a, nil, b, nil))
		}
	}
	return d
}

// differ says that ours lie farther from the peer's than the peer's lie from each other: the middle one of the distances between the
// simulators is above the largest between seeds. (The largest of the first would be, too, now and then between equals: there are more of them.)
func (d distances) differ() bool {
	return len(d.cross) > 0 && len(d.own) > 0 && median(d.cross) > slices.Max(d.own)
}

// alive says that a run did not die out: something spikes in its last fifth.
func alive(run []*analysis.Spikes) bool {
	return slices.ContainsFunc(run, func(s *analysis.Spikes) bool {
		return slices.ContainsFunc(s.T, func(t float64) bool { return t > s.Stop-s.Duration()/5 })
	})
}

const networksHead = `
## Networks

Rate of each cell, coefficient of variation of its intervals (five and more), correlation of the spike counts of 200 cells in bins of 2 ms: mean, and range of the means over seeds. Distance of
Kolmogorov and Smirnov between the distributions over cells (pairs): the median over all pairs of a run of ours and one of the peer's, in brackets its range; and the range over pairs of the peer's own
seeds. It differs where the median is above that range. Runs that died out are left out (alive: of ours, of theirs).

| network | peer | alive | part | measure | Synfire | peer | distance | peer's own | |
|---|---|---|---|---|---|---|---|---|---|
`

// writeDistances writes the rows of a network; it returns what differs.
func writeDistances(w *strings.Builder, c truthCase, peer string, ours, theirs [][]*analysis.Spikes) (found []string) {
	a, b := slices.DeleteFunc(slices.Clone(ours), func(r []*analysis.Spikes) bool { return !alive(r) }), slices.DeleteFunc(slices.Clone(theirs), func(r []*analysis.Spikes) bool { return !alive(r) })
	name := fmt.Sprintf("%s, %s %g, %g s", c.workload, workload(c.workload).Param, c.size, c.duration)
	if c.about != "" {
		name += ", " + c.about
	}
	gone := min(len(a), len(b)) == 0 && max(len(a), len(b)) >= 4
	if gone {
		found = append(found, fmt.Sprintf("%s, %s: %d of %d runs of ours are alive at the end, %d of %d of the peer's", name, title(peer), len(a), len(ours), len(b), len(theirs)))
	}
	for k, p := range c.parts {
		x, y := byMeasure(a, k), byMeasure(b, k)
		for m, measure := range measures {
			d := distancesOf(x[m], y[m])
			verdict := "agrees"
			switch {
			case !gone && (len(a) == 0 || len(b) < 4):
				verdict = "too few are alive"
			case (gone || d.differ()) && c.known[peer] != "":
				verdict = "differs: " + c.known[peer]
			case gone || d.differ():
				verdict = "**DIFFERS**"
			}
			if d.differ() && len(b) >= 4 {
				found = append(found, fmt.Sprintf("%s, %s, %s of %s: distance %.3f, the peer's own up to %.3f", name, title(peer), measure, p.name, median(d.cross), slices.Max(d.own)))
			}
			fmt.Fprintf(w, "| %s | %s | %d, %d of %d | %s | %s | %s | %s | %s | %s | %s |\n", name, title(peer), len(a), len(b), len(theirs), p.name, measure, means(x[m]), means(y[m]),
				middle(d.cross), rangeText(d.own), verdict)
		}
	}
	return found
}

// byMeasure are the distributions of a part: for each measure those of all runs.
func byMeasure(runs [][]*analysis.Spikes, part int) [][][]float64 {
	x := make([][][]float64, len(measures))
	for _, r := range runs {
		for m, v := range distributions(r[part]) {
			x[m] = append(x[m], v)
		}
	}
	return x
}

// means are the mean over runs of each one's mean, and its range.
func means(runs [][]float64) string {
	var each []float64
	for _, r := range runs {
		if len(r) > 0 {
			each = append(each, stat.Mean(r, nil))
		}
	}
	if len(each) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.4g (%.4g to %.4g)", stat.Mean(each, nil), slices.Min(each), slices.Max(each))
}

func middle(d []float64) string {
	if len(d) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.3f (%s)", median(d), rangeText(d))
}

func rangeText(d []float64) string {
	if len(d) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.3f to %.3f", slices.Min(d), slices.Max(d))
}

const trainsHead = `
## Spike trains where nothing is drawn

A cell is off where it has another number of spikes than the peer's, or a spike more than a step away from that of the same place in the train. Ours calculates in single precision, the peers in double:
beside it stands how far the peer in single precision is off from itself. It differs where more than twice as many cells are off.

| cells | peer | spikes of ours | the peer's | at the same step | cells off | farthest, in steps | the peer in single precision: cells off | farthest | |
|---|---|---|---|---|---|---|---|---|---|
`

// writeTrains writes the row of a case in which nothing is drawn: ours and theirs, and theirs in single precision. It returns what differs.
func writeTrains(w *strings.Builder, c truthCase, peer string, ours, theirs, single []*analysis.Spikes) (found []string) {
	name := fmt.Sprintf("%s, %s %g, %g s, %s", c.workload, workload(c.workload).Param, c.size, c.duration, c.about)
	for k, p := range c.parts {
		d, own := trainsOf(ours[k], theirs[k]), trainsOf(single[k], theirs[k])
		verdict := "agrees"
		if d.off > 2*own.off || d.spikes == 0 {
			verdict = "**DIFFERS**"
			if c.known[peer] != "" {
				verdict = "differs: " + c.known[peer]
			}
			found = append(found, fmt.Sprintf("%s, %s, %s: %d cells are off, one spike by %d steps; %d cells of the peer in single precision", name, title(peer), p.name, d.off, d.steps, own.off))
		}
		fmt.Fprintf(w, "| %s | %s | %d | %d | %.4g %% | %d of %d | %d | %d | %d | %s |\n", name, title(peer), d.spikes, len(theirs[k].T), 100*float64(d.same)/float64(max(1, d.paired)), d.off, ours[k].N, d.steps, own.off, own.steps, verdict)
	}
	return found
}

// trains is how far spike trains lie apart.
type trains struct {
	spikes int // of the first
	off    int // cells that have another number of spikes, or one more than a step away
	paired int // spikes that have a partner in the other's train
	same   int // of these, those in the same step
	steps  int // the farthest
}

// trainsOf pairs spikes by their order.
func trainsOf(ours, theirs *analysis.Spikes) (d trains) {
	a, b := ours.Trains(), theirs.Trains()
	d.spikes = len(ours.T)
	for j := range a {
		off := len(a[j]) != len(b[j])
		for k := range min(len(a[j]), len(b[j])) {
			n := int(math.Abs(math.Round((a[j][k] - b[j][k]) / truthStep)))
			d.paired++
			if n == 0 {
				d.same++
			}
			off = off || n > 1
			d.steps = max(d.steps, n)
		}
		if off {
			d.off++
		}
	}
	return d
}
