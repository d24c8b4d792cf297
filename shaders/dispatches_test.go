//go:build egl && cgo && linux

package shaders

import (
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// TestDispatches counts what a pass of real networks is: dispatches, those of them that wait for
// others, and the steps that it makes.
func TestDispatches(t *testing.T) {
	for _, c := range []struct {
		name, file               string // without a file: part
		set                      map[string]string
		dispatches, waits, steps int
		apart                    [3]int // the same where a pass may not be one dispatch
	}{
		{"potjans_diesmann", "examples/potjans_diesmann", map[string]string{"scale": "0.02"}, 1, 1, 1, [3]int{2, 2, 1}},
		{"cuba", "examples/cuba", nil, 1, 1, 1, [3]int{2, 2, 1}},
		{"coba", "examples/coba", nil, 3, 3, 1, [3]int{3, 3, 1}},
		{"cobahh", "examples/cobahh", nil, 3, 3, 1, [3]int{3, 3, 1}},
		{"lif 10^6", "bench/workloads/lif", map[string]string{"n": "1000000"}, 1, 1, 4, [3]int{1, 1, 4}},
		{"delivery", "bench/workloads/delivery", map[string]string{"n": "20000", "outdegree": "10"}, 1, 1, 7, [3]int{2, 2, 15}},
		{"fly", "", nil, 1, 1, 9, [3]int{2, 2, 18}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, src := filepath.Join("..", filepath.FromSlash(c.file)+".star"), []byte(nil)
			if c.file == "" {
				src = []byte(part)
			}
			p := planOf(t, file, src, c.set)
			for _, apart := range []bool{false, true} {
				want := [3]int{c.dispatches, c.waits, c.steps}
				if apart {
					want = c.apart
				}
				b := open(t, Options{NoSelfTest: true, Apart: apart})
				loaded, err := b.Load(host.Work{}, p)
				if err != nil {
					t.Fatal(err)
				}
				prog := loaded.(*program)
				got := [3]int{len(prog.passes), 0, prog.l.sc.span}
				var names []string
				for _, x := range prog.passes {
					if names = append(names, x.name); x.barrier {
						got[1]++
					}
				}
				if got != want {
					t.Errorf("apart %t: %d dispatches, %d wait, %d steps, expected %v:\n%s", apart, got[0], got[1], got[2], want, strings.Join(names, "\n"))
				}
				prog.Close()
				b.Close()
			}
		})
	}
}

// TestAhead delivers for steps to come in the same dispatch as steps: with shortest delays of one step,
// of two and of many, whole and in Runs of all lengths, with what a Write changes in between, and
// where rows are too long for one work group. State and counts are the reference's at every cut.
func TestAhead(t *testing.T) {
	for _, c := range []struct {
		name   string
		delays []float32
		opt    Options
		single bool
		span   int
	}{
		{"one step", []float32{1, 2, 5}, Options{}, true, 1},
		{"one step alone", []float32{1}, Options{}, true, 1},
		{"two steps", []float32{2, 3}, Options{}, true, 1},
		{"three steps", []float32{3, 5}, Options{}, false, 3},
		{"four steps", []float32{4, 9}, Options{}, true, 2},
		{"eleven steps", []float32{11, 13}, Options{Submit: 7}, true, 5},
		{"one step, small rows", []float32{1, 4}, Options{Chunk: 2, Team: 1, WorkGroup: 32}, true, 1},
		{"pieces", []float32{6, 7}, Options{Chunk: 2}, true, 3},
		{"apart", []float32{1, 2, 5}, Options{Apart: true}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := testNetwork(c.delays...)
			c.opt.NoSelfTest = true
			b := open(t, c.opt)
			defer b.Close()
			one, err := ref.New().Load(host.Work{}, p)
			if err != nil {
				t.Fatal(err)
			}
			defer one.Close()
			two, err := b.Load(host.Work{}, p)
			if err != nil {
				t.Fatal(err)
			}
			defer two.Close()
			if sc := two.(*program).l.sc; sc.single != c.single || sc.span != c.span {
				t.Errorf("single %t, %d steps, expected %t, %d", sc.single, sc.span, c.single, c.span)
			}
			var kept [][]uint32
			for n, steps := range []int{0, 1, 1, 2, 7, 3, 30, 0, 1, 20, 5} {
				for _, prog := range []backend.Program{one, two} {
					if done, err := prog.Run(steps, nil); done != steps || err != nil {
						t.Fatal(done, err)
					}
				}
				equal(t, p, state(t, p, one), state(t, p, two))
				switch n {
				case 4:
					kept = state(t, p, one)
				case 6: // back to where it was
					for id, words := range kept {
						if words != nil {
							for _, prog := range []backend.Program{one, two} {
								if err := prog.Write(backend.BufID(id), words); err != nil {
									t.Fatal(err)
								}
							}
						}
					}
				}
			}
		})
	}
}
