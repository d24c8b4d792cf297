package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"synfire/engine"
	drawing "synfire/engine/figure"
	"synfire/engine/script"
	"synfire/engine/store"
)

// nullclineGrid is how many points each axis has on which slopes are worked out.
const nullclineGrid = 300

var errSeen = errors.New("the network is seen")

// slopes gives the slopes of a StateMonitor's first two variables in the plane of these, of the neuron in a row of it, in SI units.
type slopes func(monitor string, row int, xs, ys []float64) (dx, dy []float64, err error)

// model runs a script as far as its first run(), with the parameters and seeds of a run that was made of it, and calls see with
// what the network's equations are there.
func model(ctx context.Context, file string, m *store.Manifest, see func(slopes) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != m.ScriptSHA256 {
		return fmt.Errorf("--nullclines %s: this is not the script of the run, %s, or it was changed since (its SHA-256 begins with %.12s, the run's with %.12s)", file, filepath.Base(m.Script), sum, m.ScriptSHA256)
	}
	o := script.Options{File: file, Set: map[string]string{}, Seed: &m.Seed, NetworkSeed: m.NetworkSeed}
	for _, p := range m.Set {
		o.Set[p.Name] = p.Value
	}
	var seen error
	o.BeforeRun = func(net *engine.Network) error {
		seen = see(func(monitor string, row int, xs, ys []float64) (dx, dy []float64, err error) {
			for _, x := range net.Monitors() {
				if s, ok := x.(*engine.StateMonitor); ok && s.Name() == monitor && s.Syn == nil {
					v := s.Variables()
					return s.Src.Group.Slopes(s.Src.Lo+s.Recorded()[row], v[0], v[1], xs, ys)
				}
			}
			return nil, nil, fmt.Errorf("%s: there is no StateMonitor %s of neurons before its first run(), where nullclines are made", file, monitor)
		})
		return errSeen
	}
	_, err = script.Run(ctx, o)
	switch {
	case seen != nil:
		return seen
	case errors.Is(err, errSeen):
		return nil
	case err == nil:
		return fmt.Errorf("%s has no run()", file)
	}
	return err
}

// nullclines are where the slopes of a neuron's two variables are 0, within a box: x in units of byX, y of byY.
func nullclines(of slopes, monitor string, row int, box [4]float64, byX, byY float64) (x, y drawing.Mark, err error) {
	const n = nullclineGrid
	at := func(k int, lo, hi float64) float64 { return lo + (hi-lo)*float64(k)/(n-1) }
	xs, ys := make([]float64, n*n), make([]float64, n*n)
	for k := range xs {
		xs[k], ys[k] = at(k%n, box[0], box[1])*byX, at(k/n, box[2], box[3])*byY
	}
	dx, dy, err := of(monitor, row, xs, ys)
	if err != nil {
		return x, y, err
	}
	point := func(k int) [2]float64 { return [2]float64{at(k%n, box[0], box[1]), at(k/n, box[2], box[3])} }
	return zeros(dx, n, point), zeros(dy, n, point), nil
}

// zeros are the lines along which the values of a square grid change their sign, as segments: one in each triangle, two to a cell, whose ends are
// interpolated along its sides. A change to or from what is no number is none.
func zeros(z []float64, n int, point func(k int) [2]float64) drawing.Mark {
	m := drawing.Mark{Kind: drawing.Segments}
	for k := range n*n - n {
		if k%n == n-1 {
			continue
		}
		for _, t := range [][3]int{{k, k + 1, k + n}, {k + 1, k + n + 1, k + n}} {
			var ends [][2]float64
			for s := range 3 {
				a, b := t[s], t[(s+1)%3]
				za, zb := z[a], z[b]
				if math.IsNaN(za-zb) || math.IsInf(za-zb, 0) || za < 0 == (zb < 0) {
					continue
				}
				p, q, part := point(a), point(b), za/(za-zb)
				ends = append(ends, [2]float64{p[0] + part*(q[0]-p[0]), p[1] + part*(q[1]-p[1])})
			}
			if len(ends) == 2 {
				m.X, m.Y = append(m.X, ends[0][0]), append(m.Y, ends[0][1])
				m.X2, m.Y2 = append(m.X2, ends[1][0]), append(m.Y2, ends[1][1])
			}
		}
	}
	return m
}
