package engine

import (
	"synfire/engine/backend"
	"synfire/engine/compile"
)

// Compile gives the plan of a network to tests.
func (n *Network) Compile(w Work) (*backend.Plan, error) {
	c, err := compile.Compile(n.Network, w)
	if err != nil {
		return nil, err
	}
	return c.Plan, nil
}
