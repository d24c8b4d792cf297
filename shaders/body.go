package shaders

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// bodyWriter prints one body.
type bodyWriter struct {
	t      text
	k      *kernel
	l      *layout
	b      *body
	params []uint32
	keys   map[string]int
	regs   []*register
	events []*eventRegister
	lo, hi int      // lanes
	draws  []drawOf // random words made for the whole work group

	constants []uint32 // that stand in the text as marks
	near      int      // rows that a lane names for delivery after one step
	group     int
	always    bool
}

// drawOf names a random word of each lane.
type drawOf struct{ draw, stream uint32 }

// register holds a word of each lane while the body runs, or of lanes lo to hi-1
// where only a part of the population has it.
type register struct {
	buf            backend.BufID
	off            int // word of lane 0; negative where lo is not 0
	lo, hi         int
	stored, loaded bool // loaded: its first use needs what memory holds
	seen           bool
}

// eventRegister holds the bit of each lane.
type eventRegister struct {
	event                int
	stored, loaded, seen bool
}

// constant is a word that may differ between bodies of the same text.
func (w *bodyWriter) constant(word uint32) string {
	w.constants = append(w.constants, word)
	return constantMark(len(w.constants) - 1)
}

// param names a word of P that differs between bodies of the same text; the
// body reads it once, into a variable.
func (w *bodyWriter) param(key string, value int) string {
	i, ok := w.keys[key]
	if !ok {
		i = len(w.params)
		w.keys[key] = i
		w.params = append(w.params, uint32(value))
	}
	return fmt.Sprintf("x%d", i)
}

// word is word index of region r.
func (w *bodyWriter) word(key string, r region, index string) cell {
	return cell{w.k, r, fmt.Sprintf("%s + %s", w.param(fmt.Sprintf("%s %d", key, r.off), r.off), index)}
}

func (w *bodyWriter) reg(b backend.BufID, off int) int {
	for i, r := range w.regs {
		if r.buf == b && r.off == off {
			return i
		}
	}
	w.regs = append(w.regs, &register{buf: b, off: off})
	return len(w.regs) - 1
}

func (w *bodyWriter) event(e int) int {
	for i, r := range w.events {
		if r.event == e {
			return i
		}
	}
	w.events = append(w.events, &eventRegister{event: e})
	return len(w.events) - 1
}

// survey finds the registers and which of them must be loaded or stored.
func (w *bodyWriter) survey() {
	use := func(stage int, b backend.Binding, store bool) {
		r := w.regs[w.slot(stage, b)]
		n, _ := lanes(w.l.plan, stage)
		lo := w.l.sc.first[stage]
		sure := store && w.l.plan.Stages[stage].Flag < 0 && n == w.b.n
		r.loaded = r.loaded || !r.seen && !sure
		if !r.seen {
			r.lo, r.hi = lo, lo+n
		}
		r.lo, r.hi = min(r.lo, lo), max(r.hi, lo+n)
		r.stored, r.seen = r.stored || store, true
	}
	bit := func(e int, store bool) {
		r := w.events[w.event(e)]
		r.loaded = r.loaded || !r.seen && !store
		r.stored, r.seen = r.stored || store, true
	}
	for _, i := range w.b.stages {
		s := &w.l.plan.Stages[i]
		switch s.Form {
		case backend.FormMap:
			for _, in := range s.Prog.Ins {
				switch in.Op {
				case ir.Load, ir.Store:
					use(i, s.Bind[in.Imm], in.Op == ir.Store)
				case ir.Bit, ir.StoreBit:
					bit(s.Bind[in.Imm].Event, in.Op == ir.StoreBit)
				case ir.Rand:
					d := drawOf{in.Aux, in.Imm}
					if s.Prog.Ins[in.A].Op == ir.Lane && s.Flag < 0 && w.l.sc.first[i] == 0 && w.l.together && !slices.Contains(w.draws, d) && len(w.draws) < mostDraws {
						w.draws = append(w.draws, d)
					}
				}
			}
		case backend.FormSpikes:
			bit(s.Event, false)
			fallthrough
		case backend.FormSample:
			for _, src := range s.Rec.Src {
				use(i, src, false)
			}
		}
	}
	for _, r := range w.events {
		r.loaded = r.loaded || !w.l.sole(r.event, w.b)
	}
}

