package kernels_test

import (
	"fmt"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/host/hosttest"
	"synfire/engine/ir"
	"synfire/kernels"
)

// TestForesee: what is foreseen of ranks they hold and tell, to the word; of the bytes of the tables within what the shares of targets
// differ by.
func TestForesee(t *testing.T) {
	const n, synapses, steps = 4096, 400_000, 200
	for size := 2; size <= 4; size++ {
		for threads := 1; threads <= 2; threads++ {
			p := newSketch()
			acc := p.buf("acc", backend.Scratch, ir.I32, n)
			proj := connect.Proj{Name: "S", Rule: connect.FixedTotal, N: synapses, NPre: n, NPost: n, Weight: connect.Column{Const: 100, Lo: 100, Hi: 100}, Delay: connect.Column{Const: 5}}
			spec := &connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{&proj}, Scale: 1, Width: 16}
			p.deliver(spec, 5, 5, 0, 0, n, acc)
			p.record(p.lif(n, 6, acc), n, 100*n)
			f := kernels.Foresee(host.Work{}, &p.Plan, size, threads)
			w := hosttest.New(size)
			all := open(w, threads)
			prog, err := all.Load(host.Work{}, &p.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if done, err := prog.Run(steps, nil); err != nil || done != steps {
				t.Fatal(done, err)
			}
			counts := make([]uint32, steps)
			fired := int64(0)
			for k := range p.Stages {
				if st := &p.Stages[k]; st.Form == backend.FormSpikes {
					if err := prog.Read(st.Rec.Count, counts); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, k := range counts {
				fired += int64(k)
			}
			name := fmt.Sprintf("%d ranks of %d threads", size, threads)
			if got, want := w.Told(host.MeetSpikes), fired+int64(size)*f.Told*int64(steps/f.Window); !f.Shared || f.Window != 5 || f.InStep != 0 || fired == 0 || got != want {
				t.Errorf("%s: %+v: %d words told for %d spikes, %d foreseen", name, f, got, fired, want)
			}
			for _, h := range kernels.HeldBy(prog, 0) {
				want, within := int64(-1), 1.0
				switch h.Name {
				case "synapses":
					want, within = f.Entries, 1.05
				case "index of synapses":
					want, within = f.Index, 1.05
				case "second copies of what is written":
					want = f.Copies
				default:
					continue
				}
				if r := float64(want) / float64(h.Bytes); h.Bytes == 0 || r > within || r < 2-within {
					t.Errorf("%s: %s: %d bytes, %d foreseen", name, h.Name, h.Bytes, want)
				}
			}
			prog.Close()
			all.Close()
		}
	}
}
