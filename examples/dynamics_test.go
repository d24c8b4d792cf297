package examples

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// The examples of the dynamics of networks: rhythms, synchrony and its disorders, stimulation, drugs, sleep, memory.
func init() {
	maps.Copy(small, map[string]struct {
		file string
		set  map[string]string
	}{
		"oscillations":      {"oscillations", map[string]string{"scale": "0.04", "duration": "60*ms", "firsts": "1"}},
		"synchrony":         {"synchrony", map[string]string{"n": "10", "duration": "100*ms", "trials": "1", "correlations": "[0.0, 0.3]"}},
		"hypersynchrony":    {"hypersynchrony", map[string]string{"inhibition": "[5.0, 3.0]", "scale": "0.04", "warmup": "20*ms", "duration": "50*ms"}},
		"weakened":          {"weakened", map[string]string{"worlds": "1", "parts": "30", "taken": "[0.0, 0.5]", "n": "200", "size": "100", "duration": "60*ms", "segment": "20"}},
		"noise":             {"noise", map[string]string{"sigmas": "[5.0]", "extra": "[8.0]", "n": "20", "network": "200", "duration": "800*ms", "window": "400"}},
		"thalamus":          {"thalamus", map[string]string{"scale": "0.01", "extra": "[8.0]", "period": "20*ms", "duration": "60*ms"}},
		"decision":          {"decision", map[string]string{"n": "80", "trials": "1", "coherences": "[51.2]", "before": "0*ms", "duration": "20*ms"}},
		"entrainment":       {"entrainment", map[string]string{"duration": "200*ms", "detunings": "5"}},
		"entrained_network": {"entrained_network", map[string]string{"n": "5", "detunings": "3", "sizes": "[0.0, 0.5]", "duration": "80*ms"}},
		"coordinated_reset": {"coordinated_reset", map[string]string{"n": "20", "duration": "40*ms", "frequency": "200*Hz"}},
		"pharmacology":      {"pharmacology", map[string]string{"n": "200", "duration": "40*ms", "doses": "[0.5]"}},
		"disease":           {"disease", map[string]string{"n": "200", "duration": "40*ms"}},
		"sleep":             {"sleep", map[string]string{"n": "40", "shown": "1", "trials": "1", "duration": "1*second", "step": "5*ms"}},
		"interference":      {"interference", map[string]string{"n": "40", "shown": "1", "trials": "1", "duration": "1*second", "step": "5*ms", "rest": "20*ms"}},
		"working_memory":    {"working_memory", map[string]string{"n": "64", "start": "5*ms", "cue": "10*ms", "duration": "10*ms"}},
		"assembly":          {"assembly", map[string]string{"n": "100", "size": "20", "assemblies": "2", "trials": "1", "duration": "130*ms", "weight": "5.0"}},
		"hubs":              {"hubs", map[string]string{"n": "20", "k": "4", "lesions": "1", "duration": "100*ms"}},
		"neurofeedback":     {"neurofeedback", map[string]string{"scale": "0.02", "duration": "110*ms"}},
	})
}

// falls fails unless each number is smaller than the one before.
func falls(t *testing.T, what string, x ...float64) {
	t.Helper()
	t.Logf("%s %.4g", what, x)
	for k := 1; k < len(x); k++ {
		if !(x[k] < x[k-1]) {
			t.Errorf("%s does not fall: %.4g", what, x)
			return
		}
	}
}

// column is the number at one place of each of some lines.
func column(lines [][]float64, at int) []float64 {
	var c []float64
	for _, l := range lines {
		c = append(c, l[at])
	}
	return c
}