// sole says that no stage but those of b sets bits of event e.
func (l *layout) sole(e int, b *body) bool {
	for i := range l.plan.Stages {
		s := &l.plan.Stages[i]
		if s.Form == backend.FormInject && s.Event == e {
			return false
		}
		if s.Prog == nil || slices.Contains(b.stages, i) {
			continue
		}
		for _, in := range s.Prog.Ins {
			if in.Op == ir.StoreBit && s.Bind[in.Imm].Event == e {
				return false
			}
		}
	}
	return true
}

// mostDraws bounds the shared memory of random words: 8 words a lane are 8 KiB
// for work groups of 256. Further words are made by each lane for itself.
const mostDraws = 8

// write prints the body: load, for each step the stages, store. Lanes beyond
// the last take part in what the work group makes together, and in nothing else.
func (w *bodyWriter) write() {
	t := &w.t
	t.depth = 1
	if w.hi-w.lo < w.b.n {
		t.line("lane += %s;", w.param("first", w.lo))
	}
	if w.b.clear != backend.NoBuf || w.b.gather {
		t.line("if (lane >= %s) return;", w.param("n", w.hi))
	}
	if w.b.clear != backend.NoBuf {
		w.always = true
		t.line("%s", w.word("clear", w.own(w.l.bufs[w.b.clear], 0), "lane").set("0u"))
		return
	}
	if w.b.gather {
		t.line("for (uint k = 0u; k < K; k++) {")
		t.line("uint s = S + k;")
		w.gather(w.b.stages[0])
		t.line("}")
		return
	}
	w.survey()
	if len(w.draws) == 0 {
		t.line("if (lane >= %s) return;", w.param("n", w.hi))
	}
	for i, r := range w.regs {
		switch {
		case !w.persists(r):
		case !r.loaded:
			t.line("uint r%d = 0u;", i)
		case len(w.draws) > 0 && w.among(r) == "":
			t.line("uint r%d = 0u; if (lane < %s) r%d = %s;", i, w.param("n", w.hi), i, w.regWord(i).get())
		case w.among(r) != "":
			t.line("uint r%d = 0u; %sr%d = %s;", i, w.among(r), i, w.regWord(i).get())
		default:
			t.line("uint r%d = %s;", i, w.regWord(i).get())
		}
	}
	t.line("for (uint k = 0u; k < K; k++) {")
	t.line("uint s = S + k, step = P[%d] + s;", parStep)
	if len(w.draws) > 0 {
		w.makeWords()
		t.line("if (lane < %s) {", w.param("n", w.hi))
	}
	w.oneStep()
	if len(w.draws) > 0 {
		t.line("}")
		t.line("groupMemoryBarrier(); barrier();")
	}
	t.line("}")
	if len(w.draws) > 0 {
		t.line("if (lane >= %s) return;", w.param("n", w.hi))
	}
	for i, r := range w.regs {
		if w.persists(r) && r.stored {
			t.line("%s%s", w.among(r), w.regWord(i).set(fmt.Sprintf("r%d", i)))
		}
	}
	for i, e := range w.events {
		w.zeroAhead(i, e)
	}
}

