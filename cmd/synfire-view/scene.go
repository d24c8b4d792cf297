package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// scene is what the window shows: the spikes of the last stretch of model time. The model's goroutine adds to it, the
// window's draws it.
type scene struct {
	mu       sync.Mutex
	model    string
	backend  string
	only     []string // populations to show; nil: all
	window   float64  // seconds of model time that are seen
	dt       float64
	step     int64
	pops     []*population // by name
	status   string        // what has ended the model
	diverged string
}

// population is one band of the raster.
type population struct {
	name   string
	n      int
	spikes []spike // in time order
	total  int64
}

type spike struct {
	step  int64
	index uint32
}

// The palette of Okabe and Ito (2008), which colour-blind people can tell apart, on dark.
var palette = []color.RGBA{{86, 180, 233, 255}, {230, 159, 0, 255}, {0, 158, 115, 255}, {240, 228, 66, 255}, {204, 121, 167, 255}, {213, 94, 0, 255}, {0, 114, 178, 255}}

var (
	background = color.RGBA{16, 18, 24, 255}
	frame      = color.RGBA{70, 76, 90, 255}
	ink        = color.RGBA{220, 224, 232, 255}
	faint      = color.RGBA{140, 146, 160, 255}
	alarm      = color.RGBA{220, 20, 20, 255}
)

func (s *scene) population(event string, n int) {
	name := strings.TrimSuffix(event, ".spike")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.only != nil && !slices.Contains(s.only, name) {
		return
	}
	for _, p := range s.pops {
		if p.name == name {
			return
		}
	}
	s.pops = append(s.pops, &population{name: name, n: n})
	slices.SortFunc(s.pops, func(a, b *population) int { return strings.Compare(a.name, b.name) })
}

func (s *scene) clock(dt float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dt = dt
}

func (s *scene) steps() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step
}

func (s *scene) advance(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step += n
}

func (s *scene) spikes(event string, step int64, list []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pops {
		if p.name+".spike" != event {
			continue
		}
		// Spikes that have left the window are dropped when they are half of all.
		first := s.step - s.seen()
		if k := len(p.spikes) / 2; k > 1024 && p.spikes[k].step < first {
			p.spikes = slices.Delete(p.spikes, 0, k)
		}
		for _, i := range list {
			p.spikes = append(p.spikes, spike{step, i})
		}
		p.total += int64(len(list))
	}
}

// seen is the width of the window in steps.
func (s *scene) seen() int64 {
	if s.dt == 0 {
		return 1
	}
	return max(1, int64(s.window/s.dt))
}

func (s *scene) diverge(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diverged = text
}

