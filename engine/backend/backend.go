package backend

import (
	"fmt"

	"synfire/engine/host"
)

// Backend opens programs on one device.
type Backend interface {
	Name() string // "ref", "cpu", "gl"
	Caps() Caps
	Load(host.Work, *Plan) (Program, error) // heeds the context, and the memory where its own is the host's
	Close() error
}

// Neighbourly is a backend on which several networks can run beside one another: Beside is another backend of its device, for a
// goroutine of its own, which shares tables of the same Spec. Each is closed by itself.
type Neighbourly interface{ Beside() Backend }

// Caps describes a backend for manifests and for skipped cases of the suite.
type Caps struct {
	Device  string // "2 threads, avx512", "llvmpipe (LLVM 15, 256 bits)"
	Threads int
	SIMD    string
	Inexact bool     // the device failed its self-test and runs under --allow-inexact
	Lacks   []string // forms that are absent, each with its reason
	Batch   int      // most steps of a Run that suit it; 0: as many as suit a backend whose steps cost microseconds of its host
}

// Program is a plan loaded on a device. It is used by one goroutine at a time.
//
// Run advances up to n steps (at most Plan.Batch); host holds Plan.Host words
// for each. It stops early, saying how many steps it made, before a step whose
// records might not fit, counted as if every recorded neuron fired (a backend
// whose records grow may go on for longer: the counts tell). A *Fault
// ends it for good: done then counts the steps through the one that it names,
// whose records can be read; the state cannot.
//
// Read copies the canonical words of a buffer, of a Record only as many as dst
// holds; Write replaces them, or with a shorter src the first len(src).
type Program interface {
	Run(n int, host []uint32) (done int, err error)
	Read(b BufID, dst []uint32) error
	Write(b BufID, src []uint32) error
	Close() error
}

// Parted is a Program whose state lies with several processes: Each gives n words of a
// buffer from word lo on, some at a time, in all of them, counted from the first; Range is the
// least and the largest of them, as floats.
type Parted interface {
	Each(b BufID, lo, n int, take func(k0 int, words []uint32) error) error
	Range(b BufID, lo, n int) (least, most float64, err error)
}

// Ahead is a Program that makes a Run while the records of the one before are read. Backends may implement it.
//
// Start begins Run(n, host), which has to follow; what it did is told there. Until then only records may be read, which
// are those of the Run before, and host belongs to the program.
type Ahead interface {
	Start(n int, host []uint32) error
}

// Fault is a model's own error at run time (design section 3, rules 4 and 6):
// the least by step, population, variable and index.
type Fault struct {
	Step int64
	Trap Trap
	Item int
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s.%s[%d] %s at step %d", f.Trap.Object, f.Trap.Name, f.Item, f.Trap.Why, f.Step)
}

// Less orders faults of one step.
func (f *Fault) Less(g *Fault) bool {
	a, b := [4]int64{f.Step, int64(f.Trap.Pop), int64(f.Trap.Var), int64(f.Item)}, [4]int64{g.Step, int64(g.Trap.Pop), int64(g.Trap.Var), int64(g.Item)}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
