package term

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRasterPlacesDots(t *testing.T) {
	// Eight neurons in two lines of dots, 40 columns of time: neuron k fires at k * 100 ms.
	p := Spikes{Name: "P", N: 8}
	for k := range 8 {
		p.I = append(p.I, int32(k))
		p.T = append(p.T, float64(k)*0.1)
	}
	got := Raster([]Spikes{p}, 0, 0.8, 24, 2)
	want := "" +
		"  │⠁ ⠐  ⠄ ⢀\n" +
		"P │          ⠁ ⠐  ⠄ ⢀\n" +
		"  └────────────────────\n" +
		"   0             800 ms\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRasterSaysWhatItLeavesOut(t *testing.T) {
	p := Spikes{Name: "P", N: 100}
	for k := range 100 {
		p.I = append(p.I, int32(k))
		p.T = append(p.T, float64(k)/100)
	}
	got := Raster([]Spikes{p}, 0, 1, 60, 2)
	if !strings.Contains(got, "8 of 100 neurons") {
		t.Errorf("\n%s", got)
	}
	n := 0
	for _, r := range got {
		for b := r - 0x2800; b > 0 && b < 256; b &= b - 1 {
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d dots\n%s", n, got)
	}
}

func TestRates(t *testing.T) {
	p := Spikes{Name: "inhibitory neurons", N: 10, T: []float64{0.0, 0.01, 0.5, 0.5, 0.5, 0.5, 3}, I: make([]int32, 7)}
	got := Rates([]Spikes{p, {Name: "E", N: 2}}, 0, 1, 60)
	lines := strings.Split(got, "\n")
	if !strings.HasPrefix(lines[0], "inhibitory ne… │▄") || !strings.Contains(lines[0], "█") || !strings.HasSuffix(lines[0], "0.6 Hz, peak 8 Hz") {
		t.Errorf("%q", lines[0])
	}
	if !strings.HasSuffix(lines[1], " 0 Hz, peak 0 Hz") {
		t.Errorf("%q", lines[1])
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > 66 {
			t.Errorf("%d columns: %q", n, l)
		}
	}
}

func TestNoSpikesNoNeuronsNoTime(t *testing.T) {
	for _, pops := range [][]Spikes{nil, {{}}, {{Name: "P", N: 0}}, {{Name: "P", N: 3, I: []int32{9, -1}, T: []float64{0.5, 0.5}}}} {
		Raster(pops, 0, 1, 0, 0)
		Rates(pops, 0, 1, 0)
		if s := Raster(pops, 1, 1, 80, 10) + Rates(pops, 1, 0, 80); s != "" {
			t.Errorf("%q", s)
		}
	}
}
