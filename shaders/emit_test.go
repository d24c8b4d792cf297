package shaders

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

var update = flag.Bool("update", false, "write the golden shaders anew")

func f32(x float32) uint32 { return math.Float32bits(x) }

// goldens are shaders whose text is kept: the self-test's operations, and the
// kernels of a small network.
func goldens() map[string]string {
	out := map[string]string{}
	for i, k := range operations() {
		out[fmt.Sprintf("operations%d.comp", i)] = k.String()
	}
	for _, ahead := range []bool{false, true} {
		p := smallNet()
		if ahead { // as rows that fire after one step
			p.Tables[0].MinDelay = 1
		}
		l := arrange(p, cut(p, nil, 8, ahead), 1<<20, nil)
		l.together = true
		all := l.sample(64, 32, 16, 2, 0)
		if ahead {
			out["pass.comp"] = all[0].String()
			l = arrange(p, cut(p, nil, 8, ahead), 1<<20, nil)
			l.together = true
			out["passes.comp"] = l.sample(64, 32, 16, 2, 1<<21)[0].String()
		} else {
			out["deliver.comp"], out["update.comp"] = all[0].String(), all[1].String()
		}
	}
	return out
}

func operations() []*kernel {
	p := testPlan(testCases())
	l := arrange(p, cut(p, nil, 1, false), 1<<24, nil)
	return l.mapKernels(nil, l.sc.segments[0], 64, 16)
}

// smallNet is two populations of one text, a table, a spike record and a sample.
func smallNet() *backend.Plan {
	p := &backend.Plan{Dt: 1e-4, Batch: 16}
	buf := func(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, ir.U32, 1), buf("due", backend.State, ir.U32, 2)
	acc := buf("acc", backend.Scratch, ir.I32, 8)
	p.Tables = []backend.Table{{Spec: &connect.Spec{Name: "C", NSrc: 8, NTgt: 8}, MinDelay: 2, MaxDelay: 3, Last: 1 << 40}}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormDeliver, Name: "deliver", Flag: -1, Count: 1, Acc: acc})
	for i := range 2 {
		v := buf(fmt.Sprintf("P%d.v", i), backend.State, ir.F32, 4)
		masks := buf(fmt.Sprintf("P%d.spikes", i), backend.State, ir.U32, 4)
		p.Events = append(p.Events, backend.Event{Name: "spike", N: 4, History: 4, Masks: masks, Spike: true})
		p.Tables[0].Sources = append(p.Tables[0].Sources, backend.Source{Event: i, Hi: 4, Row0: 4 * i})
		a := &assembler{}
		a.Name = "update"
		x, sum, bit := a.slot(ir.Array, ir.F32), a.slot(ir.Array, ir.I32), a.slot(ir.Mask, ir.Bool)
		w := a.op(ir.I2F, ir.F32, a.with(sum, a.op(ir.Load, ir.I32)))
		y := a.op(ir.AddF, ir.F32, a.op(ir.MulZ, ir.F32, a.with(x, a.op(ir.Load, ir.F32)), a.with(f32(0.9), a.op(ir.Const, ir.F32))), w)
		noise := a.op(ir.Rand, ir.U32, a.op(ir.Lane, ir.I32))
		fire := a.op(ir.AndB, ir.Bool, a.op(ir.LtF, ir.Bool, a.with(f32(1), a.op(ir.Const, ir.F32)), y), a.op(ir.LtU, ir.Bool, noise, a.with(1<<31, a.op(ir.Const, ir.U32))))
		a.with(bit, a.op(ir.StoreBit, ir.Bool, fire))
		a.with(x, a.op(ir.Store, ir.F32, a.op(ir.Canon, ir.F32, a.op(ir.Sel, ir.F32, fire, a.with(0, a.op(ir.Const, ir.F32)), y))))
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: 4, Prog: &a.Prog,
			Bind: []backend.Binding{{Buf: v}, {Buf: acc, Off: 4 * i}, {Event: i}}})
		count, index, dst := buf("count", backend.Record, ir.U32, 16), buf("index", backend.Record, ir.U32, 64), buf("dst", backend.Record, ir.F32, 64)
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormSpikes, Name: "record", Flag: -1, Event: i,
			Rec: backend.Rec{Count: count, Index: index, Hi: 4, Src: []backend.Binding{{Buf: v}}, Dst: []backend.BufID{dst}}})
		count, dst = buf("samples", backend.Record, ir.U32, 16), buf("values", backend.Record, ir.F32, 64)
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormSample, Name: "sample", Flag: -1,
			Rec: backend.Rec{Count: count, N: 4, Src: []backend.Binding{{Buf: v}}, Dst: []backend.BufID{dst}}})
	}
	return p
}