// TestLongOscillations: the peaks of spectra, against NEST's and an own double-precision program's.
func TestLongOscillations(t *testing.T) {
	long(t)
	l := printed(t, "oscillations", nil)
	within(t, "SIfast, rate", l[0][0], 58.25*0.97, 58.25*1.03)
	within(t, "SIfast, peak", l[0][1], 162, 198)
	within(t, "SIslow, rate", l[1][0], 5.94*0.9, 5.94*1.1)
	within(t, "SIslow, peak", l[1][1], 16, 27)
	within(t, "alpha, rate", l[2][0], 6.5, 8.5)
	within(t, "alpha, peak", l[2][1], 7, 12)
	within(t, "gamma, peak", l[3][1], 30, 80)
	within(t, "gamma, spikes a cycle", l[3][0]/l[3][1], 0.9, 1.1)
	within(t, "the largest power without GABA, of that with", l[4][1], 0, 0.1)
}

// TestSynchrony: measures on trains for which they are known.
func TestSynchrony(t *testing.T) {
	l := printed(t, "synchrony", map[string]string{"duration": "20*second"})
	for _, c := range l[:4] {
		what := fmt.Sprintf("correlation %g: ", c[0])
		within(t, what+"chi", c[1]/c[2], 0.9, 1.1)
		within(t, what+"Fano factor", c[3]/c[4], 0.9, 1.1)
		within(t, what+"correlation of pairs", c[5]-c[6], -0.02, 0.02)
		within(t, what+"van Rossum distance squared", c[7], 0.9*c[8], 1.1*c[8])
	}
	for _, c := range l[4:] {
		within(t, "order of phases", c[0]/c[1], 0.9, 1.1)
	}
}

// TestLongHypersynchrony: the table of rate and CV of an own double-precision program.
func TestLongHypersynchrony(t *testing.T) {
	long(t)
	l := printed(t, "hypersynchrony", nil)
	falls(t, "CV", column(l, 2)...)
	for _, c := range l[1:] {
		what, off := fmt.Sprintf("g %g: ", c[0]), 0.04
		if c[0] == 3 {
			off = 0.02
		}
		within(t, what+"rate", c[1], c[4]*0.95, c[4]*1.05)
		within(t, what+"CV", c[2], c[5]-off, c[5]+off)
	}
}

// TestLongWeakened: what falls with every step.
func TestLongWeakened(t *testing.T) {
	long(t)
	l := printed(t, "weakened", nil)
	within(t, "rate of the whole network", l[0][1], 5.0, 6.4)
	falls(t, "rate", column(l[:5], 1)...)
	for k, name := range []string{"sigma", "least sigma", "largest sigma"} {
		falls(t, name, column(l[5:10], 3+k)...)
	}
	within(t, "sigma of the whole small world", l[5][3], 3.5, 4.5)
	within(t, "sigma of noise", l[9][3], 0.8, 1.3)
	falls(t, "coherence", column(l[10:], 2)...)
	falls(t, "degree", column(l[10:], 3)...)
	within(t, "degree at the end", l[len(l)-1][3], 0, 0.5)
	within(t, "clustering at the end", l[len(l)-1][4], 0, 0.05)
}

// TestLongNoise: an inverted U, and a signal that drowns.
func TestLongNoise(t *testing.T) {
	long(t)
	l := printed(t, "noise", nil)
	var snr, found []float64
	for _, c := range l {
		if len(c) == 3 {
			snr = append(snr, c[2])
		} else {
			found = append(found, c[len(c)-1])
		}
	}
	most := slices.Max(snr)
	at := slices.Index(snr, most)
	within(t, "place of the largest SNR", float64(at), 1, float64(len(snr)-2))
	falls(t, "SNR beyond", snr[at:]...)
	within(t, "SNR with the least noise, of the largest", snr[0]/most, 0, 0.1)
	within(t, "SNR with the most noise, of the largest", snr[len(snr)-1]/most, 0, 1.0/3)
	falls(t, "d' with noise", found...)
}

