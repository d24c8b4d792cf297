package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// Mark is what stands for a run when Step steps are done.
type Mark struct {
	Step    int64
	State   [32]byte // digest of the canonical state
	Records uint64   // of all that was recorded until then
}

// Trace is what a watched run showed.
type Trace struct {
	Device   string
	Steps    int64
	Marks    []Mark
	Words    int64 // of state, in all marks
	Recorded int64 // words of records

	Sum      uint64 // of all that was recorded
	open     bool   // the last mark waits for the records of its run
	Injected bool
	Names    []string // of State buffers with their lengths, for a wrong --inject
	Sizes    []int64  // words of state of each plan that was loaded, one for each run()
	Snap     *Snapshot
}

// settle gives the last mark the records of the run that it ended.
func (t *Trace) settle() {
	if t.open {
		t.Marks[len(t.Marks)-1].Records = t.Sum
		t.open = false
	}
}

func (t *Trace) noInjection(in *Injection) error {
	for _, n := range t.Names {
		if name, size, _ := strings.Cut(n, "\x00"); in.names(name) {
			if in.Step >= t.Steps {
				return fmt.Errorf("step %d is not reached: the model makes %d", in.Step, t.Steps)
			}
			return fmt.Errorf("%s has no word %d: it has %s", name, in.Index, size)
		}
	}
	var list []string
	for _, n := range t.Names {
		name, size, _ := strings.Cut(n, "\x00")
		list = append(list, name+" ("+size+")")
	}
	return fmt.Errorf("there is no state %q; there are %s", in.Buffer, strings.Join(list, ", "))
}

// Look says at which steps a watched run is cut and what is kept there.
type Look struct {
	Every int64   // marks at its multiples; 0: none
	At    []int64 // more marks
	Keep  int64   // the state before and after the step that ends here, whole; 0: none
}

// next is the first step after s at which the run is cut.
func (l *Look) next(s int64) int64 {
	n := int64(1) << 62
	if l.Every > 0 {
		n = (s/l.Every + 1) * l.Every
	}
	for _, a := range append([]int64{l.Keep - 1, l.Keep}, l.At...) {
		if a > s {
			n = min(n, a)
		}
	}
	return n
}

// watch is a backend that passes everything on and looks at what comes back.
type watch struct {
	backend.Backend
	look   Look
	inject *Injection
	trace  *Trace
}

// Load implements backend.Backend.
func (w *watch) Load(set host.Work, p *backend.Plan) (backend.Program, error) {
	prog, err := w.Backend.Load(set, p)
	if err != nil {
		return nil, err
	}
	w.trace.Names = w.trace.Names[:0]
	size := int64(0)
	for i := range p.Bufs {
		if b := &p.Bufs[i]; b.Kind == backend.State && b.Len > 0 {
			w.trace.Names = append(w.trace.Names, fmt.Sprintf("%s\x00%d words", b.Name, b.Len))
			size += int64(b.Len)
		}
	}
	w.trace.Sizes = append(w.trace.Sizes, size)
	return &watched{Program: prog, w: w, plan: p, records: recordsOf(p), counts: map[int][]uint32{}}, nil
}

// Any implements backend.Ranked: a backend that is alone asks nobody.
func (w *watch) Any(yes bool) bool {
	if r, several := w.Backend.(backend.Ranked); several {
		return r.Any(yes)
	}
	return yes
}

// watched is a program of a watched backend.
type watched struct {
	backend.Program
	w       *watch
	plan    *backend.Plan
	records map[backend.BufID]part
	counts  map[int][]uint32 // of each stage, of the last Run
	base    int64            // step at which the last Run began
	buf     []uint32
}

// part is the place of a Record buffer: the stage that fills it, and as what.
type part struct {
	Stage, Role int // role 0: counts, 1: index, 2...: values
}

func recordsOf(p *backend.Plan) map[backend.BufID]part {
	m := map[backend.BufID]part{}
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Form != backend.FormSample && s.Form != backend.FormSpikes {
			continue
		}
		m[s.Rec.Count] = part{i, 0}
		if s.Form == backend.FormSpikes {
			m[s.Rec.Index] = part{i, 1}
		}
		for k, d := range s.Rec.Dst {
			m[d] = part{i, 2 + k}
		}
	}
	return m
}

