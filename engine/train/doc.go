// Package train trains networks by gradient descent through time: the derivatives of
// a loss with respect to weights, parameters and initial values, by exact reverse
// mode of the very programs that a run is made of, with a surrogate in place of the
// derivative of a threshold.
//
// A Trainer compiles the network as Run does, makes each sample's steps with the
// bits that a run would have, and goes back through them:
//
//	t, err := train.New(net, train.Options{Duration: 0.05, Loss: train.CountCE(out), Parameters: ...})
//	loss, right, err := t.Step(ctx, batch)
//
// Each sample begins in the state in which the network is. What is trained keeps its
// values in the network, which a later Run uses.
package train
