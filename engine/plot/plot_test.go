package plot

import (
	"bytes"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// network makes up populations with an oscillating rate, the given number of spikes in all.
func network(sizes []int, names []string, spikes int, duration float64) (pops []Spikes) {
	r := rand.New(rand.NewPCG(1, 2))
	total := 0
	for _, n := range sizes {
		total += n
	}
	for k, n := range sizes {
		p := Spikes{Name: names[k], N: n}
		mean := float64(spikes) * float64(n) / float64(total)
		for t := 0.0; ; {
			t += r.ExpFloat64() * duration / (mean * 2)
			if t >= duration {
				break
			}
			if r.Float64() < 0.5+0.5*math.Sin(2*math.Pi*t*12) {
				p.T = append(p.T, t)
				p.I = append(p.I, int32(r.IntN(n)))
			}
		}
		pops = append(pops, p)
	}
	return pops
}

func voltage(rows int, duration float64) Trace {
	t := Trace{Name: "v", Unit: "V"}
	for x := 0.0; x < duration; x += 1e-4 {
		t.T = append(t.T, x)
	}
	for k := range rows {
		var v []float32
		for _, x := range t.T {
			phase := math.Mod(x*20+float64(k)*0.3, 1)
			v = append(v, float32(-0.065+0.015*(1-math.Exp(-3*phase))))
		}
		t.V = append(t.V, v)
	}
	return t
}

var cases = map[string]Figure{
	"cuba": {Title: "cuba.star: 4,000 neurons", Spikes: network([]int{4000}, []string{"P"}, 22000, 1), Stop: 1},
	"microcircuit": {Title: "potjans_diesmann.star, scale 0.1", Stop: 1,
		Spikes: network([]int{2068, 583, 2191, 547, 485, 106, 1439, 294},
			[]string{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"}, 200_000, 1)},
	"few": {Title: "three neurons", Stop: 5, Spikes: network([]int{3}, []string{"neurongroup"}, 40, 5),
		Traces: []Trace{voltage(3, 5), {Name: "w", Unit: "A", T: []float64{0, 5}, V: [][]float32{{0, 2.5e-10}}}}},
	"traces": {Title: "traces only", Traces: []Trace{voltage(20, 0.3), {Name: "n", T: []float64{0, 0.1, 0.3}, V: [][]float32{{1, 1, 1}}}}},
	"silent": {Title: "silent", Spikes: []Spikes{{Name: "E", N: 80}, {Name: "I", N: 20}}, Stop: 0.1},
}

// TestPictures draws every case in both formats. With SYNFIRE_PICTURES=DIR they are kept there, to be looked at.
func TestPictures(t *testing.T) {
	dir := os.Getenv("SYNFIRE_PICTURES")
	if dir == "" {
		dir = t.TempDir()
	}
	for name, f := range cases {
		file := filepath.Join(dir, name+".png")
		if err := f.Save(file); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, _ := os.ReadFile(file)
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// Each population's colour must be seen, in proportion to nothing but more than by chance.
		for k, s := range f.Spikes {
			if len(s.T) == 0 {
				continue
			}
			want, found := Color(k), 0
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					r, g, b, _ := img.At(x, y).RGBA()
					if uint8(r>>8) == want.R && uint8(g>>8) == want.G && uint8(b>>8) == want.B {
						found++
					}
				}
			}
			if found < 50 {
				t.Errorf("%s: population %s shows in %d pixels", name, s.Name, found)
			}
		}
		file = filepath.Join(dir, name+".svg")
		if err := f.Save(file); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		svg, _ := os.ReadFile(file)
		if !strings.Contains(string(svg), f.Title) || !strings.Contains(string(svg), "time (") {
			t.Errorf("%s.svg: title or axis is missing", name)
		}
		if thinned := strings.Contains(string(svg), "neuron is shown"); thinned != (name == "microcircuit") {
			t.Errorf("%s.svg says that neurons are left out: %v", name, thinned)
		}
		if len(svg) > 6<<20 {
			t.Errorf("%s.svg has %d bytes", name, len(svg))
		}
	}
}

func TestThinKeepsWholeNeurons(t *testing.T) {
	pops := network([]int{900, 100}, []string{"E", "I"}, 30_000, 1)
	k := thin(pops, 0, 1, 5000)
	count := func(k int) (n int) {
		for _, p := range pops {
			for _, i := range p.I {
				if int(i)%k == 0 {
					n++
				}
			}
		}
		return n
	}
	if n := count(k); n > 5000 || n < 2500 {
		t.Errorf("every %d-th neuron leaves %d spikes, at most 5000 are wanted, and not much fewer", k, n)
	}
	if k := thin(pops, 0, 1, 100_000); k != 1 {
		t.Errorf("few spikes are thinned by %d", k)
	}
	if k := thin([]Spikes{{N: 1, I: make([]int32, 100), T: make([]float64, 100)}}, 0, 1, 10); k < 1 {
		t.Errorf("a single neuron: %d", k)
	}
}

func TestSaveRefuses(t *testing.T) {
	f := Figure{Stop: 1, Spikes: []Spikes{{Name: "P", N: 1}}}
	for path, want := range map[string]string{
		"x.jpg":                               "ends in .png or .svg",
		filepath.Join(t.TempDir(), "a/b.png"): "b.png",
	} {
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := filepath.Join(t.TempDir(), "x.png")
	if err := (&Figure{Stop: 1}).Save(path); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
		t.Errorf("an empty figure: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an empty figure leaves a file")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{0, 1000, 9, "0 200 400 600 800 1000"},
		{-65.3, -49.8, 4, "-65 -60 -55 -50"},
		{0, 0.05, 4, "0.00 0.02 0.04"},
		{3, 3, 4, "3"},
	} {
		var got []string
		for _, t := range ticks(c.lo, c.hi, c.n) {
			got = append(got, t.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, c := range []struct {
		x     float64
		unit  string
		scale float64
		want  string
	}{
		{0.065, "V", 1e3, "mV"}, {2.5e-10, "A", 1e12, "pA"}, {0, "V", 1, "V"}, {3, "", 1, ""}, {2, "V", 1, "V"},
		{0.5, "m kg s^-3", 1, "m kg s^-3"}, {40, "Hz", 1, "Hz"}, {0.02, "Hz", 1, "Hz"}, {1e-30, "A", 1e15, "fA"},
	} {
		scale, unit := prefix(c.x, c.unit)
		if math.Abs(scale/c.scale-1) > 1e-9 || unit != c.want {
			t.Errorf("%v %s: %v %s, want %v %s", c.x, c.unit, scale, unit, c.scale, c.want)
		}
	}
}
