package irtest

import (
	"synfire/engine/ir"

	"pgregory.net/rapid"
)

// Fill builds a random program's instructions into b, for tests of the builder.
func Fill(t *rapid.T, b *ir.Builder, o Options) { newGen(t, b, o).run() }

// Functions are the expansions of one or two arguments by name.
func Functions() []func(b *ir.Builder, x, y ir.Value) ir.Value { return functions }
