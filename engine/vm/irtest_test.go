package vm

import (
	"testing"

	"synfire/engine/ir"
	"synfire/engine/ir/irtest"

	"pgregory.net/rapid"
)

// TestBuilderPrograms runs random programs of the builder, expansions among them.
func TestBuilderPrograms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scatter := rapid.Bool().Draw(t, "scatter")
		p := irtest.RandomProg(t, irtest.Options{Scatter: scatter, Phases: rapid.IntRange(0, 2).Draw(t, "phases")})
		lo := 32 * rapid.IntRange(0, 2).Draw(t, "lo")
		hi := lo + rapid.IntRange(0, irtest.TableWords).Draw(t, "lanes")
		if !scatter && rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			hi = lo + 1500 // with scatter, lanes that share an element of "own" would meet
		}
		e := irtest.RandomEnv(t, p, hi)
		e.Lane0 += uint32(rapid.IntRange(0, 3).Draw(t, "odd"))
		want := irtest.CloneEnv(e)
		ir.Eval(p, want, lo, hi)
		for _, m := range Modes() {
			c, err := CompileMode(p, m)
			if err != nil {
				t.Fatal(err)
			}
			got := irtest.CloneEnv(e)
			c.Run(got, lo, hi)
			if d := differ(p, want, got); d != "" {
				t.Fatalf("%v, lanes %d to %d: %s\n%s%v", m, lo, hi, d, c.Listing(), p)
			}
		}
	})
}
