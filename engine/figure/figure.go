// Package figure is pictures as a script describes them with pylab's words: plain
// data, which package plot draws. A script's plot(x, y, 'r.') is a Mark of the
// current Axes.
package figure

import (
	"fmt"
	"math"
)

// Figure is one picture.
type Figure struct {
	Number        int
	Width, Height float64 // in inches
	Title         string  // above all axes
	Axes          []*Axes
}

// Empty says that nothing was drawn.
func (f *Figure) Empty() bool {
	for _, a := range f.Axes {
		if len(a.Marks) > 0 || a.Title != "" {
			return false
		}
	}
	return f.Title == ""
}

// Place is where axes stand in their figure: some cells of a grid, from 0.
type Place struct {
	Rows, Cols             int
	Row0, Row1, Col0, Col1 int         // the first cell and the one behind the last
	Widths, Heights        []float64   // of columns and rows, relative; nil: equal
	Inset                  *[4]float64 // or left, bottom, width, height as parts of the figure
}

// Axes are one diagram.
type Axes struct {
	Place          Place
	Within         *Axes // whose data area the parts of Place.Inset are of, in place of the figure
	Marks          []Mark
	Title          string
	X, Y           Axis
	Hidden         bool // without frame and numbers
	Equal          bool // one unit of x is as long as one of y
	Grid           bool
	Legend         bool
	LegendAt       string // matplotlib's loc: "upper left", ...
	Colorbar       bool
	ColorbarLabel  string
	Bare           map[string]bool // sides of the frame that are not drawn: "top", "right", ...
	Twin           *Axes           // whose x axis it shares; its y axis stands at the right
	Colors         int             // of the cycle that were used
	Cycle          []RGBA          // in place of the package's
	ShareX, ShareY *Axes           // whose limits it takes
}

// Axis is one of the two of a diagram.
type Axis struct {
	Label    string
	Lo, Hi   float64 // NaN: as the marks need
	Log      bool
	Ticks    []float64 // if Fixed
	Labels   []string  // of the ticks; nil: their values
	Fixed    bool
	Unnamed  bool // ticks without numbers
	Inverted bool
}

// NewAxes are empty ones.
func NewAxes(p Place) *Axes {
	free := Axis{Lo: math.NaN(), Hi: math.NaN()}
	return &Axes{Place: p, X: free, Y: free, Bare: map[string]bool{}}
}

// Kind is what a mark is.
type Kind uint8

const (
	Line     Kind = iota // points X, Y, joined or marked
	Bars                 // from X-W/2 to X+W/2, from Base to Base+Y; Sideways: x and y change places
	Image                // Rows by Cols values Z, within X[0], X[1], Y[0], Y[1]
	Errors               // bars from X-XLow to X+XHigh and Y-YLow to Y+YHigh, beside a line
	Fill                 // between Y and Y2
	Area                 // a polygon
	Across               // a line across the axes at X (upright) or Y
	Band                 // across the axes from X[0] to X[1] or Y[0] to Y[1]
	Segments             // from X, Y to X2, Y2
	Text                 // Words at X, Y
	Arrow                // from X[0], Y[0] to X[1], Y[1], with Words at its end
)

// Mark is one thing drawn.
type Mark struct {
	Kind Kind
	X, Y []float64
	X2   []float64
	Y2   []float64
	W    []float64
	Base []float64

	XLow, XHigh, YLow, YHigh []float64

	Z          []float64
	Rows, Cols int
	Lo, Hi     float64 // values of the colour map's ends; NaN: those of Z
	Map        string  // colour map
	Smooth     bool    // values between the cells
	Blank      []bool

	Words    string
	Across   bool // of Across and Band: upright
	Sideways bool
	Relative bool // of Text: X and Y are parts of the axes

	Style
	Label string // in the legend
}

// Style is how a mark looks.
type Style struct {
	Color    RGBA
	Face     RGBA    // of markers and bars
	Edge     RGBA    // of bars
	Dash     string  // "-", "--", ":", "-.", "" for no line
	Marker   string  // matplotlib's letter, "" for none
	Width    float64 // points
	Size     float64 // of markers, points
	Sizes    []float64
	Colors   []RGBA // of each point
	Alpha    float64
	Font     float64 // points
	Bold     bool
	HAlign   string // left, center, right
	VAlign   string // bottom, center, top
	Backdrop bool
	Rotated  float64 // degrees
}

