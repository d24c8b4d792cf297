package script

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"go.starlark.net/starlark"

	"synfire/engine/backend"
	"synfire/engine/script/array"
	"synfire/kernels/ref"
)

// Single values of synapses are those of all, in whichever order they are asked for,
// and after a change.
func TestSessionNearby(t *testing.T) {
	defer func(n int) { nearby = n }(nearby)
	nearby = 3
	s := NewSession(context.Background(), t.TempDir(), Options{Open: func() (backend.Backend, error) { return ref.New(), nil }}, nil)
	defer s.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Exec("G = NeuronGroup(9, 'v : volt')\nS = Synapses(G, G, 'w : volt')\nS.connect(p=0.6)\nS.w = 'rand()*mV'\n", nil))
	for range 2 {
		for _, path := range []string{"S.w", "S.i"} {
			v, err := s.Get(path, nil)
			must(err)
			all := v.(*array.Array)
			n := all.Size()
			if n < 30 {
				t.Fatalf("%d synapses", n)
			}
			for k := range 2 * n {
				k = k * 7 % n // across all windows, which are more than are kept
				one, err := s.Get(path, starlark.MakeInt(k))
				must(err)
				if same, err := starlark.Equal(one, all.At(k)); err != nil || !same {
					t.Fatalf("%s[%d] is %v, of all it is %v (%v)", path, k, one, all.At(k), err)
				}
			}
			if _, err := s.Get(path, starlark.MakeInt(n)); err == nil {
				t.Errorf("%s[%d] of %d", path, n, n)
			}
		}
		must(s.Exec("S.w = 'rand()*mV'\n", nil))
	}
}

// A script that could not be read, and so not imported from, can be when it is mended.
func TestSessionImportsAgain(t *testing.T) {
	dir := t.TempDir()
	s := NewSession(context.Background(), dir, Options{}, nil)
	defer s.Close()
	for _, text := range []string{"x = (1", "x = 1"} {
		if err := os.WriteFile(filepath.Join(dir, "names.py"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := s.Exec("from names import *\ny = x\n", nil)
		if mended := text == "x = 1"; mended != (err == nil) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
