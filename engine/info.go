package engine

import (
	"fmt"
	"io"
	"math"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/compile"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/model"
)

func seconds(x float64) string { return model.Quantity{Value: x, Dim: model.Second}.Text(9) }

// Info prints the network as it would run: sizes, the equations as compiled
// with their method and coefficients, the tables of synapses with the rounding
// of their weights, and the memory that they will take. Connections are counted,
// nothing else is allocated.
func (n *Network) Info(set model.Work, w io.Writer) error {
	_, err := n.InfoPlan(set, w)
	return err
}

// InfoPlan is Info, and returns the plan.
func (n *Network) InfoPlan(set model.Work, w io.Writer) (*backend.Plan, error) {
	set = set.Without(0)
	c, err := compile.Compile(n.Network, set)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "dt %s, seed %d\n", seconds(n.Dt()), n.Random.Seed)
	if n.StepSize != n.Dt() {
		fmt.Fprintf(w, "steps of %s, of which those of all clocks are multiples\n", seconds(n.StepSize))
	}
	for _, g := range n.Groups() {
		fmt.Fprintf(w, "\n%s: %d neurons\n", g.Name(), g.Size)
		if g.Dt() != n.Dt() {
			fmt.Fprintf(w, "  dt %s\n", seconds(g.Dt()))
		}
		s := c.Schemes[g]
		if s == nil {
			continue
		}
		if s.Method != "" {
			fmt.Fprintf(w, "  method %s\n", s.Method)
		}
		for _, st := range s.Stmts {
			fmt.Fprintf(w, "    %s %s %s\n", st.Target.ID, st.Op, st.X)
		}
		for _, k := range s.Coeffs {
			of := k.Of
			if of == "" {
				of = "1"
			}
			fmt.Fprintf(w, "  coefficient of %s in %s: %s\n", of, k.Row, k.Value.Text(9))
		}
		if len(s.Two) > 0 {
			fmt.Fprintf(w, "  slow variables with a second word: %s\n", strings.Join(s.Two, ", "))
		}
		if len(s.Derived) > 0 {
			var names []string
			for _, d := range s.Derived {
				for _, y := range d.Out {
					names = append(names, y.Name)
				}
			}
			fmt.Fprintf(w, "  worked out once per run: %s\n", strings.Join(names, ", "))
		}
	}
	for _, line := range c.LearnedText() {
		fmt.Fprintln(w, line)
	}
	if len(c.Plan.Tables) > 0 {
		fmt.Fprintf(w, "\nsynapses: %d\n", c.SynapsesN)
	}
	var tables int64
	for k := range c.Plan.Tables {
		t := &c.Plan.Tables[k]
		m := connect.Estimate(t.Spec, 1, set.Single())
		tables += m.Entries + m.Index
		fmt.Fprintf(w, "  %s: %d projections, %d synapses, delays %d to %d steps, %s, %.1f MB\n", t.Spec.Name, len(t.Spec.Projs), m.Synapses,
			t.MinDelay, t.MaxDelay, c.Rounding[k], float64(m.Entries+m.Index)/1e6)
	}
	var words int64
	for i := range c.Plan.Bufs {
		if c.Plan.Bufs[i].Kind != backend.Record {
			words += int64(c.Plan.Bufs[i].Len)
		}
	}
	fmt.Fprintf(w, "\nstate and parameters %.1f MB, tables %.1f MB\n", float64(4*words)/1e6, float64(tables)/1e6)
	for _, m := range n.Monitors() {
		if b := m.Ahead(int64(math.Ceil(1 / n.StepSize))); b > 0 {
			fmt.Fprintf(w, "%s records %s for each second of model time\n", m.Name(), host.Size(b))
		} else if b := model.ColumnList(m.Columns()).SampleBytes(); b > 0 {
			fmt.Fprintf(w, "%s records %d bytes for each event\n", m.Name(), b)
		}
	}
	fmt.Fprintf(w, "\n%v", c.Plan)
	return c.Plan, nil
}
