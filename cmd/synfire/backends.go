package main

import (
	"context"
	"fmt"
	"path/filepath"

	"synfire/engine/backend"
	_ "synfire/kernels" // registers itself, as the others do
	_ "synfire/kernels/ref"
	"synfire/shaders"
)

// openBackend opens a backend by name. auto is gl where there is a GPU whose driver keeps the contract and the first plan
// is estimated to be faster there, else cpu; say receives a line when it could have been otherwise, chosen the backend when it is known.
func openBackend(ctx context.Context, name string, f deviceFlags, say func(string), chosen func(backend.Backend)) (backend.Backend, error) {
	o := f.options()
	o.Ctx = ctx
	if name == "auto" || name == "" {
		name = "cpu"
		if f.Device != "" { // who names a device wants it
			name = "gl"
		} else if b, why := openGPU(o); b != nil {
			cpu := func() (backend.Backend, error) { return backend.Open("cpu", o) }
			return &choosing{gpu: b, threads: o.Threads, cpu: cpu, say: say, chosen: chosen}, nil
		} else {
			say(why + ": running on the cpu")
		}
	}
	b, err := backend.Open(name, o)
	if err == nil {
		chosen(b)
	}
	return b, err
}

func (f deviceFlags) options() backend.Options {
	return backend.Options{Threads: f.Threads.n, FixedThreads: f.Threads.fixed, Device: f.Device, AllowInexact: f.AllowInexact}
}

// openGPU opens the first device that is a real GPU. Without one it says why, and without as much as a device file it
// does not load a driver, so that small models start at once.
func openGPU(o backend.Options) (backend.Backend, string) {
	found := false
	for _, pattern := range []string{"/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/dxg", "/dev/mali*"} {
		if m, _ := filepath.Glob(pattern); len(m) > 0 {
			found = true
		}
	}
	if !found {
		return nil, "no GPU"
	}
	all, err := shaders.Devices()
	if err != nil {
		return nil, "no OpenGL device (`synfire devices` says why)"
	}
	why := "no GPU that OpenGL can use (see `synfire devices`)"
	if passed := shaders.PassedOver(all); passed != "" {
		why = passed
	}
	for _, d := range all {
		if d.Software || d.Error != "" {
			continue
		}
		o.Device = fmt.Sprint(d.Number)
		b, err := backend.Open("gl", o)
		if err == nil {
			return b, ""
		}
		why = err.Error()
	}
	return nil, why
}
