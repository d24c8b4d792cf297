package main

import (
	"math"
	"testing"

	"synfire/engine/rundir"
	"synfire/engine/store"
)

// TestMatrix: a weight that is no number is white and leaves the colours of the others as they are.
func TestMatrix(t *testing.T) {
	c := &rundir.Connected{Connections: store.Connections{Sources: 2, Targets: 2}, I: []int32{0, 1, 1}, J: []int32{0, 0, 1}}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m, _ := matrix(c, []float64{2, bad, 3})
		if m.Lo != 0 || m.Hi != 3 || m.Z[0] != 2 || m.Z[2] == m.Z[2] {
			t.Errorf("%g: from %g to %g, %v", bad, m.Lo, m.Hi, m.Z)
		}
	}
	if m, _ := matrix(c, []float64{math.NaN(), math.NaN(), math.NaN()}); !(m.Lo < m.Hi) {
		t.Errorf("of nothing: from %g to %g", m.Lo, m.Hi)
	}
}