// makeWords calls Philox once for each four neighbours and draw, the calls
// spread over the lanes of the work group.
func (w *bodyWriter) makeWords() {
	draw, stream := "", ""
	for i, d := range w.draws {
		if i == len(w.draws)-1 {
			draw, stream = draw+w.constant(d.draw), stream+w.constant(d.stream)
			break
		}
		draw += fmt.Sprintf("d == %du ? %s : ", i, w.constant(d.draw))
		stream += fmt.Sprintf("d == %du ? %s : ", i, w.constant(d.stream))
	}
	quads := w.group / 4
	w.t.line("for (uint i = gl_LocalInvocationID.x; i < %du; i += %du) {", quads*len(w.draws), w.group)
	w.t.line("uint d = i / %du, quad = i %% %du;", quads, quads)
	w.t.line("uvec4 c = block((lane - gl_LocalInvocationID.x) / 4u + quad, step, %s, %s);", draw, stream)
	w.t.line("words[4u * i] = c.x; words[4u * i + 1u] = c.y; words[4u * i + 2u] = c.z; words[4u * i + 3u] = c.w;")
	w.t.line("}")
	w.t.line("groupMemoryBarrier(); barrier();")
}

// oneStep prints the stages of one step between their loads and stores.
func (w *bodyWriter) oneStep() {
	t := &w.t
	for i, r := range w.regs {
		switch use, scratch := w.l.sc.scratch[r.buf]; {
		case w.persists(r):
		case scratch && use == taken:
			w.always = true // zeroed, even where no stage runs that would look
			t.line("uint t%d = (step & P[%d]) * %s + lane;", i, parSlots, w.param(fmt.Sprintf("stride %d", r.buf), w.l.plan.Bufs[r.buf].Len))
			if among := w.among(r); among != "" {
				t.line("uint r%d = 0u; %sr%d = %s;", i, among, i, w.regWord(i).get())
				t.line("uint q%d = r%d;", i, i)
			} else {
				t.line("uint r%d = %s, q%d = r%d;", i, w.regWord(i).get(), i, i)
			}
		default:
			t.line("uint r%d = 0u;", i)
		}
	}
	for i, e := range w.events {
		t.line("uint w%d = step & %s;", i, w.param(fmt.Sprintf("ring %d", e.event), w.l.events[e.event].rows-1))
		if e.loaded {
			t.line("bool e%d = (%s >> (lane & 31u) & 1u) != 0u, d%d = e%d;", i, w.maskWord(i).get(), i, i)
		} else {
			t.line("bool e%d = false;", i)
		}
	}
	for _, i := range w.b.stages {
		w.stage(i)
	}
	for i, r := range w.regs {
		if use, scratch := w.l.sc.scratch[r.buf]; scratch && use == taken {
			t.line("if (q%d != 0u) %s", i, w.regWord(i).set("0u"))
		}
	}
	for i := range w.events {
		w.keepEvent(i)
	}
}

// persists says that a register lives from step to step: all but scratch in
// registers or taken.
func (w *bodyWriter) persists(r *register) bool {
	use, scratch := w.l.sc.scratch[r.buf]
	return !scratch || use == inMemory
}

func (w *bodyWriter) regWord(i int) cell {
	r := w.regs[i]
	at, index := w.own(w.l.bufs[r.buf], r.off), "lane"
	if !w.persists(r) { // a copy for each step
		at, index = w.l.bufs[r.buf].from(r.off), fmt.Sprintf("t%d", i)
	}
	return w.word(fmt.Sprintf("buf %d", r.buf), at, index)
}

// own is an array from word off on, of which lanes touch their own word.
func (w *bodyWriter) own(r region, off int) region {
	return r.part(max(off+w.lo, 0), min(off+w.hi, r.words)).from(off)
}

// slot is the register of what stage i binds by lane.
func (w *bodyWriter) slot(i int, b backend.Binding) int { return w.reg(b.Buf, b.Off-w.l.sc.first[i]) }

// among is the beginning of a statement for the lanes that have register r, "" where all do.
func (w *bodyWriter) among(r *register) string {
	if r.lo == 0 && r.hi == w.b.n {
		return ""
	}
	return fmt.Sprintf("if (lane - %s < %s) ", w.param(fmt.Sprintf("from %d %d", r.buf, r.off), r.lo), w.param(fmt.Sprintf("lanes %d %d", r.buf, r.off), r.hi-r.lo))
}

