package examples

import (
	"maps"
	"math"
	"testing"
)

// The examples of single cells and of small networks.
func init() {
	maps.Copy(small, map[string]struct {
		file string
		set  map[string]string
	}{
		"adex_patterns":      {"adex_patterns", map[string]string{"duration": "60*ms"}},
		"ornstein_uhlenbeck": {"ornstein_uhlenbeck", map[string]string{"n": "20", "duration": "30*ms"}},
		"jeffress":           {"jeffress", map[string]string{"n": "9", "shown": "10*ms"}},
		"synfire_chain":      {"synfire_chain", map[string]string{"pools": "2", "volleys": "[(60, 0.0), (40, 0.0)]"}},
		"avalanches":         {"avalanches", map[string]string{"n": "200", "ratios": "[1.0]", "duration": "200*ms"}},
		"balanced_irregular": {"balanced_irregular", map[string]string{"n": "100", "k": "20", "drives": "[0.5]", "warmup": "10*ms", "duration": "30*ms"}},
		"brunel_hakim":       {"brunel_hakim", map[string]string{"n": "200", "states": "[(1.0, 5.0)]", "warmup": "1*ms", "duration": "12*ms"}},
		"celegans":           {"celegans", map[string]string{"duration": "20*ms"}},
		"small_world":        {"small_world", map[string]string{"n": "60", "k": "6", "rewired": "[0, 0.05]", "graphs": "2", "duration": "150*ms"}},
		"sturzl":             {"sturzl", map[string]string{"directions": "2", "waves": "1", "duration": "20*ms"}},
		"wang_buzsaki":       {"wang_buzsaki", map[string]string{"n": "6", "duration": "30*ms"}},
	})
	rates["ornstein_uhlenbeck"] = true
	rates["celegans"] = true
}

// TestAdexPatterns: the counts of an own double-precision program with the same steps.
func TestAdexPatterns(t *testing.T) {
	l := printed(t, "adex_patterns", nil)
	for k, want := range []float64{60, 12, 12, 11, 45, 32, 1} {
		if l[k][0] != want {
			t.Errorf("pattern %d: %g spikes, want %g", k, l[k][0], want)
		}
	}
	within(t, "transient, ms", l[6][1], 30.25, 30.45)
	within(t, "irregular, spikes", l[7][0], 31, 35)
	within(t, "irregular, CV", l[7][3], 0.2, 1)
}

// TestOrnsteinUhlenbeck: variance and correlation against the closed forms.
func TestOrnsteinUhlenbeck(t *testing.T) {
	l := printed(t, "ornstein_uhlenbeck", nil)
	within(t, "exact, variance", l[0][0], 0.97, 1.03)
	within(t, "exact, correlation", l[0][2], 0.3379, 0.3979)
	within(t, "Euler, variance", l[1][0], 1.0256*0.97, 1.0256*1.03)
}

// TestCelegans: what the papers say of the connectome, and the fixed point of each experiment, by NumPy's solver.
func TestCelegans(t *testing.T) {
	l := printed(t, "celegans", nil)
	for k, want := range []float64{297, 3638, 20589, 9070, 2580} {
		within(t, "neurons, connections, synapses", l[0][k], want, want)
	}
	within(t, "clustering, of a random graph's", l[1][1], 5, 5.7)
	within(t, "paths, of a random graph's", l[1][3], 1.15, 1.25)
	within(t, "of the rich club, with most connections", l[2][1], 11, 11)
	for k, want := range [][2]float64{{.3812, .2093}, {.0453, .1693}, {.0699, .0444}, {.0181, .0112}, {.0074, .0113}, {.0026, .0033}} {
		e := l[3+k]
		within(t, "class A", e[0], want[0]-1e-4, want[0]+1e-4)
		within(t, "class B", e[1], want[1]-1e-4, want[1]+1e-4)
		within(t, "from the fixed point", e[len(e)-1], 0, 5e-6)
	}
}

// TestLongJeffress: the place of the most spikes tells the time between the ears.
func TestLongJeffress(t *testing.T) {
	long(t)
	lines := printed(t, "jeffress", nil)
	within(t, "directions", float64(len(lines)), 5, 5)
	for _, l := range lines {
		within(t, "cell", l[2], l[4]-3, l[4]+3)
	}
}

// TestLongSynfireChain: which volleys live is what the paper's separatrix says.
func TestLongSynfireChain(t *testing.T) {
	long(t)
	l := printed(t, "synfire_chain", nil)
	for k, lives := range []bool{false, true, true, false, true, false} {
		last, spread := l[k][len(l[k])-2], l[k][len(l[k])-1]
		if lives {
			within(t, "spikes in the last pool", last, 95, 110)
			within(t, "spread in the last pool, ms", spread, 0.1, 0.6)
		} else {
			within(t, "spikes in the last pool", last, 0, 10)
		}
	}
}

// TestLongWangBuzsaki: inhibition makes the cells fire together.
func TestLongWangBuzsaki(t *testing.T) {
	long(t)
	l := printed(t, "wang_buzsaki", nil)
	within(t, "coupled, Hz", l[0][1], 35, 45)
	within(t, "coupled, chi", l[0][2], 0.5, 1)
	within(t, "alone, Hz", l[1][1], 55, 70)
	within(t, "alone, chi", l[1][2], 0, 0.2)
}

