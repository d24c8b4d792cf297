package examples

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"synfire/kernels"
)

var numberRE = regexp.MustCompile(`[-+]?\d+(\.\d+)?(e[-+]\d+)?`)

// printed are the numbers of each line that an example prints.
func printed(t *testing.T, file string, set map[string]string) [][]float64 {
	t.Helper()
	g, _ := play(t, file, set, kernels.New(0), nil)
	return numbers(t, g.Prints)
}

// seeded is printed for a seed.
func seeded(t *testing.T, file string, seed uint64) [][]float64 {
	t.Helper()
	g, _ := play(t, file, nil, kernels.New(0), &seed)
	return numbers(t, g.Prints)
}

func numbers(t *testing.T, prints string) [][]float64 {
	t.Log("\n" + prints)
	var lines [][]float64
	for line := range strings.Lines(prints) {
		var l []float64
		for _, w := range numberRE.FindAllString(line, -1) {
			x, err := strconv.ParseFloat(w, 64)
			if err != nil {
				t.Fatal(err)
			}
			l = append(l, x)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestStdpWindow: the formula of the window.
func TestStdpWindow(t *testing.T) {
	l := printed(t, "stdp_window", nil)[0]
	within(t, "pairs", l[0], 10, 10)
	within(t, "10 ms after", l[1], 0.00060, 0.00061)
	within(t, "10 ms before", l[3], -0.00064, -0.00063)
	within(t, "deviation", l[4], 0, 1e-3)
}

// TestStdp: weights part in a hundred seconds.
func TestStdp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := printed(t, "stdp", map[string]string{"cells": "4"})[0]
	within(t, "rate", l[0], 20.5*0.85, 20.5*1.15)
	within(t, "CV", l[1], 0.90*0.85, 0.90*1.15)
	within(t, "weights near 0", l[2], 24*0.85, 24*1.15)
	within(t, "weights near the largest", l[4], 18*0.85, 18*1.15)
}

func TestLongStdp(t *testing.T) {
	long(t)
	l := printed(t, "stdp", map[string]string{"cells": "10", "duration": "500*second"})[0]
	within(t, "rate", l[0], 21.0*0.85, 21.0*1.15)
	within(t, "CV", l[1], 0.87*0.85, 0.87*1.15)
	within(t, "weights near 0", l[2], 30*0.85, 30*1.15)
	within(t, "weights near the largest", l[4], 25*0.85, 25*1.15)
	l = printed(t, "stdp", map[string]string{"cells": "10", "duration": "500*second", "frequency": "40*Hz"})[0]
	within(t, "rate at 40 Hz", l[0], 39.6*0.85, 39.6*1.15)
	within(t, "weights near 0 at 40 Hz", l[2], 57*0.85, 57*1.15)
}

// TestTriplet: the sums over spikes, and the paper's dependence on frequency (its model
// lies within 1.3 standard errors of the data).
func TestTriplet(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	data := []float64{-4, -29, 14, -41, 29, -34, 53, 56, 56, 75}
	errors := []float64{5, 8, 10, 11, 14, 10, 11, 32, 26, 19}
	for k, l := range printed(t, "triplet", nil) {
		change, sums := l[2], l[3]
		within(t, "off the sums over spikes", change-sums, -0.1001, 0.1001)
		within(t, "against the data", change, data[k]-1.3*errors[k], data[k]+1.3*errors[k])
	}
}

// TestClopath: NEST's six numbers.
func TestClopath(t *testing.T) {
	for k, l := range printed(t, "clopath", nil) {
		want := []float64{57.826, 72.167, 149.434, 103.304, 124.036, 157.029}[k]
		within(t, "per cent of the weight", l[1], want*0.94, want*1.06)
	}
}

// TestCalcium: the closed form, and with noise its mean.
func TestCalcium(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := printed(t, "calcium", map[string]string{"trials": "1", "noise": "False"})
	within(t, "off the closed form", l[len(l)-1][0], 0, 0.01)
	least, most := math.Inf(1), math.Inf(-1)
	for _, c := range l[:len(l)-1] {
		least, most = min(least, c[1]), max(most, c[1])
	}
	within(t, "depression", least, 0.43, 0.45)
	within(t, "potentiation", most, 0.54, 0.56)
}

func TestLongCalcium(t *testing.T) {
	long(t)
	l := printed(t, "calcium", nil)
	within(t, "off the closed form", l[len(l)-1][0], 0, 0.06)
}

// TestLongVogels: the balanced state and the memory in it.
func TestLongVogels(t *testing.T) {
	long(t)
	l := printed(t, "vogels2011", nil)
	within(t, "without plasticity", l[0][0], 155, 170)
	for k := 2; k < 10; k++ {
		if l[k][1] > l[k-1][1]+0.1 {
			t.Errorf("the rate rises from %g to %g", l[k-1][1], l[k][1])
		}
	}
	within(t, "at the end", l[9][1], 2, 5)
	within(t, "CV", l[10][0], 0.7, 1.1)
	strong, after, cue, later := l[11], l[12], l[13], l[14]
	within(t, "the strengthened assembly against the others", strong[0]/strong[1], 2.5, 8)
	within(t, "the same after plasticity", after[0]/after[1], 0.7, 1.4)
	within(t, "recalled", cue[0]/cue[1], 4, 12)
	within(t, "the others while the cue is there", cue[1]/after[1], 0.8, 1.2)
	within(t, "afterwards", later[0]/later[1], 0, 1.4)
}

// TestLongVogelsSlow: the rates of an own double-precision program, second by second.
func TestLongVogelsSlow(t *testing.T) {
	long(t)
	l := printed(t, "vogels2011", map[string]string{"eta": "0.01", "duration": "10*second"})
	within(t, "first second", l[0][0], 161.5*0.95, 161.5*1.05)
	within(t, "second", l[1][1], 73.1*0.9, 73.1*1.1)
	within(t, "third", l[2][1], 17.4*0.85, 17.4*1.15)
	within(t, "tenth", l[9][1], 9.4*0.85, 9.4*1.15)
}

// TestLongReward: an hour in which rewards find their synapse.
func TestLongReward(t *testing.T) {
	long(t)
	l := printed(t, "reward", nil)
	end := l[len(l)-1]
	within(t, "the rewarded weight", end[3], 3, 4)
	within(t, "the mean of all", end[4], 0.3, 1.5)
}

// TestPolychronization: after a hundred seconds as in an own double-precision program.
func TestPolychronization(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := printed(t, "polychronization", nil)[0]
	within(t, "rate", l[0], 9, 11)
	within(t, "weights near the largest", l[2], 44, 52)
}

func TestLongPolychronization(t *testing.T) {
	long(t)
	g, res := play(t, "polychronization", map[string]string{"duration": "3600*second"}, kernels.New(0), nil)
	l := numbers(t, g.Prints)[0]
	within(t, "rate", l[0], 10.7*0.85, 10.7*1.15)
	within(t, "weights at the ends", l[2]+l[4], 80, 100)
	within(t, "gamma", peak(counts(spikesOf(t, res, "M"), 3580, 20), 100), 30, 70)
}

// TestTrainDigits: digits that were not learned are told, by evaluate() and a run alike.
func TestTrainDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := printed(t, "train_digits", map[string]string{"epochs": "3"})
	within(t, "right", l[3][0], 90, 100)
	if n := len(l[4]); n != 21 { // the digit, ten counts twice
		t.Fatalf("%d numbers", n)
	}
	for k := 1; k <= 10; k++ {
		if l[4][k] != l[4][k+10] {
			t.Errorf("cell %d: %g spikes in a run, %g in evaluate()", k-1, l[4][k], l[4][k+10])
		}
	}
}

func TestLongTrainDigits(t *testing.T) {
	long(t)
	within(t, "right", printed(t, "train_digits", nil)[12][0], 95, 100)
}

// TestEprop: the losses that NEST publishes for its e-prop models.
func TestEprop(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	lines := printed(t, "eprop", map[string]string{"sequences": "2"})
	within(t, "sequences", float64(len(lines)), 2, 2)
	for _, l := range lines {
		within(t, "loss over NEST's", l[1]/l[2], 1-2e-7, 1+2e-7)
	}
}

func TestLongEprop(t *testing.T) {
	long(t)
	all := printed(t, "eprop", map[string]string{"sequences": "200"})
	for _, l := range all[:5] {
		within(t, "loss over NEST's", l[1]/l[2], 1-1e-6, 1+1e-6)
	}
	within(t, "loss of sequence 200", all[199][1], 50, 75)
}
