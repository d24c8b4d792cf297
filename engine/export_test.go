package engine

import "synfire/engine/backend"

// Compile gives the plan of a network to tests.
func (n *Network) Compile(w Work) (*backend.Plan, error) {
	c, err := compile(n, w)
	if err != nil {
		return nil, err
	}
	return c.plan, nil
}