// TestLongThalamus: a volley that noise drowns in the microcircuit.
func TestLongThalamus(t *testing.T) {
	long(t)
	mean := make([]float64, 5) // of 200 volleys the standard error of a d' of 6 is 0.3: one seed does not tell the first step
	defer func() { falls(t, "d' of layer 4, mean of three seeds", mean...) }()
	for seed := range uint64(3) {
		found := column(seeded(t, "thalamus", seed), 8) // after the numbers of layers 2/3 and 4
		for k, d := range found {
			mean[k] += d / 3
		}
		falls(t, "d' of layer 4 from 2 mV on", found[1:]...)
		within(t, "without noise", found[0], 4, 100)
		within(t, "with the most noise, of that without", found[len(found)-1]/found[0], 0, 0.5)
	}
}

// TestLongDecision: the psychometric curve of 40 trials a coherence, and a choice that is kept.
func TestLongDecision(t *testing.T) {
	long(t)
	l := printed(t, "decision", map[string]string{"trials": "40"})
	last := len(l) - 1
	share := column(l[:last], 1)
	within(t, "right at coherence 0, in percent", share[0], 40, 60)
	within(t, "right at the highest", share[last-1], 95, 100)
	if !slices.IsSorted(share) {
		t.Errorf("more motion, fewer right choices: %v", share)
	}
	within(t, "threshold, in percent", l[last][0], 5, 15)
	for _, c := range l[:last] {
		within(t, fmt.Sprintf("coherence %g %%: rate of the winner", c[0]), c[2], 15, 100)
		within(t, "of the loser", c[4], 0, 5)
		within(t, "choices kept to the end, in percent", c[5], 50, 100)
		within(t, "rate at the end where they are", c[6], 13, 18)
	}
}

// TestLongEntrainment: the tongue, against the theory of weak stimuli.
func TestLongEntrainment(t *testing.T) {
	long(t)
	l := printed(t, "entrainment", nil)
	if len(l) != 5 {
		t.Fatal("not five sizes of the stimulus")
	}
	for _, c := range l {
		within(t, fmt.Sprintf("A %g: half width, of that to first order", c[0]), c[5]/c[6], 0.85, 1.15)
	}
	within(t, "fourth size, lower end", l[3][1], -6, -4.5)
	within(t, "fourth size, upper end", l[3][2], 4.5, 6)
}

// TestLongEntrainedNetwork: a tongue that widens.
func TestLongEntrainedNetwork(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "entrained_network", seed) // A; from, to, f_0's index, width; without stimulus f_0's index, locking, the best
		within(t, "order of the cells", l[0][2], 0.7, 1)
		within(t, "without stimulus: locking at its best", l[1][3], 0, 0.5)
		var widths []float64
		for _, c := range l[2:] {
			if len(c) != 5 {
				t.Fatalf("A %g: not locked", c[0])
			}
			within(t, "lower end", c[1], -20, 0)
			within(t, "upper end", c[2], 0, 20)
			widths = append(widths, c[4])
		}
		narrower := slices.Clone(widths)
		slices.Reverse(narrower)
		falls(t, "width, from the largest stimulus down", narrower...)
		within(t, "the widest, of the narrowest", narrower[0]/widths[0], 3, 100)
	}
}

// TestLongCoordinatedReset: what is unlearned stays unlearned.
func TestLongCoordinatedReset(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "coordinated_reset", seed) // order before, on, at the end; weights likewise
		none, reset, once, weak := l[0], l[1], l[2], l[3]
		within(t, "without: order at the end", none[2], 0.9, 1)
		within(t, "reset: order during, of that without", reset[1]/none[1], 0, 0.5)
		within(t, "reset: order at the end, of that without", reset[2]/none[2], 0, 0.5)
		within(t, "reset: weight at the end, of that without", reset[5]/none[5], 0, 0.5)
		within(t, "at once: order during", once[1], 0.9, 1)
		within(t, "at once: weight at the end, of that without", once[5]/none[5], 0, 0.5)
		within(t, "weak synapses: order at the end", weak[2], 0, 0.2)
	}
}

// TestLongNeurofeedback: the loop against the same stimuli at the wrong times.
func TestLongNeurofeedback(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "neurofeedback", seed)[0]
		within(t, "power in the loop, of the goal", l[2]/l[1], 0.75, 1.25)
		within(t, "moved against the yoked control, in percent", l[4], 30, 100)
	}
}

