//go:build egl && cgo && linux

package shaders

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// busy is n neurons that all fire at each step, with a record of spikes and a value of each, a sample at the steps whose host
// word is set, and a trap at the step that is given.
func busy(n, batch, trap int) *backend.Plan {
	p := &backend.Plan{Dt: 1e-4, Batch: batch, Host: 1}
	buf := func(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, ir.U32, 1), buf("due", backend.State, ir.U32, 2)
	v, words := buf("v", backend.State, ir.U32, n), (n+31)/32
	p.Events = []backend.Event{{Name: "spike", N: n, History: 3, Masks: buf("masks", backend.State, ir.U32, 3*words), Spike: true}}
	a := &assembler{}
	a.Name = "P update"
	x, bit := a.slot(ir.Array, ir.U32), a.slot(ir.Mask, ir.Bool)
	y := a.op(ir.AddI, ir.U32, a.op(ir.MulI, ir.U32, a.with(x, a.op(ir.Load, ir.U32)), a.with(3, a.op(ir.Const, ir.U32))), a.op(ir.Lane, ir.I32))
	a.with(x, a.op(ir.Store, ir.U32, y))
	a.with(bit, a.op(ir.StoreBit, ir.Bool, a.op(ir.EqI, ir.Bool, y, y)))
	a.op(ir.Trap, ir.Bool, a.op(ir.EqI, ir.Bool, a.op(ir.Step, ir.I32), a.with(uint32(trap), a.op(ir.Const, ir.I32))))
	a.Traps = 1
	room := 40 * n
	p.Stages = []backend.Stage{
		{Form: backend.FormMap, Name: a.Name, Flag: -1, N: n, Prog: &a.Prog, Bind: []backend.Binding{{Buf: v}, {Event: 0}}, Trap: []backend.Trap{{Object: "P", Name: "v", Why: "is there"}}},
		{Form: backend.FormSpikes, Name: "spikes", Flag: -1, Rec: backend.Rec{Count: buf("count", backend.Record, ir.U32, batch), Index: buf("index", backend.Record, ir.U32, room), Hi: n,
			Src: []backend.Binding{{Buf: v, Event: -1}}, Dst: []backend.BufID{buf("value", backend.Record, ir.U32, room)}}},
		{Form: backend.FormSample, Name: "sample", Flag: 0, Event: -1, Rec: backend.Rec{Count: buf("samples", backend.Record, ir.U32, batch), Index: backend.NoBuf, N: n,
			Src: []backend.Binding{{Buf: v, Event: -1}}, Dst: []backend.BufID{buf("sampled", backend.Record, ir.U32, room)}}},
	}
	return p
}