// Run implements backend.Program: it ends early where the look asks for it.
func (x *watched) Run(n int, host []uint32) (int, error) {
	t := x.w.trace
	t.settle()
	x.base = t.Steps
	clear(x.counts)
	keep := x.w.look.Keep
	if keep > 0 && t.Steps == keep-1 {
		pre, err := States(x.Program, x.plan)
		if err != nil {
			return 0, err
		}
		t.Snap = &Snapshot{plan: x.plan, Pre: pre, Records: map[part][]uint32{}}
	}
	stop := x.w.look.next(t.Steps)
	done, err := x.Program.Run(int(min(int64(n), stop-t.Steps)), host)
	t.Steps += int64(done)
	if err != nil || done == 0 {
		return done, err
	}
	if in := x.w.inject; in != nil && t.Steps == in.Step+1 && !t.Injected {
		if err := x.flip(in); err != nil {
			return done, err
		}
	}
	if t.Steps != stop {
		return done, nil
	}
	if keep > 0 && t.Steps == keep {
		t.Snap.Host = slices.Clone(host[(done-1)*x.plan.Host : done*x.plan.Host])
		if t.Snap.Post, err = States(x.Program, x.plan); err != nil {
			return done, err
		}
	}
	m := Mark{Step: t.Steps}
	if m.State, err = x.digest(); err != nil {
		return done, err
	}
	t.Marks = append(t.Marks, m)
	t.open = true
	return done, nil
}

// flip changes the lowest bit of a word.
func (x *watched) flip(in *Injection) error {
	for i := range x.plan.Bufs {
		b := &x.plan.Bufs[i]
		if b.Kind != backend.State || !in.names(b.Name) || in.Index < 0 || in.Index >= b.Len {
			continue
		}
		words := make([]uint32, b.Len)
		if err := x.Program.Read(backend.BufID(i), words); err != nil {
			return err
		}
		words[in.Index] ^= 1
		x.w.trace.Injected = true
		return x.Program.Write(backend.BufID(i), words)
	}
	return nil // told when the run has ended
}

// digest hashes the canonical state.
func (x *watched) digest() (sum [32]byte, err error) {
	h := sha256.New()
	var bytes [4096]byte
	for i := range x.plan.Bufs {
		b := &x.plan.Bufs[i]
		if b.Kind != backend.State || b.Len == 0 {
			continue
		}
		x.buf = slices.Grow(x.buf[:0], b.Len)[:b.Len]
		if err := x.Program.Read(backend.BufID(i), x.buf); err != nil {
			return sum, err
		}
		x.w.trace.Words += int64(b.Len)
		for c := range slices.Chunk(x.buf, len(bytes)/4) {
			for k, w := range c {
				binary.LittleEndian.PutUint32(bytes[4*k:], w)
			}
			h.Write(bytes[:4*len(c)])
		}
	}
	h.Sum(sum[:0])
	return sum, nil
}

// Read implements backend.Program; records that pass by are taken into the
// trace, whatever the lengths of the runs that they came in.
func (x *watched) Read(b backend.BufID, dst []uint32) error {
	if err := x.Program.Read(b, dst); err != nil {
		return err
	}
	p, ok := x.records[b]
	if !ok {
		return nil
	}
	t := x.w.trace
	t.Recorded += int64(len(dst))
	if p.Role == 0 {
		x.counts[p.Stage] = slices.Clone(dst)
		for k, c := range dst {
			t.Sum += mix(uint64(x.base)+uint64(k), uint64(p.Stage)<<32, uint64(c))
			x.keep(p, x.base+int64(k), dst[k:k+1])
		}
		return nil
	}
	width := 1
	if s := &x.plan.Stages[p.Stage]; s.Form == backend.FormSample {
		width = s.Rec.Width()
	}
	at := 0
	for k, c := range x.counts[p.Stage] {
		list := dst[at:min(at+int(c)*width, len(dst))]
		at += len(list)
		for q, w := range list {
			t.Sum += mix(uint64(x.base)+uint64(k), uint64(p.Stage)<<32|uint64(p.Role), uint64(q)<<32|uint64(w))
		}
		x.keep(p, x.base+int64(k), list)
	}
	return nil
}

// keep stores the records of the step that is kept whole.
func (x *watched) keep(p part, step int64, words []uint32) {
	if s := x.w.trace.Snap; s != nil && step == x.w.look.Keep-1 {
		s.Records[p] = slices.Clone(words)
	}
}

// Profile implements backend.Profiler where the backend does.
func (x *watched) Profile() []backend.Phase {
	if p, ok := x.Program.(backend.Profiler); ok {
		return p.Profile()
	}
	return nil
}

// States reads the canonical state: the words of each State buffer of the plan.
func States(prog backend.Program, p *backend.Plan) ([][]uint32, error) {
	out := make([][]uint32, len(p.Bufs))
	for i := range p.Bufs {
		if p.Bufs[i].Kind != backend.State {
			continue
		}
		out[i] = make([]uint32, p.Bufs[i].Len)
		if p.Bufs[i].Len > 0 {
			if err := prog.Read(backend.BufID(i), out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// mix is splitmix64's finaliser over three words.
func mix(words ...uint64) uint64 {
	h := uint64(0)
	for _, x := range words {
		h += x + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}
