package main

import (
	"fmt"

	"synfire/engine/script"
)

type infoCmd struct{ modelFlags }

// Run shows the model as compiled at its first run().
func (c *infoCmd) Run(env *environment) error {
	res, err := script.Run(env.ctx, script.Options{
		File: c.Model, Set: c.Set, Seed: c.Seed, NetworkSeed: c.NetworkSeed, MaxMemory: c.memory(), Info: env.out, Stdout: env.err,
		Warn: func(msg string) { fmt.Fprintln(env.err, env.errTerm.amber("warning:"), msg) },
	})
	if err == nil && !res.Ended {
		return fmt.Errorf("%s has no run(): there is nothing to compile", c.Model)
	}
	return err
}
