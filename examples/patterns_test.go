package examples

import (
	"maps"
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
		"wang_buzsaki":       {"wang_buzsaki", map[string]string{"n": "6", "duration": "30*ms"}},
	})
	rates["ornstein_uhlenbeck"] = true
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
