package connect

import (
	"testing"

	"synfire/engine/host"
)

// TestOrder holds Order and First against the columns.
func TestOrder(t *testing.T) {
	base := Proj{NPre: 40, NPost: 50, N: 7, P: 0.2, Seed: [2]uint32{3, 1}, Stream: 2}
	for _, c := range []struct {
		rule     Rule
		byTarget bool
		repeat   int
		want     Order
	}{{Bernoulli, false, 1, BySource}, {Bernoulli, true, 3, ByTarget}, {FixedOutdegree, false, 1, BySource}, {FixedIndegree, false, 2, ByTarget}, {FixedTotal, false, 1, BySource}, {Given, false, 1, Unordered}, {Given, true, 1, BySource}} {
		p := base
		p.Rule, p.ByTarget, p.Repeat = c.rule, c.byTarget, c.repeat
		if c.rule == Given {
			p.I, p.J = []uint32{1, 4, 2, 4}, []uint32{3, 2, 1, 0}
			if c.byTarget {
				p.I, p.ByTarget = []uint32{1, 2, 4, 4}, false
			}
		}
		order, err := p.Order(host.Work{})
		if err != nil || order != c.want {
			t.Errorf("rule %d by target %t: order %d, %v, expected %d", c.rule, c.byTarget, order, err, c.want)
		}
		if order == Unordered {
			continue
		}
		n, _ := p.Count(host.Work{})
		all, err := p.Columns(host.Work{}, 0, n, 0)
		if err != nil {
			t.Fatal(err)
		}
		ends, rows := all.I, p.NPre
		if order == ByTarget {
			ends, rows = all.J, p.NPost
		}
		at := 0
		for row := range rows + 1 {
			for at < n && int(ends[at]) < row {
				at++
			}
			if first, err := p.First(host.Work{}, row); err != nil || first != at {
				t.Errorf("rule %d by target %t: row %d begins with synapse %d, %v, expected %d", c.rule, c.byTarget, row, first, err, at)
			}
		}
	}
}

// TestSamePairs: weights and delays do not matter, all else does.
func TestSamePairs(t *testing.T) {
	p := &Proj{Rule: Bernoulli, NPre: 40, NPost: 50, P: 0.2, Seed: [2]uint32{3, 1}, Stream: 2}
	if q := p.With(Column{Const: 2}, Column{Const: 1}); !SamePairs(p, q) {
		t.Error("other weights and delays are other pairs")
	}
	for name, change := range map[string]func(*Proj){
		"rule": func(q *Proj) { q.Rule = AllToAll }, "p": func(q *Proj) { q.P = 0.3 }, "seed": func(q *Proj) { q.Seed[0]++ },
		"stream": func(q *Proj) { q.Stream++ }, "sources": func(q *Proj) { q.NPre++ }, "row": func(q *Proj) { q.Row0++ },
		"repeats": func(q *Proj) { q.Repeat = 2 }, "autapses": func(q *Proj) { q.NoAutapses = true }, "data": func(q *Proj) { q.CondData = [][]uint32{{1}} },
		"targets": func(q *Proj) { q.J = []uint32{1} },
	} {
		q := *p
		change(&q)
		if SamePairs(p, &q) {
			t.Errorf("with another %s the pairs are the same", name)
		}
	}
}
