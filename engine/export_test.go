package engine

import "synfire/engine/backend"

// Compile gives the plan of a network to tests.
func (n *Runner) Compile(w Work) (*backend.Plan, error) {
	c, err := compile(n.Network, w)
	if err != nil {
		return nil, err
	}
	return c.plan, nil
}
