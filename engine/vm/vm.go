// Package vm runs ir programs over blocks of lanes, equal to ir.Eval to the
// bit and many times faster. A Code is compiled once and run by any number of
// goroutines.
//
// There are three kinds of engine with the same bits. Machine code emitted from
// the program (Linux on amd64: AVX-512 or AVX2) keeps every value in registers.
// The register machine runs one instruction after the other over a block of
// lanes that stays in the first-level cache, in portable Go or, built with
// GOEXPERIMENT=simd on amd64, through simd/archsimd. Auto takes the first that
// the processor and the operating system allow.
//
//	code, err := vm.Compile(prog)
//	...
//	code.Run(&env, 0, n) // as ir.Eval(prog, &env, 0, n)
//
// Distinct slots of a program must not overlap in memory, except that a table may
// be gathered through one slot and put through another, if a lane reads no word
// that another lane puts, and its own before it does. Indices of Gather, Scatter
// and Put are trusted, as the IR says.
package vm

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"synfire/engine/ir"
)

// Mode is a way of running programs.
type Mode uint8

// The modes, in the order of preference of Auto from last to first.
const (
	Auto   Mode = iota
	Scalar      // register machine in portable Go
	AVX2        // register machine, eight lanes at a time
	AVX512      // register machine, sixteen lanes at a time
	JIT256      // machine code with AVX2
	JIT512      // machine code with AVX-512
	numModes
)

var modeNames = [numModes]string{"auto", "scalar", "avx2", "avx512", "jit256", "jit512"}

// String is the mode's name, as SYNFIRE_SIMD takes it.
func (m Mode) String() string {
	if m < numModes {
		return modeNames[m]
	}
	return fmt.Sprintf("mode%d", m)
}

// Modes lists the modes that this process can run, the preferred one last.
func Modes() []Mode {
	var list []Mode
	for m := Scalar; m < numModes; m++ {
		if available(m) {
			list = append(list, m)
		}
	}
	return list
}

func available(m Mode) bool {
	switch m {
	case Scalar:
		return true
	case AVX2:
		return blockKernels(AVX2) != nil && cpu().avx2
	case AVX512:
		return blockKernels(AVX512) != nil && cpu().avx512
	case JIT256:
		return cpu().avx2 && canExecute()
	case JIT512:
		return cpu().avx512 && canExecute()
	}
	return false
}

// auto is the mode that Auto stands for: the value of the environment variable
// SYNFIRE_SIMD where that is a mode that can run, else the best.
var auto = sync.OnceValue(func() Mode {
	modes := Modes()
	want := strings.ToLower(os.Getenv("SYNFIRE_SIMD"))
	for _, m := range modes {
		if m.String() == want {
			return m
		}
	}
	return modes[len(modes)-1]
})

// SIMD names the mode that Compile uses: jit512, jit256, avx512, avx2 or scalar.
// The environment variable SYNFIRE_SIMD asks for one by name; a name that is
// unknown, or a mode that this machine lacks, leaves the best.
func SIMD() string { return auto().String() }

// Code is a compiled program. It may be run by several goroutines at once, each
// with an Env of its own.
type Code struct {
	prog *ir.Prog
	mode Mode
	low  *lowered
	mach *machine // register machine
	jit  *jitCode // machine code
}

// Compile prepares p for the mode that SIMD names. The error says which
// instruction is malformed.
func Compile(p *ir.Prog) (*Code, error) { return CompileMode(p, Auto) }

// CompileMode prepares p for one mode. It fails where the machine lacks the
// mode, except that Auto falls back until something runs.
func CompileMode(p *ir.Prog, m Mode) (*Code, error) {
	if err := p.Verify(); err != nil {
		return nil, err
	}
	if m != Auto && (m >= numModes || !available(m)) {
		return nil, fmt.Errorf("vm: mode %v does not run here; use one of %v", m, Modes())
	}
	if m != Auto {
		return compile(p, m)
	}
	c, err := compile(p, auto())
	for _, m := range []Mode{AVX512, AVX2, Scalar} {
		if err == nil {
			break
		}
		if available(m) { // executable memory was refused
			c, err = compile(p, m)
		}
	}
	return c, err
}

func compile(p *ir.Prog, m Mode) (*Code, error) {
	c := &Code{prog: p, mode: m, low: lower(p, m == JIT512 || m == JIT256)}
	var err error
	if m == JIT512 || m == JIT256 {
		c.jit, err = newJIT(c.low, m)
	} else {
		c.mach = newMachine(c.low, m)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Run runs lanes lo to hi-1, as ir.Eval(p, e, lo, hi) does, to the bit. lo is a
// multiple of 32, hi any number. Words of Array slots outside [lo, hi) are
// neither read nor written; bits of Mask slots outside keep their values.
func (c *Code) Run(e *ir.Env, lo, hi int) {
	if !c.any(lo, hi) {
		return
	}
	if c.jit != nil {
		c.jit.run(e, lo, hi)
	} else {
		c.mach.run(e, lo, hi)
	}
}

func (c *Code) any(lo, hi int) bool {
	if lo%32 != 0 && lo < hi {
		panic(fmt.Sprintf("vm: %s: first lane %d is not a multiple of 32", c.prog.Name, lo))
	}
	return lo < hi
}

// A Call runs a Code for one goroutine at a time, with memory that it keeps: for few
// lanes, where to look for memory would take as long as they do.
type Call struct {
	code  *Code
	state *jitState
}

// Call makes a Call.
func (c *Code) Call() *Call {
	if c.jit == nil {
		return &Call{code: c}
	}
	return &Call{c, c.jit.newState()}
}

// Run is Code.Run.
func (c *Call) Run(e *ir.Env, lo, hi int) {
	if c.state == nil {
		c.code.Run(e, lo, hi)
	} else if c.code.any(lo, hi) {
		c.code.jit.runWith(c.state, e, lo, hi)
	}
}

// Mode is the mode that the code runs in.
func (c *Code) Mode() Mode { return c.mode }

// Listing tells, on a few lines, the mode and what the program became: counts
// of loads, stores, operations, spills and bytes of code.
func (c *Code) Listing() string {
	var b strings.Builder
	n := c.low.count()
	fmt.Fprintf(&b, "%s: mode %v, %d loads, %d stores, %d operations per lane, %d worked out once per run, %d random columns\n",
		c.prog.Name, c.mode, n.loads, n.stores, n.ops, n.uniforms, len(c.low.rands))
	if c.jit != nil {
		b.WriteString(c.jit.listing())
	} else {
		b.WriteString(c.mach.listing())
	}
	return b.String()
}

// features are the parts of the processor that the modes ask for.
type features struct{ avx2, avx512 bool }
