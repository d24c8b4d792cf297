package shaders

import (
	"math/bits"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// region is where an array of words lies: a range of one arena or, where it is
// larger than a block, pieces of a block each in successive arenas, the last of
// which it need not fill. All memory but the rows of synapses is in a few
// arenas, so that kernels need few bindings.
type region struct {
	arena, off, words int
	pieces            int // arenas that it lies in
	piece             int // words of all pieces but the last
}

var nowhere = region{arena: -1}

// part is the same array where only words lo to hi-1 are touched: their indices
// stay what they are, the arenas are those that they lie in. off may be
// negative then.
func (r region) part(lo, hi int) region {
	if r.pieces < 2 {
		return r
	}
	first := min(lo/r.piece, r.pieces-1)
	last := min((max(hi, lo+1)-1)/r.piece, r.pieces-1)
	return region{r.arena + first, r.off - first*r.piece, r.words, last - first + 1, r.piece}
}

// from is the array from word off on.
func (r region) from(off int) region {
	r.off += off
	return r
}

// arenas hands out regions, aligned to 256 bytes.
type arenas struct {
	used []int // words of each arena
	most int   // words of a block
}

func (a *arenas) place(words int) region {
	need := (words + 63) &^ 63
	if need > a.most {
		r := region{arena: len(a.used), words: words, piece: a.most}
		for ; need > 0; need -= a.most {
			a.used = append(a.used, min(need, a.most))
			r.pieces++
		}
		return r
	}
	for i := range a.used {
		if a.used[i]+need <= a.most {
			a.used[i] += need
			return region{i, a.used[i] - need, words, 1, a.most}
		}
	}
	a.used = append(a.used, need)
	return region{len(a.used) - 1, 0, words, 1, a.most}
}

// eventLayout is the memory of an event's masks: a ring of rows, that of step n being row n modulo their
// number, a power of two. There are more than the plan's History, so that the rows of steps to come can be
// zeroed ahead, and for an event that the host injects, those of a whole batch.
type eventLayout struct {
	rows     int
	masks    region
	injected bool // by the host, before a batch
	written  int  // stages that set its bits
}

// known says that the host alone sets the bits, so that those of a whole batch stand in memory when it begins.
func (x *eventLayout) known() bool { return x.written == 0 }

// listed says that one stage alone sets the bits, which can list the neurons as it does.
func (x *eventLayout) listed() bool { return x.written == 1 && !x.injected }

// tableLayout is the lists of a table's rows that fired, one for each step, in no order, for
// delivery and effects to walk: a ring as that of masks. Where there are more than cap, or none was
// made (count is unlisted), the walk reads masks.
type tableLayout struct {
	rows         int
	cap          int // entries of a list; 0: there are none
	counts, list region
	sets         []sourceSet

	// Entries are rows, or with bits above 0, row << bits | cut for each cut of the row that is not empty.
	bits   int
	tiles  int
	pieces int
	cutsOf region // pieces of each row and tile
}

// sourceSet is the sources of a table that are looked for together: all that are listed, or one that is not.
type sourceSet struct {
	sources []int
	listed  bool
}

const unlisted = ^uint32(0)

// recordLayout is where a record is gathered on the device.
type recordLayout struct {
	entries region // FormSpikes: step, neuron and values of each entry
	room    int    // FormSpikes: entries that fit
	counter int    // FormSpikes: word of C that counts them
	dst     []region
	at      int    // FormSample: host word that holds the number of earlier samples
	items   region // FormSample: place of each lane's item, or the items (gather)
}

// Words of the control block C.
const (
	ctlFault  = 0 // least step of the run at which a trap was set
	ctlHalt   = 1 // step of the run before which a record is full
	ctlDue    = 2 // two words: synaptic events of this run
	ctlStep   = 4 // first step of the pass, where passes are one dispatch each
	ctlLeft   = 5 // work groups that have ended
	ctlMet    = 6 // the rendezvous of a dispatch that makes many passes: see persist.go
	ctlBroken = 7 // 1: one failed
	ctlCounts = 8

	cursorWords = 4
)

// Words of the parameter block P; tables follow the head.
const (
	parStep  = 0 // number of the run's first step
	parKey   = 1
	parHost  = 3 // where host words begin
	parDrawn = 4 // the step from which random words count theirs
	parSteps = 5 // steps of the run
	parSpan  = 6 // steps of a pass
	parSlots = 7 // copies of an accumulator, less one
	parDueAt = 8 // word of C
	parHead  = 9
)

// layout is where everything lies.
type layout struct {
	plan     *backend.Plan
	sc       *schedule
	arenas   arenas
	bufs     []region
	events   []eventLayout
	tables   []tableLayout
	recs     []recordLayout // by stage
	batch    int            // most steps of a Run
	hostN    int            // host words for each step, samples' numbers included
	ctlN     int            // words of C
	cursor   int            // where, in C, an effect whose synapses have an order keeps its place
	faults   int            // where the least items of traps begin in C
	dueAt    int            // where, in C, the events of steps to come are counted, two words for each slot
	traps    []stageTrap    // in the order of faults
	rank     map[[2]int]int // stage, code -> place in traps
	params   []uint32       // the fixed part of P
	together bool           // random words are made once for four neighbours, not by each lane
	inject   string         // Options.Inject
	inits    []initial      // contents of regions that are no plan buffers
}

// memoryBuffer is a shader storage buffer.
type memoryBuffer struct {
	id    uint32
	words int
	by    *stage // what is written and read goes through, for a buffer that stays on the device; nil: the driver sees to it

	base *memoryBuffer // the buffer that it is a part of, beside those of other programs; nil: it is one by itself
	from int           // its first word there
}

// stage is two small buffers through which words go to and from those that stay on the device. Drivers move
// a buffer that is written and read by the host into its memory, where kernels reach it many times more slowly.
type stage struct {
	up, down uint32
	at       int // words of up that copies may still read
}

type initial struct {
	at    region
	words []uint32
}

type stageTrap struct{ stage, code int }

func (l *layout) tableParam(t int) int { return parHead + 2*t }

// slots is the number of copies of an accumulator: one for each step whose
// sums stand in memory at a time, at least, and a power of two.
func (sc *schedule) slots() int {
	if sc.single {
		return power(2 * sc.span)
	}
	return power(sc.span)
}

// power is the least power of two that is not less than n.
func power(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

// arrange lays out a plan's memory. most is the number of words of a block; spread says into
// what the rows of a table are cut, by table.
func arrange(p *backend.Plan, sc *schedule, most int, spread map[int]*rows) *layout {
	l := &layout{plan: p, sc: sc, arenas: arenas{most: most}, batch: p.Batch, hostN: p.Host, rank: map[[2]int]int{}}
	l.bufs = make([]region, len(p.Bufs))
	l.events = make([]eventLayout, len(p.Events))
	l.tables = make([]tableLayout, len(p.Tables))
	l.recs = make([]recordLayout, len(p.Stages))
	masks := map[backend.BufID]bool{}
	for i := range p.Events {
		masks[p.Events[i].Masks] = true
	}
	for i := range p.Bufs {
		b, id := &p.Bufs[i], backend.BufID(i)
		l.bufs[i] = nowhere
		switch use := sc.scratch[id]; {
		case masks[id], b.Kind == backend.Record, id == p.Step, id == p.Due:
		case b.Kind == backend.Scratch && use == inRegister:
		case b.Kind == backend.Scratch && use == taken:
			l.bufs[i] = l.arenas.place(b.Len * sc.slots())
		default:
			l.bufs[i] = l.arenas.place(b.Len)
		}
	}
	l.placeEvents()
	l.placeTables(spread)
	l.placeRecords()
	l.placeTraps()
	l.params = make([]uint32, l.tableParam(len(p.Tables)))
	l.params[parSpan], l.params[parSlots], l.params[parDueAt] = uint32(sc.span), uint32(sc.slots()-1), uint32(l.dueAt)
	return l
}

func (l *layout) placeEvents() {
	p := l.plan
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Form == backend.FormInject {
			l.events[s.Event].injected = true
		}
		if s.Prog != nil {
			seen := map[int]bool{}
			for _, in := range s.Prog.Ins {
				if e := 0; in.Op == ir.StoreBit {
					if e = s.Bind[in.Imm].Event; !seen[e] {
						l.events[e].written++
					}
					seen[e] = true
				}
			}
		}
	}
	words := 0 // of a step, injected
	for i := range p.Events {
		e, x := &p.Events[i], &l.events[i]
		x.injected = x.injected || x.known()                  // nobody zeroes its rows ahead
		x.rows = power(max(e.History, l.sc.span) + l.sc.span) // a pass writes span rows while it zeroes the next span
		if x.injected {
			words += e.Words()
		}
	}
	l.batch = max(l.sc.span, min(l.batch, mostInjected/max(words, 1)))
	for i := range p.Events {
		e, x := &p.Events[i], &l.events[i]
		if x.injected {
			x.rows = power(e.History + max(l.batch, l.sc.span))
		}
		x.masks = l.arenas.place(x.rows * e.Words())
	}
}

// mostInjected is about how many words of spikes that the host injects are there for one Run.
const mostInjected = 1 << 24

func (l *layout) placeTables(spread map[int]*rows) {
	p := l.plan
	for t := range p.Tables {
		x := &l.tables[t]
		x.tiles, x.pieces = 1, 1
		var listed []int
		neurons := 0
		for i, src := range p.Tables[t].Sources {
			if e := &l.events[src.Event]; e.listed() {
				listed = append(listed, i)
				neurons += src.Hi - src.Lo
				x.rows = max(x.rows, e.rows)
			} else {
				x.sets = append(x.sets, sourceSet{sources: []int{i}})
			}
		}
		if listed == nil {
			continue
		}
		x.sets = append([]sourceSet{{listed, true}}, x.sets...)
		entries := neurons // where all of them fire
		if r := spread[t]; r != nil {
			if cuts := r.cuts(); cuts > 1 && len(r.cutsOf) < 1<<(32-bits.Len(uint(cuts-1))) {
				x.bits, x.tiles, x.pieces = bits.Len(uint(cuts-1)), r.tiles, r.pieces
				x.cutsOf = l.arenas.place(len(r.cutsOf))
				l.inits = append(l.inits, initial{x.cutsOf, r.cutsOf})
				rows := max(len(r.cutsOf)/r.tiles, 1)
				entries = neurons * max(1, (r.parts+rows-1)/rows) // by the mean
			}
		}
		x.cap = min(entries, max(64, entries/16), l.arenas.most/x.rows)
		x.list = l.arenas.place(x.rows * x.cap)
		x.counts = l.arenas.place(x.rows)
	}
}

func (l *layout) placeRecords() {
	p, spikes := l.plan, 0
	for i := range p.Stages {
		s, r := &p.Stages[i], &l.recs[i]
		switch s.Form {
		case backend.FormSpikes:
			r.counter = ctlCounts + spikes
			spikes++
			// One block will do, if it holds a pass: a Run ends where it is full.
			width := 2 + len(s.Rec.Src)
			r.room = min(room(p, s), max(l.arenas.most/width, (s.Rec.Hi-s.Rec.Lo)*l.sc.span))
			r.entries = l.arenas.place(width * r.room)
		case backend.FormSample:
			r.at = l.hostN
			l.hostN++
			for _, d := range s.Rec.Dst {
				r.dst = append(r.dst, l.arenas.place(p.Bufs[d].Len))
			}
			n, gather := lanes(p, i)
			r.items = nowhere
			if s.Rec.Items == nil {
				continue
			}
			words := s.Rec.Items
			if !gather {
				words = make([]uint32, n)
				for k := range words {
					words[k] = unlisted
				}
				for k, item := range s.Rec.Items {
					words[item] = uint32(k)
				}
			}
			r.items = l.arenas.place(len(words))
			l.inits = append(l.inits, initial{r.items, words})
		}
	}
	l.cursor = ctlCounts + spikes
	l.ctlN = l.cursor + cursorWords
}

// room is the number of entries of a spike record that the device has room for:
// what the plan says, or more, so that passes of many steps fit. Most of them stay
// unused; a Read may return more than the plan's buffers hold.
func room(p *backend.Plan, s *backend.Stage) int {
	n := p.Bufs[s.Rec.Index].Len
	for _, d := range s.Rec.Dst {
		n = min(n, p.Bufs[d].Len)
	}
	return max(n, min(64*(s.Rec.Hi-s.Rec.Lo), 8<<20))
}

func (l *layout) placeTraps() {
	p := l.plan
	for i := range p.Stages {
		for c := range p.Stages[i].Trap {
			l.traps = append(l.traps, stageTrap{i, c})
		}
	}
	slices.SortStableFunc(l.traps, func(a, b stageTrap) int {
		x, y := p.Stages[a.stage].Trap[a.code], p.Stages[b.stage].Trap[b.code]
		if x.Pop != y.Pop {
			return x.Pop - y.Pop
		}
		return x.Var - y.Var
	})
	for r, t := range l.traps {
		l.rank[[2]int{t.stage, t.code}] = r
	}
	l.faults = l.ctlN
	l.ctlN += len(l.traps) * l.sc.span
	l.dueAt = l.ctlN
	l.ctlN += 2 * l.sc.slots()
}