// TestLongBrunelHakim: the rates of the stationary state, and the rhythm where it begins that of the theory's mode.
func TestLongBrunelHakim(t *testing.T) {
	long(t)
	l := printed(t, "brunel_hakim", nil)
	for k, c := range []struct{ noise, rateGate, low, high, swingLow, swingHigh float64 }{
		{2.5, 0.03, 172.8 * 0.95, 172.8 * 1.05, 0.5, 0.75},
		{2.5, 0.05, 119.2 * 0.85, 119.2 * 0.95, 0.8, 1.2},
		{1, 0.05, 130, 150, 1, 1.6},
		{5, 0.03, 171 * 0.9, 171 * 1.1, 0, 0.4},
	} {
		nu := stationary(c.noise)
		within(t, "rate, Hz", l[k][2], nu*(1-c.rateGate), nu*(1+c.rateGate))
		within(t, "rhythm, Hz", l[k][3], c.low, c.high)
		within(t, "swing", l[k][4], c.swingLow, c.swingHigh)
		within(t, "CV", l[k][5], 0.55, 1)
		within(t, "cycles in which a cell fires, %", l[k][6], 1, 6)
	}
}

// stationary is the rate, in Hz, at which Brunel and Hakim's network (J 0.1 mV, C 1000, input 25 mV) is consistent with itself.
func stationary(noise float64) float64 {
	const tau, ref = 0.02, 0.002
	low, high := 0.0, 50.0
	for range 60 {
		nu := (low + high) / 2
		mu, s := 25-100*nu*tau, math.Sqrt(noise*noise+10*nu*tau)
		sum, steps := 0.0, 20000
		a, b := (10-mu)/s, (20-mu)/s
		for k := range steps {
			u := a + (b-a)*(float64(k)+0.5)/float64(steps)
			sum += math.Exp(u*u) * math.Erfc(-u) * (b - a) / float64(steps)
		}
		if nu < 1/(ref+tau*math.Sqrt(math.Pi)*sum) {
			low = nu
		} else {
			high = nu
		}
	}
	return low
}

// TestLongBalancedIrregular: the activities of mean field with K counted inputs, irregular, uncorrelated and chaotic.
func TestLongBalancedIrregular(t *testing.T) {
	long(t)
	l := printed(t, "balanced_irregular", nil)
	for k, want := range [][2]float64{{0.0420, 0.0690}, {0.0881, 0.1183}, {0.1353, 0.1664}, {0.2310, 0.2605}} {
		within(t, "E", l[k][2], want[0]*0.97, want[0]*1.03)
		within(t, "I", l[k][3], want[1]*0.97, want[1]*1.03)
		within(t, "spread over cells", l[k][4]/l[k][2], 0.5, 1.2)
		within(t, "input over excitation", l[k][7]/l[k][6], -0.1, 0.1)
		within(t, "CV", l[k][8], 0.8, 1.1)
		within(t, "correlation", l[k][9], -0.01, 0.01)
	}
	within(t, "difference after a flip, over that of far moments", l[4][2]/l[4][4], 0.85, 1.1)
}

// TestLongSturzl: the population vector tells the direction, and needs the inhibition for it.
func TestLongSturzl(t *testing.T) {
	long(t)
	l := printed(t, "sturzl", nil)
	within(t, "rate, Hz", l[0][1], 100, 107)
	within(t, "error, degrees", l[0][2], 5, 14)
	within(t, "mean error, degrees", l[0][4], -3, 3)
	within(t, "rate without inhibition, Hz", l[1][1], 730, 765)
	within(t, "error without inhibition, degrees", l[1][2], 85, 120)
}

// TestLongSmallWorld: clustering and paths of Watts and Strogatz, and where an excitation lives.
func TestLongSmallWorld(t *testing.T) {
	long(t)
	l := printed(t, "small_world", nil)
	within(t, "C of the ring", l[0][1], 0.6667, 0.6667)
	within(t, "L of the ring", l[0][2], 50.45, 50.45)
	within(t, "C at 0.01, of the ring's", l[6][1]/l[0][1], 0.95, 1)
	within(t, "L at 0.01, of the ring's", l[6][2]/l[0][2], 0.1, 0.3)
	for k, want := range []float64{0, 0.43, 0.75, 0.83, 0.88, 0.83, 0.53, 0.12, 0.05, 0.08, 0.52} {
		within(t, "alive", l[k][3], want-0.2, want+0.2)
	}
	within(t, "alive on the ring", l[0][3], 0, 0)
}

// TestLongAvalanches: a branching process in closed form, and its exponents.
func TestLongAvalanches(t *testing.T) {
	long(t)
	l := printed(t, "avalanches", nil)
	for k, want := range []struct{ alone, size, sizeGate, ten, low, high, ratioLow, ratioHigh float64 }{
		{0.4420, 5.0, 0.05, 0.0488, 0, 0, 0.78, 0.82},
		{0.3585, 44.8, 0.15, 0.1789, 0.007, 0.0149, 0.98, 1.02},
		{0.2901, 5.63, 0.1, 0.3675, 0.3, 0.35, 1.1, 1.2},
	} {
		within(t, "one spike alone", l[k][2], want.alone-0.015, want.alone+0.015)
		within(t, "mean size", l[k][3], want.size*(1-want.sizeGate), want.size*(1+want.sizeGate))
		within(t, "10 steps or more", l[k][5], want.ten-0.02, want.ten+0.02)
		within(t, "stopped", l[k][6], want.low, want.high)
		within(t, "branching ratio", l[k][9], want.ratioLow, want.ratioHigh)
	}
	within(t, "exponent of sizes", l[1][7], 1.45, 1.55)
	within(t, "exponent of durations", l[1][8], 1.85, 2.15)
	for _, k := range []int{0, 2} {
		within(t, "exponent of sizes", l[k][7], 2.1, 2.6)
	}
}
