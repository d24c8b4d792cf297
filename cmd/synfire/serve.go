package main

import (
	"fmt"
	"os"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/serve"
)

// serveCmd keeps a network between the requests of another program, which docs/serve.md describes.
type serveCmd struct {
	Dir string `required:"" help:"The folder through which arrays come and go." placeholder:"DIR"`
	deviceFlags
	Seed         *uint64 `help:"Seed of all random numbers, instead of the first that a text gives." placeholder:"N"`
	ScriptMemory float64 `help:"Gigabytes that texts themselves may keep: the numbers, lists and texts that they compute and the arrays that come with them, not the network; 0: half of what is free." placeholder:"GB" default:"0"`
}

// Run answers requests until standard input ends.
func (c *serveCmd) Run(env *environment) error {
	if st, err := os.Stat(c.Dir); err != nil {
		return fmt.Errorf("--dir: %w", err)
	} else if !st.IsDir() {
		return fmt.Errorf("--dir %s: it is no folder", c.Dir)
	}
	memory := gigabytes(c.ScriptMemory)
	if free := host.Free(); memory == 0 && free > 0 {
		memory = free / 2 // arrays of synapses come through texts
	}
	o := serve.Options{Dir: c.Dir, Version: versionText(), Backend: c.Backend, Backends: append([]string{"auto"}, backend.Names()...), Seed: c.Seed,
		Threads: c.Threads.forBuilding(), MaxMemory: memory}
	o.Open = func() (backend.Backend, error) {
		return openBackend(env.ctx, c.Backend, c.deviceFlags, func(string) {}, func(backend.Backend) {})
	}
	return serve.Run(env.ctx, os.Stdin, env.out, o)
}
