package script_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/script"
	"synfire/engine/store"
)

// TestEdgesFromFiles makes the same network of given edges from lists and from
// files of every type, and reads the same values back.
func TestEdgesFromFiles(t *testing.T) {
	for _, order := range []string{"by source", "mixed"} {
		t.Run(order, func(t *testing.T) {
			const n = 600
			var i, j []int32
			var w []float32
			var texts [3][]string
			for k := range int32(n) {
				from := k / 30
				if order == "mixed" {
					from = k * 7 % 20
				}
				i, j, w = append(i, from), append(j, k*13%20), append(w, .1+float32(k%17)/3)
				texts[0] = append(texts[0], fmt.Sprint(i[k]))
				texts[1] = append(texts[1], fmt.Sprint(j[k]))
				texts[2] = append(texts[2], fmt.Sprintf("%.17g*mV", float64(w[k])))
			}
			dir := t.TempDir()
			write := func(name string, d store.DType, put func(w *store.Writer) error) {
				f, err := store.NewVector(filepath.Join(dir, name), d)
				if err == nil {
					err = put(f)
				}
				if err == nil {
					err = f.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			wide := func(v []int32) (out []float64) {
				for _, x := range v {
					out = append(out, float64(x))
				}
				return out
			}
			write("i.npy", store.Int32, func(f *store.Writer) error { return f.AppendInt32(i) })
			write("j.npy", store.Int32, func(f *store.Writer) error { return f.AppendInt32(j) })
			write("w.npy", store.Float32, func(f *store.Writer) error { return f.AppendFloat32(w) })
			write("i8.npy", store.Float64, func(f *store.Writer) error { return f.AppendFloat64(wide(i)) })
			write("j8.npy", store.Float64, func(f *store.Writer) error { return f.AppendFloat64(wide(j)) })
			run := func(i, j, w string) string {
				t.Helper()
				var out strings.Builder
				res, err := script.Run(context.Background(), script.Options{File: filepath.Join(dir, "test.star"), Stdout: &out, Open: openRef, Src: []byte(`
P = NeuronGroup(20, 'dv/dt = (20*mV - v)/(10*ms) : volt', threshold='v > 15*mV', reset='v = 0*mV', method='exact')
P.v = 'i*mV'
i, j, w = ` + i + ", " + j + ", " + w + `
S = Synapses(P, P, 'w : volt', on_pre='v += w/100')
S.connect(i=i, j=j)
S.w = w
i[3], w[5] = 1, 0*mV
run(20*ms)
S.w[2] = 7*mV
run(20*ms)
print(S.N, S.w[:9], sum(S.w), sum(S.i*S.j), w[3:9], i[:5], j.size, mean(j), max(w), w[4])
`)})
				if err != nil {
					t.Fatal(err)
				}
				defer res.Net.Close()
				spikes, state, err := res.Net.Hash()
				if err != nil {
					t.Fatal(err)
				}
				return spikes + state + out.String()
			}
			list := func(k int) string { return "array([" + strings.Join(texts[k], ", ") + "])" }
			want := run(list(0), list(1), list(2)+"*volt")
			for _, c := range [][3]string{
				{"load_array('i.npy')", "load_array('j.npy')", "load_array('w.npy', mV)"},
				{"load_array('i8.npy')", "load_array('j.npy')", "load_array('w.npy')*mV"},
				{"load_array('i.npy') + 0", "load_array('j8.npy')", "load_array('w.npy', mV)"},
			} {
				if got := run(c[0], c[1], c[2]); got != want {
					t.Errorf("%v: %s\nwant %s", c, got, want)
				}
			}
		})
	}
}
