//go:build egl && cgo && linux

package shaders

import (
	"os"
	"slices"
	"sync"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
)

// TestBeside: programs that run beside one another have the bits that they have alone, whatever their dispatches are and however
// long each runs, go to the device together, and have their rows and texts in common.
func TestBeside(t *testing.T) {
	for name, apart := range map[string]bool{"one dispatch": false, "two dispatches": true} {
		t.Run(name, func(t *testing.T) { runsBeside(t, apart) })
	}
}

func runsBeside(t *testing.T, apart bool) {
	main := open(t, Options{NoSelfTest: true, Submit: 3, Apart: apart}).(*glBackend)
	defer main.Close()
	plans := []*backend.Plan{lif(300, 1, 40), lif(300, 1, 40), lif(70, 0, 5)}
	plans[1].Tables = plans[0].Tables // two trials
	plans[1].Seed = 5
	steps := []int{40, 40, 33}
	if apart && os.Getenv("SYNFIRE_LONG") != "" { // it compiles for many seconds
		plans, steps = append(plans, backendtest.Plastic()), append(steps, 12)
	}
	look := func(prog backend.Program, p *backend.Plan) (words [][]uint32) {
		for i := range p.Bufs {
			w := make([]uint32, p.Bufs[i].Len)
			if p.Bufs[i].Kind == backend.State {
				if err := prog.Read(backend.BufID(i), w); err != nil {
					t.Error(err)
				}
			}
			words = append(words, w)
		}
		return words
	}
	hostOf := func(p *backend.Plan, n int) []uint32 {
		h := make([]uint32, n*p.Host)
		for i := range h {
			h[i] = 1
		}
		return h
	}
	advance := func(prog backend.Program, p *backend.Plan, n int) {
		for n > 0 {
			k := min(n, 7)
			done, err := prog.Run(k, hostOf(p, k))
			if err != nil {
				t.Error(err)
				return
			}
			n -= done
		}
	}
	var programs []backend.Program
	var backends []backend.Backend
	for _, p := range plans {
		b := main.Beside()
		prog, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		programs, backends = append(programs, prog), append(backends, b)
	}
	one, two := programs[0].(*program), programs[1].(*program)
	if len(one.held) == 0 || one.held[0] != two.held[0] || one.passes[0].program != two.passes[0].program {
		t.Error("two trials have rows or texts of their own")
	}
	most := 0
	var wg sync.WaitGroup
	var mu sync.Mutex
	for k, prog := range programs {
		wg.Go(func() {
			advance(prog, plans[k], steps[k])
			mu.Lock()
			defer mu.Unlock()
			main.d.do(func() error { most = max(most, main.d.beside.last); return nil })
		})
	}
	wg.Wait()
	if most < 2 {
		t.Error("no two Runs went together")
	}
	for k, p := range plans {
		together := look(programs[k], p)
		programs[k].Close()
		backends[k].Close()
		alone := open(t, Options{NoSelfTest: true, Apart: apart})
		prog, err := alone.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		advance(prog, p, steps[k])
		if !slices.EqualFunc(together, look(prog, p), slices.Equal) {
			t.Errorf("plan %d has other bits beside others", k)
		}
		prog.Close()
		alone.Close()
	}
	if main.d.do(func() error { return nil }); len(main.d.rows)+len(main.d.programs) > 0 {
		t.Errorf("%d listings and %d texts are left", len(main.d.rows), len(main.d.programs))
	}
}
