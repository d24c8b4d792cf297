// Package ref is the reference backend: scalar, sequential, a direct reading of
// the Plan through ir.Eval. It defines what a Plan means; it is not fast.
package ref

import "synfire/engine/backend"

// New opens the reference backend.
func New() backend.Backend { panic("not yet") }
