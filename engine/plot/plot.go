// Package plot draws what a run has recorded: a raster of spikes with the populations' rates underneath, and traces of
// variables, as PNG or SVG.
//
//	f := plot.Figure{Title: "cuba.star", Spikes: spikes, Traces: traces, Stop: 1}
//	err := f.Save("cuba.png")
//
// Populations keep one colour throughout, of a palette that colour-blind people can tell apart (Okabe and Ito, 2008).
// Nothing is left out silently: where not every neuron or trace is drawn, the picture says so.
package plot

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Spikes are the spikes of one population: the indices of the neurons that fired, the times in seconds, in time order,
// and the number of neurons.
type Spikes struct {
	Name string
	I    []int32
	T    []float64
	N    int
}

// Trace is a recorded variable: V[row][sample], the times of the samples in seconds, and the SI unit of the values ("V",
// "A", "S"; empty: a number).
type Trace struct {
	Name, Unit string
	T          []float64
	V          [][]float32
}

// Figure is a picture: the raster and the rates if there are Spikes, a panel for each of the Traces.
type Figure struct {
	Title       string
	Spikes      []Spikes
	Traces      []Trace
	Start, Stop float64 // the span of time shown, in seconds; Stop 0: as recorded
}

// palette is Okabe and Ito's, without the yellow that is too faint on white, and two more that keep apart from it.
var palette = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{230, 159, 0, 255}, {86, 180, 233, 255}, {136, 34, 85, 255}, {90, 90, 90, 255},
}

// Color is the colour of the k-th population or trace.
func Color(k int) color.RGBA { return palette[k%len(palette)] }

const (
	width        = 9 * vg.Inch
	rasterHeight = 4 * vg.Inch
	panelHeight  = 1.6 * vg.Inch
	titleHeight  = 0.35 * vg.Inch
	axisHeight   = 0.4 * vg.Inch
	dpi          = 150
	maxTraces    = 6 // panels
)

var (
	ink   = color.Gray{40}
	faint = color.Gray{225}
)

// sans is the typeface of all text.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// panel is one of the parts that stand above each other on one axis of time.
type panel struct {
	plot   *plot.Plot
	height vg.Length
}

// Save draws the figure into a file, whose name ends in .png or .svg. Its error names the file.
func (f *Figure) Save(path string) error {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".png" && ext != ".svg" {
		return fmt.Errorf("%s: a picture's name ends in .png or .svg", path)
	}
	panels, err := f.panels()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	height := titleHeight + axisHeight
	for _, p := range panels {
		height += p.height
	}
	var c vg.CanvasWriterTo
	if ext == ".png" {
		c = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))}
	} else {
		c = vgsvg.New(width, height)
	}
	f.draw(draw.New(c), panels)
	// A picture that does not fit on the disk leaves none behind.
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = c.WriteTo(file)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}

func (f *Figure) panels() ([]panel, error) {
	lo, hi := f.span()
	if !(hi > lo) {
		return nil, fmt.Errorf("there is nothing to draw: no time has passed")
	}
	time := newTimeAxis(lo, hi)
	var panels []panel
	if len(f.Spikes) > 0 {
		panels = append(panels, panel{raster(f.Spikes, time), rasterHeight}, panel{rates(f.Spikes, time), panelHeight})
	}
	for k, t := range f.Traces {
		if k == maxTraces {
			break
		}
		panels = append(panels, panel{traces(t, time), panelHeight})
	}
	if len(panels) == 0 {
		return nil, fmt.Errorf("there is nothing to draw: the model has no monitors that record spikes or values")
	}
	for k, p := range panels {
		p.plot.X.Min, p.plot.X.Max = time.lo, time.hi
		p.plot.X.Tick.Marker = time
		if k < len(panels)-1 {
			p.plot.X.Tick.Marker = unlabelled{time}
		} else {
			p.plot.X.Label.Text = "time (" + time.unit + ")"
		}
	}
	if n := len(f.Traces) - maxTraces; n > 0 {
		panels[len(panels)-1].plot.X.Label.Text += fmt.Sprintf("      (%d more recorded variables are not drawn)", n)
	}
	return panels, nil
}

// draw lays the panels out so that their data areas have the same left and right edges.
func (f *Figure) draw(c draw.Canvas, panels []panel) {
	c.FillText(draw.TextStyle{Color: ink, Font: sans(13), XAlign: draw.XLeft, YAlign: draw.YTop, Handler: plot.DefaultTextHandler},
		vg.Point{X: 0.7 * vg.Inch, Y: c.Max.Y - 0.08*vg.Inch}, shorten(f.Title, 110))
	c = draw.Crop(c, 0.12*vg.Inch, -0.25*vg.Inch, 0.05*vg.Inch, -titleHeight)
	canvases := make([]draw.Canvas, len(panels))
	var left, right vg.Length
	top := c.Max.Y
	for k, p := range panels {
		h := p.height
		if k == len(panels)-1 {
			h = top - c.Min.Y
		}
		canvases[k] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X, Y: top - h}, Max: vg.Point{X: c.Max.X, Y: top}}}
		top -= h
		data := p.plot.DataCanvas(canvases[k])
		left = max(left, data.Min.X-c.Min.X)
		right = max(right, c.Max.X-data.Max.X)
	}
	for k, p := range panels {
		data := p.plot.DataCanvas(canvases[k])
		l, r := left-(data.Min.X-c.Min.X), right-(c.Max.X-data.Max.X)
		p.plot.Draw(draw.Crop(canvases[k], l, -r, 0.03*vg.Inch, -0.03*vg.Inch))
	}
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (f *Figure) span() (lo, hi float64) {
	if f.Stop > 0 {
		return f.Start, f.Stop
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	see := func(t []float64) {
		if len(t) > 0 {
			lo, hi = min(lo, t[0]), max(hi, t[len(t)-1])
		}
	}
	for _, s := range f.Spikes {
		see(s.T)
	}
	for _, t := range f.Traces {
		see(t.T)
	}
	return min(lo, f.Start), hi
}

// newPlot returns an empty panel in the style that all share.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Label.TextStyle.Color = sans(11), ink
		a.Tick.Label.Font, a.Tick.Label.Color = sans(10), ink
		a.LineStyle.Color, a.Tick.LineStyle.Color = ink, ink
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.6, 0.6
		a.Tick.Length = 3
		a.Padding = 2
	}
	p.Y.Label.Padding = 4
	return p
}
