package main

import (
	"fmt"
	"runtime"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels"
	"synfire/shaders"
)

// choosing is the backend auto on a machine with a GPU: the first plan says whether that
// or the processor is taken, by what a step costs on each.
type choosing struct {
	gpu     backend.Backend // open; closed if it is not taken
	threads int
	cpu     func() (backend.Backend, error)
	say     func(string)
	chosen  func(backend.Backend) // is told which it is
	backend.Backend
}

func (c *choosing) Name() string {
	if c.Backend == nil {
		return "auto"
	}
	return c.Backend.Name()
}

func (c *choosing) Caps() backend.Caps {
	if c.Backend == nil {
		return c.gpu.Caps()
	}
	return c.Backend.Caps()
}

func (c *choosing) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	if c.Backend == nil {
		gl, why := faster(p, c.threads)
		c.Backend = c.gpu
		if !gl {
			cpu, err := c.cpu()
			if err != nil {
				return nil, err
			}
			c.Backend = cpu
			c.gpu.Close()
		}
		c.say(why)
		c.chosen(c.Backend)
	}
	return c.Backend.Load(w, p)
}

func (c *choosing) Close() error {
	if c.Backend == nil {
		return c.gpu.Close()
	}
	return c.Backend.Close()
}

// small is a step, in microseconds, for which a GPU is not worth its start: it compiles and is fed for a good part of a second.
const small = 10

// faster says whether a GPU is estimated to make a plan's steps clearly faster than so many threads, and why.
func faster(p *backend.Plan, threads int) (gl bool, why string) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	cpu, gpu := kernels.Cost(p, threads), shaders.Cost(p)
	gl = gpu < 0.7*cpu && cpu >= small
	where := "cpu"
	if gl {
		where = "GPU"
	}
	return gl, fmt.Sprintf("running on the %s: a step is estimated at %.3g µs on %d threads and %.3g µs on the GPU (--backend cpu or gl chooses)", where, cpu, threads, gpu)
}
