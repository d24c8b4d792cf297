//go:build egl && cgo && linux

package shaders

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// drift is a plan of n neurons that gain 1.5 a step and trap beyond limit.
func drift(n int, limit float32) *backend.Plan {
	p := &backend.Plan{Dt: 1e-4, Batch: 100}
	buf := func(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, ir.U32, 1), buf("due", backend.State, ir.U32, 2)
	v := buf("v", backend.State, ir.F32, n)
	a := &assembler{}
	a.Name = "P update"
	slot := a.slot(ir.Array, ir.F32)
	x := a.op(ir.AddF, ir.F32, a.with(slot, a.op(ir.Load, ir.F32)), a.with(0x3fc00000, a.op(ir.Const, ir.F32)))
	a.with(slot, a.op(ir.Store, ir.F32, x))
	a.op(ir.Trap, ir.Bool, a.op(ir.LtF, ir.Bool, a.with(f32(limit), a.op(ir.Const, ir.F32)), x))
	a.Traps = 1
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: "P update", Flag: -1, N: n, Prog: &a.Prog, Bind: []backend.Binding{{Buf: v}}, Trap: []backend.Trap{{Object: "P", Name: "v", Why: "is too large"}}})
	return p
}

// TestErrors shows the errors of devices, all by injection, since no driver
// here fails by itself: kind and text say what happened and what to do.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		inject string
		kind   Kind
		parts  []string
	}{
		{"compile", BadShader, []string{"P update", "the driver said", "line ", "injected error"}},
		{"lost", Lost, []string{"reset", "run again"}},
		{"memory", NoMemory, []string{"MiB are free", "--backend cpu"}},
		{"fence", NoFence, []string{"no answer for", "system log"}},
	} {
		t.Run(c.inject, func(t *testing.T) {
			b := open(t, Options{Inject: c.inject, NoSelfTest: true, Fence: 1})
			defer b.Close()
			p, err := b.Load(host.Work{}, drift(1000, 1e9))
			if err == nil {
				defer p.Close()
				_, err = p.Run(10, nil)
				if again, _ := p.Run(1, nil); again != 0 {
					t.Error("the program went on after its device failed")
				}
			}
			var dev *DeviceError
			if !errors.As(err, &dev) || dev.Kind != c.kind {
				t.Fatalf("%v, expected an error of kind %q", err, c.kind)
			}
			for _, part := range c.parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}

// TestResetBeforeARun: a device that was reset between two Runs is an error of the next one, of one program and of several.
func TestResetBeforeARun(t *testing.T) {
	for _, beside := range []int{1, 3} {
		b := open(t, Options{NoSelfTest: true}).(*glBackend)
		defer b.Close()
		var jobs []*job
		for range beside {
			x, err := b.Load(host.Work{}, drift(1000, 1e9))
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			j, err := x.(*program).job(10, nil)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, j)
		}
		b.d.do(func() error {
			b.d.reset = func() uint32 { return gl.GUILTY_CONTEXT_RESET }
			b.d.runAll(jobs)
			return nil
		})
		for _, j := range jobs {
			var dev *DeviceError
			if !errors.As(j.err, &dev) || dev.Kind != Lost {
				t.Errorf("%d beside: %v, expected an error of kind %q", beside, j.err, Lost)
			}
		}
	}
}

// TestCompileBeside: the driver has all texts of a network before it is asked about the first, so that it may compile
// several at once; after that, and where one does not compile, none is left.
func TestCompileBeside(t *testing.T) {
	p := planOf(t, filepath.Join("..", "examples", "coba.star"), nil, nil)
	for _, inject := range []string{"", "compile"} {
		b := open(t, Options{NoSelfTest: true, NoCache: true, Inject: inject})
		defer b.Close()
		prog, err := b.Load(host.Work{}, p)
		if (err != nil) != (inject != "") {
			t.Fatal(err)
		}
		d := b.(*glBackend).d
		if err == nil {
			prog.Close()
		}
		if d.do(func() error { return nil }); d.most != 3 || d.handed != 0 || len(d.programs) != 0 {
			t.Errorf("%q: %d texts at once, %d of them and %d programs are left; expected 3, 0, 0", inject, d.most, d.handed, len(d.programs))
		}
	}
}

// TestCompileErrorNamesIR breaks a line that came from an instruction: the
// error quotes the line and the instruction.
func TestCompileErrorNamesIR(t *testing.T) {
	b := open(t, Options{NoSelfTest: true, NoCache: true})
	defer b.Close()
	p := drift(10, 1)
	l := arrange(p, cut(p, nil, 1, false), 1<<20, nil)
	k := l.mapKernels(nil, l.sc.segments[0], 64, 16)[0]
	d := b.(*glBackend).d
	err := d.do(func() error {
		_, err := d.compile("P update", strings.Replace(k.String(), "f0 + f1", "f0 + g1", 1), k.origin)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "from IR P update: 2 addf") {
		t.Errorf("%v, expected the instruction", err)
	}
}

// TestBadOptions: numbers that no device could follow are errors.
func TestBadOptions(t *testing.T) {
	for _, opt := range []Options{{WorkGroup: 33}, {Team: 3}, {Philox: 2}} {
		if b, err := Open(opt); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%+v: %v", opt, err)
			if err == nil {
				b.Close()
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := open(t, Options{NoSelfTest: true, MaxBlock: 1 << 10})
	defer b.Close()
	for part, plan := range map[string]*backend.Plan{"storage blocks": backendtest.Plastic(), "the synapses of one row": lif(300, 0, 1000)} {
		_, err := b.Load(host.Work{}, plan)
		var dev *DeviceError
		if !errors.As(err, &dev) || dev.Kind != TooLarge || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "--backend cpu") {
			t.Errorf("%v, expected an error of kind %q with %q", err, TooLarge, part)
		}
	}
}

// TestFaultInSpan traps in the middle of a span of fused steps: the step, the
// lane and the number of steps done are those of the reference. The lane is in
// the last piece of its array where blocks are small.
func TestFaultInSpan(t *testing.T) {
	for _, block := range []int64{0, 1 << 10} {
		b := open(t, Options{NoSelfTest: true, MaxBlock: block})
		defer b.Close()
		plan := drift(1500, 60)
		plan.Bufs[2].Init = make([]uint32, 1500)
		for k := range 1450 {
			plan.Bufs[2].Init[k] = f32(-100)
		}
		p, err := b.Load(host.Work{}, plan)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		done, err := p.Run(100, nil)
		var fault *backend.Fault
		if !errors.As(err, &fault) || done != 41 || fault.Step != 40 || fault.Item != 1450 {
			t.Errorf("blocks of %d bytes: %d steps and %v, expected a fault of item 1450 at step 40", block, done, err)
		}
		if err := p.Read(2, make([]uint32, 500)); err == nil {
			t.Error("state was read after a fault")
		}
	}
}
