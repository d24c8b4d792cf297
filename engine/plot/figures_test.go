package plot

import (
	"encoding/xml"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"synfire/engine/figure"
)

// TestFigure draws each kind of mark in a colour of its own and finds it in the picture.
func TestFigure(t *testing.T) {
	red := figure.RGBA{R: 1, A: 1}
	s := figure.Style{Color: red, Face: red, Edge: red, Dash: "-", Width: 3, Size: 10, Alpha: 1, Font: 30}
	for name, m := range map[string]figure.Mark{
		"line":    {Kind: figure.Line, X: []float64{0, 1, math.NaN(), 2, 3}, Y: []float64{0, 1, 5, 0, 1}},
		"bars":    {Kind: figure.Bars, X: []float64{0, 1}, Y: []float64{1, 2}, W: []float64{1, 1}, Base: []float64{0, 0}},
		"errors":  {Kind: figure.Errors, X: []float64{1}, Y: []float64{1}, XLow: []float64{1}, XHigh: []float64{1}, YLow: []float64{1}, YHigh: []float64{1}},
		"fill":    {Kind: figure.Fill, X: []float64{0, 1, 2}, Y: []float64{0, 1, 0}, Y2: []float64{2, 2, 2}},
		"area":    {Kind: figure.Area, X: []float64{0, 1, 2}, Y: []float64{0, 1, 0}},
		"across":  {Kind: figure.Across, Y: []float64{0.5}, Hi: 1},
		"band":    {Kind: figure.Band, X: []float64{0.2, 0.5}, Across: true},
		"lines":   {Kind: figure.Segments, X: []float64{0}, X2: []float64{1}, Y: []float64{0}, Y2: []float64{1}},
		"text":    {Kind: figure.Text, X: []float64{0.5}, Y: []float64{0.5}, Words: "MMM"},
		"arrow":   {Kind: figure.Arrow, X: []float64{0, 1}, Y: []float64{0, 1}},
		"image":   {Kind: figure.Image, X: []float64{0, 1}, Y: []float64{0, 1}, Z: []float64{0, 0.4, 0.4, 1}, Rows: 2, Cols: 2, Lo: math.NaN(), Hi: math.NaN(), Map: "hot"},
		"markers": {Kind: figure.Line, X: []float64{0, 1, 2}, Y: []float64{0, 1, 2}},
	} {
		m.Style = s
		if name == "markers" {
			m.Marker, m.Dash = "o", ""
		}
		a := figure.NewAxes(figure.Place{Rows: 1, Cols: 1, Row1: 1, Col1: 1})
		a.Marks = []figure.Mark{m}
		path := filepath.Join(t.TempDir(), "f.png")
		if err := SaveFigure(&figure.Figure{Width: 4, Height: 3, Axes: []*figure.Axes{a}}, path); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for x := range img.Bounds().Dx() {
			for y := range img.Bounds().Dy() {
				if c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA); c.R > 200 && c.G < 80 && c.B < 80 {
					n++
				}
			}
		}
		if n < 50 {
			t.Errorf("%s: %d points of its colour are in the picture", name, n)
		}
	}
}

// TestStrangeFigures draws figures of whatever numbers: no panic, and an SVG that reads.
func TestStrangeFigures(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	strange := []float64{0, 1, -1, 1e-300, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), 5e-324, math.MaxFloat64, 1e9, 0.5}
	some := func(n int) []float64 {
		v := make([]float64, n)
		for k := range v {
			if v[k] = strange[r.IntN(len(strange))]; r.IntN(2) == 0 {
				v[k] = r.NormFloat64()
			}
		}
		return v
	}
	dir := t.TempDir()
	for k := range 300 {
		f := &figure.Figure{Width: 0.2 + 5*r.Float64(), Height: 0.2 + 4*r.Float64(), Title: []string{"", "a $\\mu$ $"}[r.IntN(2)]}
		rows, cols := 1+r.IntN(3), 1+r.IntN(3)
		for i := range rows * cols {
			a := figure.NewAxes(figure.Place{Rows: rows, Cols: cols, Row0: i / cols, Row1: i/cols + 1, Col0: i % cols, Col1: i%cols + 1})
			a.X.Log, a.Y.Log, a.Equal, a.Grid, a.Legend, a.Colorbar, a.Hidden = r.IntN(3) == 0, r.IntN(3) == 0, r.IntN(4) == 0, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(3) == 0, r.IntN(5) == 0
			a.X.Fixed, a.Y.Inverted, a.X.Unnamed = r.IntN(4) == 0, r.IntN(3) == 0, r.IntN(4) == 0
			if l := some(4); r.IntN(3) == 0 && l[0]-l[0] == 0 && l[1]-l[1] == 0 {
				a.X.Lo, a.X.Hi = l[0], l[1]
			}
			a.X.Ticks = some(3)
			if len(f.Axes) > 0 {
				if other := f.Axes[r.IntN(len(f.Axes))]; r.IntN(3) == 0 {
					a.ShareX = other
				} else if r.IntN(4) == 0 {
					a.Twin = other
				}
			}
			for kind := figure.Line; kind <= figure.Arrow; kind++ {
				n := 2 + r.IntN(3)
				m := figure.Mark{Kind: kind, X: some(n), Y: some(n), X2: some(n), Y2: some(n), W: some(n), Base: some(n), XLow: some(n), XHigh: some(n), YLow: some(n), YHigh: some(n),
					Words: "a\nb", Label: "l", Lo: some(1)[0], Hi: some(1)[0], Map: "jet", Smooth: r.IntN(2) == 0, Across: r.IntN(2) == 0, Sideways: r.IntN(2) == 0,
					Style: figure.Style{Color: figure.RGBA{A: 1}, Face: figure.RGBA{G: 1, A: 1}, Dash: []string{"", "-", "--", ":", "-."}[r.IntN(5)], Marker: string(".,ov^<>12348spP*hH+xXDd|_"[r.IntN(25)]), Width: 1, Size: 5, Alpha: 0.5, Font: 9}}
				if kind == figure.Image {
					m.Rows, m.Cols, m.Z = 2, 3, some(6)
				}
				if r.IntN(3) == 0 {
					a.Marks = append(a.Marks, m)
				}
			}
			f.Axes = append(f.Axes, a)
		}
		path := filepath.Join(dir, "f.svg")
		if k%10 == 0 {
			path = filepath.Join(dir, "f.png")
		}
		if err := SaveFigure(f, path); err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(path) != ".svg" {
			continue
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(file); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("figure %d: %v", k, err)
			}
		}
		file.Close()
	}
}