// TestStart: Runs that begin while the records of the last are read leave its records and state, whatever their
// lengths, where spikes or samples fill their room in the middle, and where one faults. Nothing but records can be reached meanwhile.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		name                string
		n, batch, trap, all int
	}{
		{"small", 70, 64, -1, 300},
		{"spikes fill their room", 300, 200, -1, 1000},
		{"a fault", 70, 64, 157, 158},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := busy(c.n, c.batch, c.trap)
			words := func(step, n int) []uint32 {
				out := make([]uint32, n)
				for k := range out {
					if (step+k)%5 < 2 {
						out[k] = 1
					}
				}
				return out
			}
			// records of all buffers, one after the other
			taken := func(prog backend.Program, made int) (out [][]uint32) {
				read := func(b backend.BufID, n int) []uint32 {
					w := make([]uint32, n)
					if err := prog.Read(b, w); err != nil {
						t.Fatal(err)
					}
					return w
				}
				for i := range p.Stages {
					r := &p.Stages[i].Rec
					if p.Stages[i].Form == backend.FormMap {
						continue
					}
					count, entries := read(r.Count, made), 0
					for _, k := range count {
						entries += int(k)
					}
					out = append(out, count)
					if r.Index != backend.NoBuf {
						out = append(out, read(r.Index, entries))
					} else {
						entries *= r.N
					}
					out = append(out, read(r.Dst[0], entries))
				}
				return out
			}
			run := func(prog backend.Program, ahead bool) (all [][]uint32, fault *backend.Fault) {
				for step, begun, k := 0, 0, 0; step < c.all; k++ {
					n := begun
					if n == 0 {
						n = min([]int{1, 7, c.batch, 33}[k%4], c.all-step)
					}
					made, err := prog.Run(n, words(step, n))
					if err != nil && !errors.As(err, &fault) {
						t.Fatal(err)
					}
					begun = 0
					if next := min([]int{c.batch, 2, 40}[k%3], c.all-step-made); ahead && next > 0 && fault == nil {
						begun = next
						if err := prog.(backend.Ahead).Start(next, words(step+made, next)); err != nil {
							t.Fatal(err)
						}
						for _, err := range []error{prog.Read(2, make([]uint32, c.n)), prog.Write(2, make([]uint32, c.n))} {
							if err == nil || !strings.Contains(err.Error(), "while a Run goes on") {
								t.Errorf("%v, expected that v cannot be reached", err)
							}
						}
					}
					for i, w := range taken(prog, made) {
						if i == len(all) {
							all = append(all, nil)
						}
						all[i] = append(all[i], w...)
					}
					if step += made; fault != nil {
						break
					}
				}
				return all, fault
			}
			one, err := ref.New().Load(host.Work{}, p)
			if err != nil {
				t.Fatal(err)
			}
			defer one.Close()
			want, fault := run(one, false)
			for _, opt := range []Options{{}, {Submit: 7}, {Span: 1, Movable: true}} {
				opt.NoSelfTest = true
				b := open(t, opt)
				two, err := b.Load(host.Work{}, p)
				if err != nil {
					t.Fatal(err)
				}
				got, f := run(two, true)
				if !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%+v: other records", opt)
				}
				if (f == nil) != (fault == nil) || f != nil && *f != *fault {
					t.Errorf("%+v: %v, expected %v", opt, f, fault)
				}
				if f == nil {
					equal(t, p, state(t, p, one), state(t, p, two))
					if err := two.(backend.Ahead).Start(3, words(0, 3)); err != nil { // Close waits for it
						t.Error(err)
					}
				}
				two.Close()
				b.Close()
			}
		})
	}
}

// TestInterrupted: a Run whose context has ended makes one submission more, and leaves the state of its end, alone and beside others.
func TestInterrupted(t *testing.T) {
	for _, opt := range []Options{{}, {Apart: true}} {
		for _, beside := range []int{1, 3} {
			for _, delays := range [][]float32{{1, 2, 5}, {6, 7, 11}} {
				opt.NoSelfTest, opt.Submit = true, 7
				b := open(t, opt).(*glBackend)
				ctx, cancel := context.WithCancel(context.Background())
				p := testNetwork(delays...)
				var all []*program
				for range beside {
					x, err := b.Beside().Load(host.Work{Ctx: ctx}, p)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, x.(*program))
				}
				cancel()
				one, err := ref.New().Load(host.Work{}, p)
				if err != nil {
					t.Fatal(err)
				}
				for range 3 {
					var jobs []*job
					for _, x := range all {
						j, err := x.job(20, nil)
						if err != nil {
							t.Fatal(err)
						}
						jobs = append(jobs, j)
					}
					b.d.do(func() error { b.d.runAll(jobs); return nil })
					made := 0
					for k, x := range all {
						n, err := x.adopt(jobs[k])
						if err != nil || n < 7 || n > 12 || k > 0 && n != made {
							t.Fatalf("%+v, delays %v, %d beside: %d steps (%v), expected 7, or a pass more", opt, delays, beside, n, err)
						}
						if made = n; k == 0 {
							one.Run(made, nil)
						}
						equal(t, p, state(t, p, one), state(t, p, x))
					}
				}
				for _, x := range all {
					x.Close()
				}
				one.Close()
				b.d.backends.Store(1)
				b.Close()
			}
		}
	}
}

// ending is a context that ends once it was asked so many times, and keeps what was done by then.
type ending struct {
	context.Context
	asked, after int64
	done         func() int64
	then         int64
}

func (c *ending) Err() error {
	n := atomic.AddInt64(&c.asked, 1)
	if n <= c.after {
		return nil
	}
	if n == c.after+1 {
		c.then = c.done()
	}
	return context.Canceled
}