// laneOf is the item of stage i that a lane is.
func (w *bodyWriter) laneOf(i int) string {
	if first := w.l.sc.first[i]; first != 0 {
		return fmt.Sprintf("(lane - %s)", w.param(fmt.Sprintf("first of %d", i), first))
	}
	return "lane"
}

// maskWord is the mask word of the lane in ring row w<i>.
func (w *bodyWriter) maskWord(i int) cell {
	e := w.events[i].event
	return w.word(fmt.Sprintf("masks %d", e), w.l.events[e].masks, fmt.Sprintf("w%d * %s + (lane >> 5)", i, w.param(fmt.Sprintf("words %d", e), w.l.plan.Events[e].Words())))
}

// keepEvent sets the bits of this step in memory, and lists the rows of tables that fire.
func (w *bodyWriter) keepEvent(i int) {
	e := w.events[i]
	x := &w.l.events[e.event]
	switch {
	case !e.stored:
		return
	case e.loaded:
		w.t.line("if (e%d != d%d) %s;", i, i, w.maskWord(i).atomic("Xor", "1u << (lane & 31u)"))
	default:
		w.t.line("if (e%d) %s;", i, w.maskWord(i).atomic("Or", "1u << (lane & 31u)"))
	}
	if !x.listed() {
		return
	}
	for t := range w.l.plan.Tables {
		if w.l.tables[t].cap == 0 {
			continue
		}
		for n, src := range w.l.plan.Tables[t].Sources {
			if src.Event == e.event {
				w.list(i, t, n)
			}
		}
	}
}

// list puts the lanes of event register i that are among source n of table t on its list.
func (w *bodyWriter) list(i, t, n int) {
	x, src := &w.l.tables[t], &w.l.plan.Tables[t].Sources[n]
	key := func(what string, value int) string { return w.param(fmt.Sprintf("%s %d %d", what, t, n), value) }
	among := ""
	if src.Lo > 0 || src.Hi < w.l.plan.Events[src.Event].N {
		among = fmt.Sprintf(" && lane - %s < %s", key("source from", src.Lo), key("source of", src.Hi-src.Lo))
	}
	w.t.line("if (e%d%s) {", i, among)
	w.t.line("uint row = lane + %s, w = step & %s, size = %s;", key("row", src.Row0-src.Lo), key("list ring", x.rows-1), key("cap", x.cap))
	count := w.word(fmt.Sprintf("counts of %d", t), x.counts, "w")
	put := func(entry string) string {
		return fmt.Sprintf("if (q < size) %s", w.word(fmt.Sprintf("list of %d", t), x.list, "w * size + q").set(entry))
	}
	if x.bits == 0 {
		w.t.line("uint q = %s;", count.atomic("Add", "1u"))
		w.t.line("%s", put("row"))
	} else { // each cut of the row that is not empty
		pieces := w.word(fmt.Sprintf("cuts of %d", t), x.cutsOf, "row * tiles + tile").get()
		w.t.line("uint tiles = %s, cuts = 0u;", key("tiles", x.tiles))
		w.t.line("for (uint tile = 0u; tile < tiles; tile++) cuts += %s;", pieces)
		w.t.line("uint q = %s;", count.atomic("Add", "cuts"))
		w.t.line("for (uint tile = 0u; tile < tiles; tile++) {")
		w.t.line("uint all = %s;", pieces)
		w.t.line("for (uint piece = 0u; piece < all; piece++, q++) {")
		w.t.line("%s", put(fmt.Sprintf("row << %s | (tile * %s + piece)", key("bits", x.bits), key("pieces", x.pieces))))
		w.t.line("}")
		w.t.line("}")
	}
	near := 0
	for _, walk := range w.k.walks {
		if walk.near() && w.l.plan.Stages[walk.stage].Table == t {
			w.t.line("uint z%d = 2u * atomicAdd(near[0], 1u);", near)
			w.t.line("near[z%d + 1u] = %s;", near, key(fmt.Sprintf("near %d", near), walk.number))
			w.t.line("near[z%d + 2u] = row;", near)
			near++
		}
	}
	w.near += near
	w.t.line("}")
}