// Limits are the ends of both axes: as set, else as the marks need, with a margin.
func (a *Axes) Limits() (x, y [2]float64) {
	xs, ys := newExtent(a.X.Log), newExtent(a.Y.Log)
	for k := range a.Marks {
		m := &a.Marks[k]
		switch m.Kind {
		case Line, Fill, Area, Segments, Arrow:
			xs.add(m.X, m.Kind == Fill)
			xs.add(m.X2, false)
			ys.add(m.Y, false)
			ys.add(m.Y2, false)
		case Bars:
			along, up := xs, ys
			if m.Sideways {
				along, up = ys, xs
			}
			for i := range m.X {
				along.see(m.X[i]-m.W[i]/2, m.X[i]+m.W[i]/2)
				up.see(m.Base[i], m.Base[i]+m.Y[i])
				if m.Base[i] == 0 {
					up.stuck = true
				}
			}
		case Image:
			xs.add(m.X, true)
			ys.add(m.Y, true)
			xs.tight, ys.tight = true, true
		case Errors:
			for i := range m.X {
				xs.see(m.X[i]-m.XLow[i], m.X[i]+m.XHigh[i])
				ys.see(m.Y[i]-m.YLow[i], m.Y[i]+m.YHigh[i])
			}
		case Across, Band:
			xs.add(m.X, false)
			ys.add(m.Y, false)
		case Text:
			// texts move no limits
		}
	}
	return xs.limits(a.X), ys.limits(a.Y)
}

// extent is what marks need of an axis.
type extent struct {
	lo, hi       float64
	log          bool
	stuck, tight bool // no margin below 0, none at all
}

func newExtent(log bool) *extent { return &extent{lo: math.Inf(1), hi: math.Inf(-1), log: log} }

func (e *extent) see(v ...float64) { e.add(v, false) }

func (e *extent) add(v []float64, _ bool) {
	for _, x := range v {
		if x-x == 0 && (!e.log || x > 0) {
			e.lo, e.hi = min(e.lo, x), max(e.hi, x)
		}
	}
}

func (e *extent) limits(a Axis) [2]float64 {
	lo, hi := e.lo, e.hi
	if !(lo <= hi) {
		lo, hi = 0, 1
		if e.log {
			lo, hi = 0.1, 1
		}
	}
	switch {
	case e.log:
		f := math.Pow(hi/lo, 0.05)
		if lo == hi {
			f = 2
		}
		lo, hi = lo/f, hi*f
	case lo == hi:
		d := math.Max(math.Abs(lo)*0.05, 0.05)
		lo, hi = lo-d, hi+d
	case !e.tight:
		m := (hi - lo) * 0.05
		if !(e.stuck && lo == 0) {
			lo -= m
		}
		if !(e.stuck && hi == 0) {
			hi += m
		}
	}
	if !math.IsNaN(a.Lo) {
		lo = a.Lo
	}
	if !math.IsNaN(a.Hi) {
		hi = a.Hi
	}
	if a.Inverted && lo < hi {
		lo, hi = hi, lo
	}
	return [2]float64{lo, hi}
}

// Resize sets width and height, in inches.
func (f *Figure) Resize(size []float64) error {
	if len(size) != 2 || !(size[0] > 0.1 && size[0] <= 100 && size[1] > 0.1 && size[1] <= 100) {
		return fmt.Errorf("a figure's size is its width and height, from 0.1 to 100 inches")
	}
	f.Width, f.Height = size[0], size[1]
	return nil
}

// Same says that two places are one.
func (p Place) Same(q Place) bool {
	return p.Rows == q.Rows && p.Cols == q.Cols && p.Row0 == q.Row0 && p.Row1 == q.Row1 && p.Col0 == q.Col0 && p.Col1 == q.Col1 && p.Inset == q.Inset
}

// Check tells what is wrong with the widths and heights.
func (p Place) Check() error {
	for _, c := range []struct {
		name string
		v    []float64
		n    int
	}{{"height_ratios", p.Heights, p.Rows}, {"width_ratios", p.Widths, p.Cols}} {
		if c.v == nil {
			continue
		}
		if len(c.v) != c.n {
			return fmt.Errorf("%s= has %d values for %d", c.name, len(c.v), c.n)
		}
		for _, x := range c.v {
			if !(x > 0 && x < 1e6) {
				return fmt.Errorf("%s= are positive numbers", c.name)
			}
		}
	}
	return nil
}