func (s *scene) end(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// parts divides a picture: the raster above, the rates below.
func parts(r image.Rectangle) (raster, rates image.Rectangle) {
	const left, right, top, foot = 110, 16, 40, 24
	in := image.Rect(r.Min.X+left, r.Min.Y+top, r.Max.X-right, r.Max.Y-foot)
	cut := in.Min.Y + in.Dy()*3/4
	return image.Rect(in.Min.X, in.Min.Y, in.Max.X, cut-10), image.Rect(in.Min.X, cut+10, in.Max.X, in.Max.Y)
}

// draw paints the whole picture.
func (s *scene) draw(img *image.RGBA, paused bool, speed float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fill(img, img.Bounds(), background)
	raster, rates := parts(img.Bounds())
	last := s.step
	first := last - s.seen()

	total := 0
	for _, p := range s.pops {
		total += p.n
	}
	y := raster.Min.Y
	var lines [][]float64
	top := 0.0
	for k, p := range s.pops {
		// Bands are as high as populations are large, but none is lost.
		high := max(8, (raster.Dy()-8*len(s.pops))*p.n/max(total, 1)+8)
		band := image.Rect(raster.Min.X, y, raster.Max.X, min(y+high, raster.Max.Y))
		y += high
		c := palette[k%len(palette)]
		size := 1
		if len(p.spikes) < band.Dx() {
			size = 2
		}
		for _, sp := range p.spikes {
			if sp.step < first || sp.step >= last {
				continue
			}
			px := band.Min.X + int(int64(band.Dx())*(sp.step-first)/(last-first))
			py := band.Max.Y - 1 - int(sp.index)*band.Dy()/max(p.n, 1)
			fill(img, image.Rect(px, max(py-1, band.Min.Y), px+size, py+1), c)
		}
		l := p.rate(first, last, s.dt)
		mean := 0.0
		for _, v := range l {
			top = max(top, v)
			mean += v / float64(len(l)) * float64(last-first) / float64(max(last-max(first, 0), 1)) // since the model began
		}
		middle := (band.Min.Y + band.Max.Y) / 2
		text(img, 8, middle+2, clip(p.name, 13), c, 1)
		if band.Dy() > 36 {
			text(img, 8, middle+16, fmt.Sprintf("%.3g Hz", mean), ink, 1)
		}
		lines = append(lines, l)
	}
	border(img, raster)
	border(img, rates)
	top = nice(top)
	for k, l := range lines {
		curve(img, rates, l, top, palette[k%len(palette)])
	}
	text(img, 8, rates.Min.Y+12, fmt.Sprintf("%.4g Hz", top), ink, 1)
	text(img, 8, rates.Max.Y, "0 Hz", ink, 1)
	from := float64(first) * s.dt
	text(img, raster.Min.X, img.Bounds().Max.Y-8, fmt.Sprintf("%.4g s", from), ink, 1)
	now := fmt.Sprintf("%.5g s", float64(last)*s.dt)
	text(img, raster.Max.X-7*len(now), img.Bounds().Max.Y-8, now, ink, 1)

	const keys = "space: pause   right: one step   + -: speed   Esc: end"
	text(img, (raster.Min.X+raster.Max.X)/2-7*len(keys)/2, img.Bounds().Max.Y-8, keys, faint, 1)

	state := fmt.Sprintf("speed %.3g", speed)
	if paused {
		state = "paused"
	}
	if s.status != "" {
		state = s.status
	}
	text(img, 8, 24, fmt.Sprintf("%s on %s   t = %.4f s, step %d   %s", s.model, s.backend, float64(last)*s.dt, last, state), ink, 1)
	if s.diverged != "" {
		mark := image.Rect(raster.Min.X+1, raster.Min.Y+1, raster.Max.X-1, raster.Min.Y+56)
		fill(img, mark, alarm)
		white := color.RGBA{255, 255, 255, 255}
		text(img, mark.Min.X+10, mark.Min.Y+26, "DIVERGED", white, 2)
		text(img, mark.Min.X+10, mark.Min.Y+46, s.diverged, white, 1)
	}
}

// rate is the population's rate in Hz, in bins of a hundredth of the window.
func (p *population) rate(first, last int64, dt float64) []float64 {
	const bins = 100
	r := make([]float64, bins)
	if last <= first || p.n == 0 || dt == 0 {
		return r
	}
	for _, sp := range p.spikes {
		if sp.step >= first && sp.step < last {
			r[(sp.step-first)*bins/(last-first)]++
		}
	}
	for k := range r {
		r[k] /= float64(p.n) * float64(last-first) * dt / bins
	}
	return r
}

// nice is the least of 1, 2, 5, 10, ... that is not below x.
func nice(x float64) float64 {
	if x <= 1 {
		return 1
	}
	e := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*e >= x {
			return m * e
		}
	}
	return 10 * e
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, &image.Uniform{C: c}, image.Point{}, draw.Src)
}

func border(img *image.RGBA, r image.Rectangle) {
	fill(img, image.Rect(r.Min.X-1, r.Min.Y-1, r.Max.X+1, r.Min.Y), frame)
	fill(img, image.Rect(r.Min.X-1, r.Max.Y, r.Max.X+1, r.Max.Y+1), frame)
	fill(img, image.Rect(r.Min.X-1, r.Min.Y-1, r.Min.X, r.Max.Y+1), frame)
	fill(img, image.Rect(r.Max.X, r.Min.Y-1, r.Max.X+1, r.Max.Y+1), frame)
}

// curve draws values over a rectangle as a line with steps.
func curve(img *image.RGBA, r image.Rectangle, v []float64, top float64, c color.RGBA) {
	height := func(x float64) int { return r.Max.Y - 1 - int(x/top*float64(r.Dy()-2)) }
	for px := range r.Dx() {
		k := px * len(v) / r.Dx()
		y := height(v[k])
		was := y
		if before := (px - 1) * len(v) / r.Dx(); px > 0 {
			was = height(v[before])
		}
		for q := min(y, was); q <= max(y, was); q++ {
			img.SetRGBA(r.Min.X+px, q, c)
		}
	}
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// text writes a line with its base at y, each pixel of the 7x13 font being size pixels.
func text(img *image.RGBA, x, y int, s string, c color.RGBA, size int) {
	face := basicfont.Face7x13
	if size == 1 {
		d := font.Drawer{Dst: img, Src: &image.Uniform{C: c}, Face: face, Dot: fixed.P(x, y)}
		d.DrawString(s)
		return
	}
	small := image.NewAlpha(image.Rect(0, 0, 7*len(s), 13))
	d := font.Drawer{Dst: small, Src: image.Opaque, Face: face, Dot: fixed.P(0, 11)}
	d.DrawString(s)
	for q := range 13 {
		for p := range 7 * len(s) {
			if small.AlphaAt(p, q).A > 127 {
				at := image.Pt(x+p*size, y-11*size+q*size)
				fill(img, image.Rectangle{at, at.Add(image.Pt(size, size))}, c)
			}
		}
	}
}
