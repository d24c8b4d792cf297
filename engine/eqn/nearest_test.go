package eqn

import (
	"strings"
	"testing"
)

// TestNearest: letters count before their case, exchanges of neighbours as one;
// a name is not near to one that shares nothing with it.
func TestNearest(t *testing.T) {
	names := []string{"NeuronGroup", "PoissonGroup", "tau", "taum", "v", "x", "mV", "mvolt", "größe"}
	for name, want := range map[string]string{
		"neurongroup": "NeuronGroup", "NeuronGruop": "NeuronGroup", "tua": "tau", "taumm": "taum", "tuam": "taum", "V": "v", "MV": "mV", "mvlt": "mvolt", "grösse": "größe",
		"q": "", "abc": "", "Synapses": "", "tau": "taum", "": "", strings.Repeat("a", 5000): "",
	} {
		if want != "" {
			want = "did you mean '" + want + "'?"
		}
		if got := Nearest(name, names); got != want {
			t.Errorf("Nearest(%.20q) is %q, expected %q", name, got, want)
		}
	}
}