// zeroAhead zeroes the rows of the steps of the next pass, and the lists that this event is on; others may do so too.
func (w *bodyWriter) zeroAhead(i int, e *eventRegister) {
	x := &w.l.events[e.event]
	if !e.stored {
		return
	}
	w.always = true
	if x.injected {
		return // the host sets the rows of a whole batch
	}
	w.t.line("if ((lane & 31u) == 0u) {")
	w.t.line("for (uint k = 0u; k < P[%d]; k++) {", parSpan)
	w.t.line("uint step = P[%d] + S + K + k, w%d = step & %s;", parStep, i, w.param(fmt.Sprintf("ring %d", e.event), 0))
	w.t.line("%s", w.maskWord(i).set("0u"))
	for t := range w.l.tables {
		lists := &w.l.tables[t]
		n := slices.IndexFunc(w.l.plan.Tables[t].Sources, func(s backend.Source) bool { return s.Event == e.event })
		if n < 0 || lists.cap == 0 || !x.listed() {
			continue
		}
		ring := w.param(fmt.Sprintf("list ring %d %d", t, n), lists.rows-1)
		w.t.line("if (lane == 0u) %s", w.word(fmt.Sprintf("counts of %d", t), lists.counts, "(step & "+ring+")").set("0u"))
	}
	w.t.line("}")
	w.t.line("}")
}

func (w *bodyWriter) hostWord(n int) string {
	return fmt.Sprintf("P[P[%d] + s * %s + %s]", parHost, w.param("hostN", w.l.hostN), w.param(fmt.Sprintf("host %d", n), n))
}

// stage prints one stage in a scope of its own, for its lanes.
func (w *bodyWriter) stage(i int) {
	s := &w.l.plan.Stages[i]
	var when []string
	if s.Flag >= 0 {
		when = append(when, w.hostWord(s.Flag)+" != 0u")
	} else {
		w.always = true
	}
	if n, _ := lanes(w.l.plan, i); n < w.b.n {
		when = append(when, fmt.Sprintf("%s < %s", w.laneOf(i), w.param(fmt.Sprintf("lanes of %d", i), n)))
	}
	if when != nil {
		w.t.line("if (%s) {", strings.Join(when, " && "))
	} else {
		w.t.line("{")
	}
	switch s.Form {
	case backend.FormMap:
		emit(&w.t, s.Prog, w.memory(i))
	case backend.FormSpikes:
		w.spikes(i)
	case backend.FormSample:
		w.sample(i)
	}
	w.t.line("}")
}

// memory is how the program of Map stage i reaches its slots.
func (w *bodyWriter) memory(i int) *memory {
	s := &w.l.plan.Stages[i]
	return &memory{
		lane: w.laneOf(i), step: "step",
		host:  func(n uint32) string { return w.hostWord(int(n)) },
		load:  func(slot uint32) string { return fmt.Sprintf("r%d", w.slot(i, s.Bind[slot])) },
		store: func(slot uint32, word string) string { return fmt.Sprintf("r%d = %s;", w.slot(i, s.Bind[slot]), word) },
		rand: func(draw, stream uint32) string {
			if at := slices.Index(w.draws, drawOf{draw, stream}); at >= 0 && w.l.sc.first[i] == 0 {
				return fmt.Sprintf("words[%du + gl_LocalInvocationID.x]", at*w.group)
			}
			return fmt.Sprintf("philox(%s, step, %s, %s)", w.laneOf(i), w.constant(draw), w.constant(stream))
		},
		word: w.constant,
		at: func(slot uint32, index string) cell {
			b := s.Bind[slot]
			return w.word(fmt.Sprintf("buf %d", b.Buf), w.l.bufs[b.Buf].from(b.Off), index)
		},
		bit: func(slot uint32) string { return fmt.Sprintf("e%d", w.event(s.Bind[slot].Event)) },
		setBit: func(slot uint32, cond string) string {
			return fmt.Sprintf("e%d = %s;", w.event(s.Bind[slot].Event), cond)
		},
		trap: func(code uint32) string { return w.trap(i, int(code)) },
	}
}

