package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"synfire/engine/backend"
	"synfire/kernels/ref"
	"synfire/shaders"
)

// backendNames are the backends that there are, in the order in which verify compares them.
var backendNames = []string{"ref", "cpu", "gl"}

// openBackend opens a backend by name. auto is gl where there is a GPU whose driver keeps the contract, else cpu; say
// receives a line when it could have been otherwise.
func openBackend(name string, f deviceFlags, say func(string)) (backend.Backend, error) {
	gl := shaders.Options{Device: f.Device, AllowInexact: f.AllowInexact}
	switch name {
	case "ref":
		return ref.New(), nil
	case "cpu":
		return f.Threads.open(), nil
	case "gl":
		return shaders.Open(gl)
	case "auto", "":
		if f.Device != "" { // who names a device wants it
			return shaders.Open(gl)
		}
		b, why := openGPU(gl)
		if b != nil {
			return b, nil
		}
		say(why + ": running on the cpu")
		return f.Threads.open(), nil
	}
	return nil, fmt.Errorf("there is no backend %q; there are %s", name, strings.Join(backendNames, ", "))
}

// openGPU opens the first device that is a real GPU. Without one it says why, and without as much as a device file it
// does not load a driver, so that small models start at once.
func openGPU(o shaders.Options) (backend.Backend, string) {
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
	for _, d := range all {
		if d.Software || d.Error != "" {
			continue
		}
		o.Device = fmt.Sprint(d.Number)
		b, err := shaders.Open(o)
		if err == nil {
			return b, ""
		}
		why = err.Error()
	}
	return nil, why
}
