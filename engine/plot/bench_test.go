package plot

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// BenchmarkRaster draws ten million spikes of 100,000 neurons with their rates.
func BenchmarkRaster(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const n, cells = 10_000_000, 100_000
	s := Spikes{Name: "cells", N: cells, I: make([]int32, n), T: make([]float64, n)}
	for k := range s.I {
		s.I[k], s.T[k] = r.Int32N(cells), 10*float64(k)/n
	}
	file := filepath.Join(b.TempDir(), "raster.png")
	for b.Loop() {
		if err := (&Figure{Title: "ten million", Spikes: []Spikes{s}, Stop: 10}).Save(file); err != nil {
			b.Fatal(err)
		}
	}
}
