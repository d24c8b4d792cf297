package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestSmallProbabilities: 1.5*10^8 draws each of probability 10^-8, however it is written.
func TestSmallProbabilities(t *testing.T) {
	forms := []string{"rand() < p", "p > rand()", "rand() <= p", "rand() > 1 - p", "1 - rand() < p", "rand() < 1 - exp(-p)", "rand() > exp(-p)", "rand()/dt < p/dt",
		"2*rand() > 2 - 2*p", "not rand() > p", "rand() < 1e-8", "rand() > 1 - 1e-8", "rand() < pc", "poisson(p) > 0", "poisson(pc) > 0"}
	var vars, code strings.Builder
	for k, f := range forms {
		fmt.Fprintf(&vars, "c%d : integer\n", k)
		fmt.Fprintf(&code, "c%d += int(%s)\n", k, f)
	}
	src := fmt.Sprintf(`
pc = 1e-8
G = NeuronGroup(1000000, """p : 1
%s""")
G.p = '1e-8*(1 + 1e-3*(i %% 2))'
G.run_regularly("""%s""")
run(15*ms)
print([%s])
`, vars.String(), code.String(), counts(len(forms)))
	out, _ := run(t, src, onCPU(0))
	var got []int
	for _, w := range strings.Fields(strings.Trim(strings.TrimSpace(out), "[]")) {
		n := 0
		fmt.Sscan(strings.TrimSuffix(w, ","), &n)
		got = append(got, n)
	}
	sum := 0
	for k, n := range got {
		if n > 8 { // the mean is 1.5
			t.Errorf("%s: %d times", forms[k], n)
		}
		sum += n
	}
	if sum < 7 || sum > 40 { // the mean is 22.5
		t.Errorf("%d times in all: %v", sum, got)
	}
}

func counts(n int) string {
	var all []string
	for k := range n {
		all = append(all, fmt.Sprintf("int(sum(G.c%d[:]))", k))
	}
	return strings.Join(all, ", ")
}
