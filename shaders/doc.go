// Package shaders is the gl backend: OpenGL 4.3 compute shaders, on any
// vendor's GPU, with the bits of every other backend.
//
// The host turns a Plan into a few kernels: the Map stages of a step, fused by
// population and printed as GLSL from their IR (emit.go, body.go), and
// walks that deliver spikes through tables of constant synapses
// (walk.go). All memory is arrays of uint; floats exist only between a load
// and a store. A step is as few dispatches as its hazards allow, one as a rule,
// and several steps are one dispatch where the shortest delay allows it.
// README.md describes the design, and what it costs on a wide GPU.
//
// The backend needs EGL: build with -tags egl on a machine that has its headers.
// Without them the package compiles, and Open says what is missing.
package shaders

import (
	"context"
	"fmt"

	"synfire/engine/backend"
)

func init() {
	backend.Register("gl", func(o backend.Options) (backend.Backend, error) {
		opt, err := variant(Options{Device: o.Device, AllowInexact: o.AllowInexact, Inject: o.Inject, Ctx: o.Ctx})
		if err != nil {
			return nil, err
		}
		return Open(opt)
	})
}

// Options choose a device and how it is used. The zero value takes the first
// device that is not a software renderer, else any.
type Options struct {
	Device       string // number in Devices, or a part of a device's name; "" chooses
	AllowInexact bool   // run on a device that failed its self-test (Caps.Inexact tells)
	WorkGroup    int    // lanes of a work group, a multiple of 32 up to 1024; 0: 64
	WalkGroups   int    // work groups of a walk; 0: two of 256 lanes for each multiprocessor, or as few as a software renderer can do with
	Chunk        int    // entries of a row that are one item of a walk; 0: 256
	Movable      bool   // buffers may be moved into the host's memory by the driver, as they are where it has no buffer storage
	Apart        bool   // deliver in a dispatch of its own, though passes could be one dispatch
	Team         int    // lanes that share a row of synapses, a power of two up to 32; 0: 32, or 8 on a software renderer
	Philox       int    // neighbours that share a call of Philox: 4, 1 (barriers cost a software renderer more than the calls), 0: chosen so
	MaxBlock     int64  // bytes of a buffer, for shards of synapses and arenas of state; 0: what the device advertises, at most 1 GiB
	MaxBlocks    int    // buffers that one kernel binds; 0: as many as the device allows
	Span         int    // most steps in one pass; 0: as the shortest delay allows, at most 32
	Persistent   string // passes that are one dispatch, many in one: "" where the device carries it and it is worth while, "0" never, "1" wherever it can be; "fail", "fail7": the first rendezvous, or the one before pass 7, fails on purpose
	Resident     int    // work groups of such a dispatch; 0: as many as were seen to come together
	Submit       int    // most steps in one submission; 0: by measurement, under 50 ms
	Fence        int    // seconds until a fence that does not come is an error; 0: 20
	NoSelfTest   bool   // skip the self-test, for tests of this package
	NoCache      bool   // neither read nor write the user's cache directory

	Ctx context.Context // ends the self-test; nil: nothing does

	// Inject makes a fault on purpose, so that tests and users can see what
	// follows: "selftest", "compile", "lost", "memory", "fence",
	// "deliver-index", "delay" or "rounding".
	Inject string
}

// DeviceInfo describes a device.
type DeviceInfo struct {
	Number   int
	Name     string // GL_RENDERER
	Vendor   string // GL_VENDOR
	Version  string // GL_VERSION: the driver's own text
	Node     string // device file, "" where there is none
	Software bool   // a software renderer
	Error    string // why no context could be made; all that follows is empty then

	MaxBlock   int64 // bytes of a shader storage block
	MaxBlocks  int   // blocks of one compute shader
	MaxGroups  [3]int
	MaxShared  int   // bytes
	MaxLocal   int   // lanes of a work group
	Memory     int64 // bytes, 0 where the driver does not tell
	MemoryFree int64
	Meet       int    // work groups that were seen to wait for one another within a dispatch; 0: none, or not tried (software renderers)
	SelfTest   string // "bit-exact", "not yet run", or the first difference
}

// Kind says what went wrong with a device.
type Kind string

// Kinds of device errors.
const (
	NoDevice   Kind = "no device"
	Lost       Kind = "device lost"
	NoMemory   Kind = "out of device memory"
	BadShader  Kind = "shader does not compile"
	NoFence    Kind = "device does not answer"
	Inexact    Kind = "device is not exact"
	TooLarge   Kind = "too large for this device"
	DriverSaid Kind = "driver error"
)

// DeviceError is an error of the device or its driver, not of the model; the
// command ends with exit code 3.
type DeviceError struct {
	Kind   Kind
	Device string
	Detail string // what happened, what to try
}

func (e *DeviceError) Error() string {
	if e.Device == "" {
		return fmt.Sprintf("gl: %s: %s", e.Kind, e.Detail)
	}
	return fmt.Sprintf("gl: %s: %s: %s", e.Device, e.Kind, e.Detail)
}