func (w *bodyWriter) trap(stage, code int) string {
	at := w.param(fmt.Sprintf("trap %d %d", stage, code), w.l.faults+w.l.rank[[2]int{stage, code}])
	return fmt.Sprintf("atomicMin(C[k * %s + %s], %s); atomicMin(C[%d], s);", w.param("traps", len(w.l.traps)), at, w.laneOf(stage), ctlFault)
}

// spikes appends entries of a spike record and halts the run after this pass
// where the next one might not fit.
func (w *bodyWriter) spikes(i int) {
	s, r := &w.l.plan.Stages[i], &w.l.recs[i]
	n := s.Rec.Hi - s.Rec.Lo
	key := func(what string, value int) string { return w.param(fmt.Sprintf("%s %d", what, i), value) }
	w.t.line("if (e%d && lane - %s < %s) {", w.event(s.Event), key("lo", s.Rec.Lo), key("size", n))
	w.t.line("uint q = atomicAdd(C[%s], 1u), z = q * %du;", key("counter", r.counter), 2+len(s.Rec.Src))
	w.t.line("if (q < %s) {", key("room", r.room))
	put := func(k int, word string) {
		w.t.line("%s", w.word(fmt.Sprintf("entries %d", i), r.entries, fmt.Sprintf("z + %du", k)).set(word))
	}
	put(0, "s")
	put(1, "lane")
	for k, src := range s.Rec.Src {
		put(2+k, fmt.Sprintf("r%d", w.slot(i, src)))
	}
	w.t.line("}")
	w.t.line("if (q >= %s) atomicMin(C[%d], S + K);", key("left", max(r.room-n*w.l.sc.span, 0)), ctlHalt)
	w.t.line("}")
}

// sample writes the words of chosen lanes.
func (w *bodyWriter) sample(i int) {
	s, r := &w.l.plan.Stages[i], &w.l.recs[i]
	w.t.line("uint z = %s;", w.laneOf(i))
	if s.Rec.Items != nil {
		w.t.line("z = %s;", w.word(fmt.Sprintf("items %d", i), w.own(r.items, -w.l.sc.first[i]), "lane").get())
	}
	w.t.line("if (z != 0x%xu) {", unlisted)
	w.t.line("z += %s * %s;", w.hostWord(r.at), w.param(fmt.Sprintf("width %d", i), s.Rec.Width()))
	for k, src := range s.Rec.Src {
		w.t.line("%s", w.word(fmt.Sprintf("dst %d %d", i, k), r.dst[k], "z").set(fmt.Sprintf("r%d", w.slot(i, src))))
	}
	w.t.line("}")
}

// gather is a sample on its own, whose lanes are entries: in each step of a
// pass, since what nothing in its segment writes does not end a pass.
func (w *bodyWriter) gather(i int) {
	s, r := &w.l.plan.Stages[i], &w.l.recs[i]
	if s.Flag >= 0 {
		w.t.line("if (%s == 0u) continue;", w.hostWord(s.Flag))
	} else {
		w.always = true
	}
	w.t.line("uint item = %s;", w.word(fmt.Sprintf("items %d", i), r.items, "lane").get())
	w.t.line("uint z = lane + %s * %s;", w.hostWord(r.at), w.param(fmt.Sprintf("width %d", i), s.Rec.Width()))
	for k, src := range s.Rec.Src {
		from := w.word(fmt.Sprintf("buf %d", src.Buf), w.l.bufs[src.Buf].from(src.Off), "item")
		w.t.line("%s", w.word(fmt.Sprintf("dst %d %d", i, k), r.dst[k], "z").set(from.get()))
	}
}