// TestGolden compares the text of shaders with what is kept in testdata, so
// that a change of the emitter shows as a change of shaders. -update writes them.
func TestGolden(t *testing.T) {
	for name, text := range goldens() {
		file := filepath.Join("testdata", name)
		if *update {
			os.MkdirAll("testdata", 0o755)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != text {
			t.Errorf("%s differs from what is kept; look at the difference, then run go test -update", file)
		}
	}
}

// TestNothingLoose looks for what drivers compute as they like: built-in
// functions of loose precision, float division, decimal literals, floats that
// are not precise.
func TestNothingLoose(t *testing.T) {
	loose := regexp.MustCompile(`\b(exp|exp2|log|log2|pow|sqrt|inversesqrt|sin|cos|tan|asin|acos|atan|sinh|cosh|tanh|mix|dot|fma|min|max|clamp|mod|fract|abs|sign|step|smoothstep|length|normalize|round|roundEven|trunc|ceil|double|half)\s*\(`)
	decimal := regexp.MustCompile(`\b\d+\.\d*[1-9]`)
	for name, text := range goldens() {
		for n, line := range strings.Split(text, "\n") {
			code, _, _ := strings.Cut(line, "//")
			if m := loose.FindString(code); m != "" {
				t.Errorf("%s:%d: %s in %q", name, n+1, m, line)
			}
			if decimal.MatchString(code) {
				t.Errorf("%s:%d: a decimal literal in %q", name, n+1, line)
			}
			if i := strings.Index(code, "float "); i >= 0 && !strings.Contains(code, "precise float ") && !strings.Contains(code, "truncated(float x)") {
				t.Errorf("%s:%d: a float that is not precise in %q", name, n+1, line)
			}
			if strings.Contains(code, "/") && strings.Contains(code, "float") {
				t.Errorf("%s:%d: a division beside floats in %q", name, n+1, line)
			}
		}
	}
}

// TestOneText says that populations of the same equations share a function.
func TestOneText(t *testing.T) {
	text := goldens()["update.comp"]
	if n := strings.Count(text, "void body"); n != 1 {
		t.Errorf("%d functions for two populations of the same equations:\n%s", n, text)
	}
	p := smallNet()
	if sc := cut(p, nil, 8, false); sc.span != 2 || len(sc.segments) != 2 {
		t.Errorf("%d dispatches for %d steps, expected 2 for 2", len(sc.segments), sc.span)
	}
}

func TestLogLine(t *testing.T) {
	for log, want := range map[string]int{
		"0:12(3): error: syntax error": 12, "0(45) : error C0000: syntax error": 45, "ERROR: 0:7: 'x' : undeclared": 7, "no line": 0,
	} {
		if got := logLine(log); got != want {
			t.Errorf("%q names line %d, expected %d", log, got, want)
		}
	}
}

// TestTextIsNoCopy: a kernel's text may be written to after its head was put in
// front. A strings.Builder that was moved panics then; one that lay on a stack
// and was copied into the heap had Go's collector stop the program now and then
// ("found pointer to free object").
func TestTextIsNoCopy(t *testing.T) {
	for _, k := range operations() {
		k.line("// more")
		if !strings.HasSuffix(k.String(), "// more\n") {
			t.Error("a line was lost")
		}
	}
	p := smallNet()
	l := arrange(p, cut(p, nil, 8, false), 1<<20, nil)
	k := l.sample(64, 32, 16, 2, 0)[0]
	k.line("// more")
}