// TestInterruptedLoad: wherever a Load is interrupted, the driver gets no further kernel to compile or to make ready, and
// what the Load had is given back.
func TestInterruptedLoad(t *testing.T) {
	p := testNetwork(1, 2, 5)
	b := open(t, Options{NoSelfTest: true, Apart: true}).(*glBackend)
	defer b.Close()
	kernels := func() int64 { return warmed.Load() + int64(len(b.d.programs)) }
	load := func(c *ending) (more int64, err error) { // on the thread of the context, so that nothing else asks
		c.Context, c.done = context.Background(), kernels
		b.d.do(func() error {
			prog := &program{d: b.d, work: host.Work{Ctx: c, Threads: 1}, plan: p, programs: map[string]uint32{}, masks: map[int][]uint32{}}
			before := kernels()
			err = prog.load()
			if more = kernels() - before; err != nil {
				more = kernels() - c.then
			}
			prog.free()
			return nil
		})
		return more, err
	}
	load(&ending{after: 1 << 60}) // what is counted once for a table is known from here on
	all := &ending{after: 1 << 60}
	if n, err := load(all); err != nil || n < 4 || all.asked < 6 {
		t.Fatalf("%d kernels compiled and made ready, asked %d times, %v", n, all.asked, err)
	}
	for after := range all.asked {
		if n, err := load(&ending{after: after}); !errors.Is(err, host.ErrInterrupted) || n != 0 {
			t.Errorf("interrupted after %d of %d: %v, %d kernels more", after, all.asked, err, n)
		}
	}
	if len(b.d.programs) != 0 || len(b.d.rows) != 0 || b.d.used != 0 {
		t.Errorf("%d programs, %d tables and %d bytes are left", len(b.d.programs), len(b.d.rows), b.d.used)
	}
}

// TestLeftToTheDriver: what a driver takes long for is left to it after an interruption, undone when it ends, and in nobody's way: a
// program is closed without waiting for it, another is loaded after it.
func TestLeftToTheDriver(t *testing.T) {
	for _, fails := range []error{nil, host.ErrInterrupted} {
		b := open(t, Options{NoSelfTest: true}).(*glBackend)
		p := testNetwork(6, 7)
		first, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		begun, release, undone := make(chan bool), make(chan bool), make(chan bool)
		go func() { <-begun; cancel() }()
		err = b.d.await(host.Work{Ctx: ctx}, func() error { close(begun); <-release; return fails }, func() { close(undone) })
		if !errors.Is(err, host.ErrInterrupted) {
			t.Fatal(err)
		}
		if _, err := b.Load(host.Work{Ctx: ctx}, p); !errors.Is(err, host.ErrInterrupted) {
			t.Fatal(err)
		}
		first.Close()
		close(release)
		<-undone
		second, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := second.Run(5, nil); n != 5 || err != nil {
			t.Error(n, err)
		}
		second.Close()
		if n := b.d.left.Load(); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
		b.Close()
		if err := b.d.do(func() error { return nil }); err == nil {
			t.Error("a closed device works")
		}
	}
}

// TestClosedAtWork: a backend that is closed while its driver is at something ends after it: who waits for that hears what came of it,
// and what nobody waits for is undone.
func TestClosedAtWork(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		b := open(t, Options{NoSelfTest: true}).(*glBackend)
		prog, err := b.Load(host.Work{}, testNetwork(6, 7))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		begun, release, undone, said := make(chan bool), make(chan bool), make(chan bool, 1), make(chan error)
		go func() {
			said <- b.d.await(host.Work{Ctx: ctx}, func() error { close(begun); <-release; return nil }, func() { undone <- true })
		}()
		<-begun
		if interrupted {
			if cancel(); !errors.Is(<-said, host.ErrInterrupted) {
				t.Error("it was not left to the driver")
			}
			prog.Close()
		}
		b.Close()
		close(release)
		if interrupted {
			<-undone
		} else if err := <-said; err != nil || len(undone) > 0 {
			t.Error(err, "of what was done")
		}
		cancel()
	}
}