// TestLongPharmacology: the direction of each drug, and inhibition step by step.
func TestLongPharmacology(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "pharmacology", seed)
		within(t, "bicuculline, of control", l[1][1], 1.1, 10)
		for k, drug := range []string{"diazepam", "APV", "NBQX"} {
			within(t, drug+", of control", l[2+k][1], 0, 0.9)
		}
		falls(t, "rate with GABA_A", column(l[5:], 1)...)
	}
}

// TestLongDisease: the direction of each change.
func TestLongDisease(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "disease", seed) // rate, of healthy, CV
		healthy, epilepsy, schizophrenia, alzheimer, loss := l[0], l[1], l[2], l[3], l[4]
		within(t, "epilepsy: rate, of healthy", epilepsy[1], 3, 10)
		within(t, "epilepsy: CV, of healthy", epilepsy[2]/healthy[2], 0, 0.5)
		within(t, "schizophrenia: rate, of healthy", schizophrenia[1], 1.1, 10)
		falls(t, "rates of healthy, Alzheimer's, loss of synapses alone", healthy[0], alzheimer[0], loss[0])
	}
}

// TestLongSleep: weaker synapses, and a memory that is no worse.
func TestLongSleep(t *testing.T) {
	long(t)
	for seed := range uint64(5) {
		l := seeded(t, "sleep", seed)
		c := l[len(l)-1]
		within(t, "recall after sleep, beyond that without", c[1]-c[0], 0, 1)
		within(t, "weights, change in percent", c[2], -30, -10)
		within(t, "ratio within to between, times", c[5], 1.0001, 1000)
	}
}

// TestLongInterference: what the second task takes, and what sleep gives back.
func TestLongInterference(t *testing.T) {
	long(t)
	for seed := range uint64(5) {
		l := seeded(t, "interference", seed) // accuracies of the two tasks
		first, second := column(l[:5], 0), column(l[:5], 1)
		within(t, "first task, learned", first[1], 0.8, 1)
		within(t, "first task, when the second is learned", first[2], 0.4, 0.65)
		within(t, "first task, given back", first[4]-first[2], 0.02, 0.5)
		within(t, "first task, given back by cues at random", first[3]-first[2], -0.5, 0.02)
		within(t, "second task after sleep", second[4], 0.7, 1)
	}
}

// TestLongWorkingMemory: a bump that lasts by NMDA receptors.
func TestLongWorkingMemory(t *testing.T) {
	long(t)
	var drift float64
	for seed := range uint64(5) {
		l := seeded(t, "working_memory", seed) // rate and vector before; rate, vector, width, drift at the end
		within(t, "vector before the cue", l[0][1], 0, 0.3)
		within(t, "vector at the end", l[0][3], 0.5, 1)
		within(t, "width", l[0][4], 30, 60)
		within(t, "APV: vector at the end", l[1][3], 0, 0.3)
		within(t, "hypofunction: width, of control", l[2][4]/l[0][4], 1.05, 10)
		drift += l[0][5] / 5
	}
	within(t, "drift, mean of five", drift, 0, 15)
}

// TestLongAssembly: most of what belongs to a cue.
func TestLongAssembly(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "assembly", seed)
		within(t, "recalled, in percent", l[0][1], 80, 100)
		within(t, "of the others", l[0][4], 0, 10)
		within(t, "recalled with a quarter of the weights", l[1][1], 0, 50)
	}
}

// TestLongHubs: what spikes tell of the graph, and what the loss of hubs does.
func TestLongHubs(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		l := seeded(t, "hubs", seed)
		within(t, "clustering, of a random graph's", l[0][2], 1.5, 100)
		within(t, "path length, of a random graph's", l[0][4], 0.8, 1.5)
		within(t, "AUC of hubs", l[1][1], 0.95, 1)
		lesion := l[len(l)-1]
		within(t, "loss by hubs, of that by others", lesion[3], 2, 1e6)
	}
}
