package script

import (
	"context"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"synfire/engine/script/array"
)

// TestBrianNames: what `from brian2 import *` brings (Brian2 2.10; NumPy's and
// pylab's names aside) is known or explained, and units have Brian2's values.
func TestBrianNames(t *testing.T) {
	b, err := os.ReadFile("testdata/brian2_names.txt")
	if err != nil {
		t.Fatal(err)
	}
	x := &script{ctx: context.Background()}
	have := x.builtins()
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, unit := strings.Cut(strings.TrimSpace(line), " ")
		v := have[name]
		if _, told := absent[name]; v == nil && !told {
			t.Errorf("%s of Brian2 is neither known nor explained", name)
		} else if v != nil && told {
			t.Errorf("%s is there, but said to be absent", name)
		}
		if !unit || v == nil {
			continue
		}
		want, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		o, ok, err := array.OperandOf(v)
		if err != nil || !ok || math.Abs(o.V[0]-want) > 1e-12*want {
			t.Errorf("%s is %v, Brian2 has %v", name, v, value)
		}
	}
}
