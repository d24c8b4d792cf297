//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// TestMutations makes the deliberate differences that users can ask for: each
// must show against the reference, and without one there must be none.
func TestMutations(t *testing.T) {
	p := lif(300, 1, 40)
	want := trace(t, ref.New(), p, 260)
	for _, inject := range []string{"", "rounding", "deliver-index", "delay"} {
		b := open(t, Options{Inject: inject, NoSelfTest: true})
		got := trace(t, b, p, 260)
		b.Close()
		first := ""
		for s := range want {
			for i := range want[s] {
				if want[s][i] != got[s][i] && first == "" {
					first = fmt.Sprintf("step %d, v[%d]: %s, expected %s", s, i, both(got[s][i]), both(want[s][i]))
				}
			}
		}
		t.Logf("%q: %s", inject, first)
		if (inject == "") != (first == "") {
			t.Errorf("with %q the first difference is %q", inject, first)
		}
	}
}

// trace is v after each step.
func trace(t *testing.T, b backend.Backend, p *backend.Plan, steps int) [][]uint32 {
	t.Helper()
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	var out [][]uint32
	for range steps {
		if _, err := prog.Run(1, nil); err != nil {
			t.Fatal(err)
		}
		v := make([]uint32, p.Bufs[2].Len)
		if err := prog.Read(2, v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
