package ir

import "fmt"

// Unoptimised is the program as built so far, with the range of each value.
func (b *Builder) Unoptimised() (*Prog, []Range) { return &b.p, b.r }

// Optimise is the pass that Builder.Prog runs.
var Optimise = optimise

// Interval prints a range for tables.
func Interval(lo, hi float64) string { return fmt.Sprintf("[%.6g, %.6g]", lo, hi) }
