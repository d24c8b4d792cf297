package shaders

import (
	"fmt"
	"strings"

	"synfire/engine/backend"
)

// A walk visits what is due: for each step, each set of sources of a table and
// each delay d, the rows that fired d steps before. Its items are (row, cut): a
// cut is a tile of targets, and within it a piece of at most chunk entries of the
// row. Teams of 32 lanes (8 on a software renderer) take items in turn over all
// work groups of the walk, so that long rows and busy populations spread evenly; each
// work group finds item numbers from a prefix sum over (step, set, delay),
// made anew from the counts of fired rows. Where a step has no list of them, items are
// words of its masks.
//
// Where a pass is one dispatch (schedule.single), its walks deliver for the steps that are a
// span ahead: all but the shortest delays are known by then. What is due one step after
// it left is delivered by the work group whose neurons fired (near).

// Words of a walk's parameters, from T on in P.
const (
	walkGroups = iota // work groups
	walkSets          // number of sets of sources
	walkDelays
	walkCuts     // of each row
	walkPieces   // of each tile
	walkChunk    // entries of a piece
	walkTable    // word of P with the first and last step (relative to the run) whose spikes the table serves
	walkAcc      // where the accumulator begins
	walkStride   // its words for one step
	walkSlots    // its steps, less one
	walkSetAt    // where, from T, the records of sets begin
	walkSourceAt // and of sources, of which there are walkSources
	walkSources
	walkDelayAt
	walkShardAt
	walkUniform  // the weight of all, for width 0
	walkCount    // what one entry counts in Due
	walkDueAt    // word of C for that
	walkDueStep  // words from one slot's to the next; 0: all steps count together
	walkRing     // rows of the lists, less one
	walkBits     // of an entry of a list, for the cut
	walkListCuts // cuts of an entry that has no bits for them
	walkAhead    // steps from those of the pass to those for which it delivers
	walkBefore   // what is delivered left before this step, counted from the first of the pass
	walkHead     // the kernel's own words follow
)

// Words of the record of a set of sources.
const (
	setCounts = iota
	setList
	setCap   // 0: there is no list
	setKnown // 1: the host has set the bits of the whole batch
	setWords // words of masks of all its sources
	setSize
)

// Words of the record of a source.
const (
	sourceSet_ = iota // its set
	sourceRing        // rows of its masks, less one
	sourceRow         // words of a row
	sourceMasks
	sourceLo
	sourceHi
	sourceRow0
	sourceFirst // first word of a row to read
	sourceWords // words to read
	sourceSize
)

// Words of the record of a shard.
const (
	shardTile = iota
	shardFrom // first row
	shardTo   // row after the last
	shardEntries
	shardFar  // weights or far ends
	shardBase // target of local 0 or number of entry 0
	shardSize
)

const scanPairs = 512

// layoutNames are the numbers above under the names that texts have for them.
var layoutNames = func() *strings.Replacer {
	var out []string
	for name, n := range map[string]int{
		"GROUPS": walkGroups, "SETS": walkSets, "DELAYS": walkDelays, "CUTS": walkCuts, "PIECES": walkPieces, "CHUNK": walkChunk, "TABLE": walkTable,
		"ACC": walkAcc, "STRIDE": walkStride, "SLOTS": walkSlots, "SETAT": walkSetAt, "SOURCEAT": walkSourceAt, "SOURCES": walkSources, "DELAYAT": walkDelayAt,
		"SHARDAT": walkShardAt, "UNIFORM": walkUniform, "COUNT": walkCount, "DUEAT": walkDueAt, "DUESTEP": walkDueStep, "RING": walkRing, "BITS": walkBits,
		"LISTCUTS": walkListCuts, "AHEAD": walkAhead, "BEFORE": walkBefore,
		"SET.COUNTS": setCounts, "SET.LIST": setList, "SET.CAP": setCap, "SET.KNOWN": setKnown, "SET.WORDS": setWords, "SET.SIZE": setSize,
		"SOURCE.SET": sourceSet_, "SOURCE.RING": sourceRing, "SOURCE.ROW": sourceRow, "SOURCE.MASKS": sourceMasks, "SOURCE.LO": sourceLo, "SOURCE.HI": sourceHi,
		"SOURCE.FIRSTROW": sourceRow0, "SOURCE.FIRST": sourceFirst, "SOURCE.WORDS": sourceWords, "SOURCE.SIZE": sourceSize,
		"SHARD.TILE": shardTile, "SHARD.FROM": shardFrom, "SHARD.TO": shardTo, "SHARD.ENTRIES": shardEntries, "SHARD.FAR": shardFar, "SHARD.BASE": shardBase, "SHARD.SIZE": shardSize,
		"C.FAULT": ctlFault, "C.HALT": ctlHalt, "C.DUE": ctlDue, "C.STEP": ctlStep, "C.LEFT": ctlLeft, "C.MET": ctlMet, "C.BROKEN": ctlBroken, "P.STEP": parStep, "P.STEPS": parSteps,
	} {
		out = append(out, "<"+name+">", fmt.Sprintf("%du", n))
	}
	return strings.NewReplacer(out...)
}()

// named replaces the names of numbers in a text.
func named(text string) string { return layoutNames.Replace(text) }

// shard is a range of rows of one tile in one buffer: index, then entries.
type shard struct {
	tile, row0, row1 int
	entries, weights int // word offsets; weights for width 32, far ends for an effect
	base             int // target of local 0; of an effect whose entries number themselves, the number of entry 0
	lo, hi           int // of an effect: the numbers of its synapses lie between
	mem              *memoryBuffer
}

// walk is one walk in the text of a kernel, whose functions end in its number.
type walk struct {
	k      *kernel
	stage  int
	number int
	first  int // number of its first shard among the kernel's
	shards []*shard
	group  int // lanes of a work group
	team   int
	extra  []uint32       // its own words of P
	keys   map[string]int // which of them is what
	rows   *rows
	groups int
	count  int // what one entry counts in Due
	ahead  bool
}

// param is a word of P that differs between walks of the same text.
func (w *walk) param(key string, value int) string {
	i, ok := w.keys[key]
	if !ok {
		i = len(w.extra)
		w.keys[key] = i
		w.extra = append(w.extra, uint32(value))
	}
	return fmt.Sprintf("P[T + %du]", walkHead+i)
}

// params appends the parameters of a walk to P, and says where they begin.
func (w *walk) params(l *layout) int {
	s := &l.plan.Stages[w.stage]
	t, lists := &l.plan.Tables[s.Table], &l.tables[s.Table]
	p := append(make([]uint32, walkHead), w.extra...)
	set := func(i, v int) { p[i] = uint32(v) }
	set(walkGroups, w.groups)
	set(walkSets, len(lists.sets))
	set(walkDelays, len(w.rows.delays))
	set(walkCuts, w.rows.cuts())
	set(walkPieces, w.rows.pieces)
	set(walkChunk, w.rows.chunk)
	set(walkTable, l.tableParam(s.Table))
	set(walkUniform, int(t.Spec.Uniform))
	set(walkCount, w.count)
	set(walkDueAt, ctlDue)
	if s.Form == backend.FormDeliver {
		if l.sc.single {
			set(walkDueAt, l.dueAt)
			set(walkDueStep, 2)
		}
		set(walkSlots, l.sc.slots()-1)
		if l.bufs[s.Acc].arena >= 0 {
			set(walkAcc, l.bufs[s.Acc].off)
			if l.sc.scratch[s.Acc] == taken {
				set(walkStride, l.plan.Bufs[s.Acc].Len)
			}
		}
	}
	set(walkBefore, 1<<30)
	if l.sc.single {
		set(walkBefore, 0)
	}
	if w.ahead {
		set(walkAhead, l.sc.span)
	}
	set(walkRing, max(lists.rows-1, 0))
	set(walkBits, lists.bits)
	set(walkListCuts, 1)
	if lists.bits == 0 {
		set(walkListCuts, w.rows.cuts())
	}
	setOf := make([]int, len(t.Sources))
	set(walkSetAt, len(p))
	for n, x := range lists.sets {
		rec := make([]uint32, setSize)
		for _, i := range x.sources {
			setOf[i] = n
			rec[setWords] += uint32(maskWords(t.Sources[i]))
		}
		if x.listed {
			rec[setCounts], rec[setList], rec[setCap] = uint32(lists.counts.off), uint32(lists.list.off), uint32(lists.cap)
		} else if l.events[t.Sources[x.sources[0]].Event].known() {
			rec[setKnown] = 1
		}
		p = append(p, rec...)
	}
	set(walkSourceAt, len(p))
	set(walkSources, len(t.Sources))
	for i, src := range t.Sources {
		e, x := &l.plan.Events[src.Event], &l.events[src.Event]
		rec := make([]uint32, sourceSize)
		rec[sourceSet_], rec[sourceRing], rec[sourceRow], rec[sourceMasks] = uint32(setOf[i]), uint32(x.rows-1), uint32(e.Words()), uint32(x.masks.off)
		rec[sourceLo], rec[sourceHi], rec[sourceRow0] = uint32(src.Lo), uint32(src.Hi), uint32(src.Row0)
		rec[sourceFirst], rec[sourceWords] = uint32(src.Lo/32), uint32(maskWords(src))
		p = append(p, rec...)
	}
	set(walkDelayAt, len(p))
	for _, d := range w.rows.delays {
		p = append(p, uint32(d))
	}
	set(walkShardAt, len(p))
	for _, h := range w.shards {
		p = append(p, uint32(h.tile), uint32(h.row0), uint32(h.row1), uint32(h.entries), uint32(h.weights), uint32(h.base))
	}
	at := len(l.params)
	l.params = append(l.params, p...)
	return at
}

// maskWords is the number of words of a mask that hold a source.
func maskWords(s backend.Source) int {
	if s.Hi <= s.Lo {
		return 0
	}
	return (s.Hi-1)/32 - s.Lo/32 + 1
}

// near says that the work groups whose neurons fire deliver what is due one step later.
func (w *walk) near() bool {
	return w.k.single && w.k.l.sc.span == 1 && len(w.rows.delays) > 0 && w.rows.delays[0] == 1
}

// lines appends text in which # stands for the number of the walk.
func (w *walk) lines(text string) {
	text = strings.ReplaceAll(text, "#", fmt.Sprint(w.number))
	each := (scanPairs + w.group - 1) / w.group
	for from, to := range map[string]int{"GROUP": w.group, "TEAM": w.team, "PAIRS": each * w.group, "EACH": each, "MOST": mostRounds, "CURSOR": w.k.l.cursor} {
		text = strings.ReplaceAll(text, "$"+from, fmt.Sprint(to))
	}
	if w.k.l.inject == "delay" {
		text = strings.Replace(text, "step - delay)", "step - delay - uint(delay > 1u))", 1)
	}
	w.k.lines(text)
}

// newWalk begins a walk of a stage over shards; group and team are its lanes.
func (k *kernel) newWalk(stage int, r *rows, shards []*shard, group, team int) *walk {
	w := &walk{k: k, stage: stage, number: len(k.walks), first: len(k.shards), shards: shards, group: group, team: team, keys: map[string]int{}, rows: r}
	k.walks = append(k.walks, w)
	k.shards = append(k.shards, shards...)
	k.always = true
	l := k.l
	t, lists := &l.plan.Tables[l.plan.Stages[stage].Table], &l.tables[l.plan.Stages[stage].Table]
	// Masks lie in one arena as a rule; where they do not, the text says which.
	k.line("uint maskAt%d(uint source, uint i) {", w.number)
	first := "0u"
	for i, src := range t.Sources {
		switch got := (cell{k, l.events[src.Event].masks, "i"}).get(); {
		case i == 0:
			first = got
		case got != first:
			k.line("if (source == %du) return %s;", i, got)
		}
	}
	k.line("return %s;", first)
	k.line("}")
	counts, list := "0u", "0u"
	if lists.cap > 0 {
		counts, list = (cell{k, lists.counts, "i"}).get(), (cell{k, lists.list, "i"}).get()
	}
	k.line("uint countAt%d(uint i) { return %s; }", w.number, counts)
	k.line("uint listAt%d(uint i) { return %s; }", w.number, list)
	k.line("uint word%d(uint h, uint i) {", w.number)
	if len(shards) == 1 {
		k.line("return E%d[i];", w.first)
	} else {
		k.line("switch (h) {")
		for h := range shards {
			k.line("case %du: return E%d[i];", h, w.first+h)
		}
		k.line("}")
		k.line("return 0u;")
	}
	k.line("}")
	k.line("uint due%d = 0u, dueOf%d = 0u;", w.number, w.number)
	w.lines(commonText)
	return w
}

// visits prints the walk. entry is the statement for one entry, before what stands before all of a row in a shard (nil: nothing): e is its number in shard h, row and s
// (the step at which it is due) are at hand.
func (w *walk) visits(before, entry func(w *walk)) {
	k := w.k
	// Entries of a row with delay d from number first + j on, in steps of so many, of those before number last.
	k.line("void entries%d(uint s, uint row, uint d, uint tile, uint first, uint last, uint j, uint every) {", w.number)
	k.line("uint step = P[%d] + s, H = T + P[T + %du];", parStep, walkShardAt)
	k.line("for (uint h = 0u; h < %du; h++, H += %du) {", len(w.shards), shardSize)
	k.line("if (tile < P[T + <CUTS>] && P[H + <SHARD.TILE>] != tile || row < P[H + <SHARD.FROM>] || row >= P[H + <SHARD.TO>]) continue;")
	k.line("uint g = (row - P[H + <SHARD.FROM>]) * P[T + <DELAYS>] + d;")
	k.line("uint from = word%d(h, g), end = word%d(h, g + 1u), to = end - from < last ? end : from + last;", w.number, w.number)
	k.line("from += first;")
	k.line("if (j == 0u && from < to) count%d(s, P[T + %du] * (to - from));", w.number, walkCount)
	if before != nil {
		before(w)
	}
	k.line("for (uint e = from + j; e < to; e += every) {")
	entry(w)
	k.line("}")
	k.line("}")
	k.line("}")
	w.lines(walkText)
}

// commonText is the beginning of every walk.
const commonText = `
// Row of a ring, of mask + 1 rows, at a delay before a step.
uint ringRow#(uint mask, uint s, uint delay) {
	uint step = P[<P.STEP>] + s;
	return (step - delay) & mask;
}

// Whether the table serves spikes that reach step s after a delay, and this walk is to deliver them.
bool serves#(uint s, uint delay, uint known) {
	uint range = P[T + <TABLE>];
	int at = int(s) - int(delay);
	return at >= int(P[range]) && at <= int(P[range + 1u]) && at < int(S + P[T + <BEFORE>] + known);
}

void told#() {
	uint at = P[T + <DUEAT>] + P[T + <DUESTEP>] * dueOf#;
	if (due# > 0u) {
		uint old = atomicAdd(C[at], due#);
		if (old + due# < old) atomicAdd(C[at + 1u], 1u);
	}
	due# = 0u;
}

// n events of step s.
void count#(uint s, uint n) {
	uint slot = (P[<P.STEP>] + s) & P[T + <SLOTS>];
	if (slot != dueOf#) told#();
	dueOf# = slot;
	due# += n;
}
`

const walkText = `
void visit#(uint s, uint row, uint d, uint cut) {
	uint piece = cut % P[T + <PIECES>] * P[T + <CHUNK>];
	entries#(s, row, d, cut / P[T + <PIECES>], piece, piece + P[T + <CHUNK>], gl_LocalInvocationID.x % $TEAMu, $TEAMu);
}

// Rows that the list of a step has, unlisted where there is no list that holds all.
uint listedIn#(uint set, uint row) {
	uint n = P[set + <SET.CAP>] > 0u ? countAt#(P[set + <SET.COUNTS>] + row) : 0xffffffffu;
	return n <= P[set + <SET.CAP>] ? n : 0xffffffffu;
}

// Items of a pair (step, set, delay): rows or words of masks, times the cuts of each.
uint itemsOf#(uint pair) {
	uint d = pair % P[T + <DELAYS>], z = pair / P[T + <DELAYS>], s = S + P[T + <AHEAD>] + z / P[T + <SETS>];
	uint delay = P[T + P[T + <DELAYAT>] + d], set = T + P[T + <SETAT>] + <SET.SIZE> * (z % P[T + <SETS>]);
	if (!serves#(s, delay, P[set + <SET.KNOWN>])) return 0u;
	uint n = listedIn#(set, ringRow#(P[T + <RING>], s, delay));
	return n == 0xffffffffu ? P[set + <SET.WORDS>] * P[T + <CUTS>] : n * P[T + <LISTCUTS>];
}

void item#(uint pair, uint n) {
	uint d = pair % P[T + <DELAYS>], z = pair / P[T + <DELAYS>], s = S + P[T + <AHEAD>] + z / P[T + <SETS>], number = z % P[T + <SETS>];
	uint delay = P[T + P[T + <DELAYAT>] + d], set = T + P[T + <SETAT>] + <SET.SIZE> * number, row = ringRow#(P[T + <RING>], s, delay);
	if (listedIn#(set, row) != 0xffffffffu) {
		uint each = P[T + <LISTCUTS>], entry = listAt#(P[set + <SET.LIST>] + row * P[set + <SET.CAP>] + n / each), most = P[T + <BITS>];
		visit#(s, entry >> most, d, n % each + (entry & ((1u << most) - 1u)));
		return;
	}
	uint cuts = P[T + <CUTS>], w = n / cuts, q = T + P[T + <SOURCEAT>], source = 0u;
	// Without continue and break: with them, llvmpipe loses lanes whose teams are smaller than its vectors.
	for (; source + 1u < P[T + <SOURCES>] && (P[q + <SOURCE.SET>] != number || w >= P[q + <SOURCE.WORDS>]); source++, q += <SOURCE.SIZE>) {
		w -= P[q + <SOURCE.SET>] == number ? P[q + <SOURCE.WORDS>] : 0u;
	}
	w += P[q + <SOURCE.FIRST>];
	uint bits = maskAt#(source, P[q + <SOURCE.MASKS>] + ringRow#(P[q + <SOURCE.RING>], s, delay) * P[q + <SOURCE.ROW>] + w);
	for (int i = 0; i < 32 && bits != 0u; i++) {
		uint neuron = 32u * w + uint(findLSB(bits));
		bits &= bits - 1u;
		if (neuron >= P[q + <SOURCE.LO>] && neuron < P[q + <SOURCE.HI>]) visit#(s, P[q + <SOURCE.FIRSTROW>] + neuron - P[q + <SOURCE.LO>], d, n % cuts);
	}
}

shared uint before#[$PAIRS + 1];
shared uint part#[$GROUP];

void walk#(uint group) {
	if (group >= P[T + <GROUPS>]) return; // of those that fill the last row of a dispatch
	uint lane = gl_LocalInvocationID.x, teams = P[T + <GROUPS>] * ($GROUPu / $TEAMu), team = group * ($GROUPu / $TEAMu) + lane / $TEAMu;
	uint pairs = K * P[T + <SETS>] * P[T + <DELAYS>], done = 0u;
	for (uint base = 0u; base < pairs; base += $PAIRSu) {
		uint sum = 0u;
		for (uint i = 0u; i < $EACHu; i++) {
			uint pair = base + lane * $EACHu + i;
			if (pair < pairs) sum += itemsOf#(pair);
			before#[lane * $EACHu + i + 1u] = sum;
		}
		part#[lane] = sum;
		groupMemoryBarrier(); barrier();
		for (uint d = 1u; d < $GROUPu; d *= 2u) {
			uint v = lane >= d ? part#[lane - d] : 0u;
			groupMemoryBarrier(); barrier();
			part#[lane] += v;
			groupMemoryBarrier(); barrier();
		}
		uint ahead = part#[lane] - sum;
		for (uint i = 1u; i <= $EACHu; i++) before#[lane * $EACHu + i] += ahead;
		if (lane == 0u) before#[0] = 0u;
		groupMemoryBarrier(); barrier();
		uint total = before#[$PAIRS];
		for (uint n = (team + teams - done % teams) % teams; n < total; n += teams) {
			uint lo = 0u, hi = $PAIRSu; // before[lo] <= n < before[hi]
			for (int i = 0; i < 10 && hi - lo > 1u; i++) {
				uint mid = (lo + hi) / 2u;
				if (before#[mid] <= n) lo = mid; else hi = mid;
			}
			item#(base + lo, n - before#[lo]);
		}
		done += total;
		groupMemoryBarrier(); barrier();
	}
	told#();
}

// All of a row's entries of the first delay, one step, by all lanes of the work group; its neuron fires at step s - 1.
void near#(uint s, uint row) {
	uint range = P[T + <TABLE>];
	if (int(s) - 1 < int(P[range]) || int(s) - 1 > int(P[range + 1u])) return;
	entries#(s, row, 0u, 0xffffffffu, 0u, 0xffffffffu, gl_LocalInvocationID.x, $GROUPu);
	told#();
}
`

// deliver prints a walk that adds packed weights to the accumulator of a FormDeliver stage.
func (w *walk) deliver() {
	l := w.k.l
	s := &l.plan.Stages[w.stage]
	acc := l.bufs[s.Acc]
	width := l.plan.Tables[s.Table].Spec.Width
	w.visits(func(w *walk) { // what all entries have in common, so that no compiler has to find out that no addition changes it
		w.k.line("uint at = P[H + <SHARD.BASE>] + P[T + <ACC>] + (step & P[T + <SLOTS>]) * P[T + <STRIDE>], entry = P[H + <SHARD.ENTRIES>];")
		switch width {
		case 16:
		case 32:
			w.k.line("uint far = P[H + <SHARD.FAR>];")
		default:
			w.k.line("uint one = P[T + %du];", walkUniform)
		}
	}, func(w *walk) {
		k := w.k
		local, weight := fmt.Sprintf("word%d(h, entry + e / 2u) >> (16u * (e & 1u)) & 0xffffu", w.number), "one"
		switch width {
		case 16:
			k.line("uint w = word%d(h, entry + e);", w.number)
			local, weight = "(w & 0xffffu)", "uint(int(w) >> 16)"
		case 32:
			weight = fmt.Sprintf("word%d(h, far + e)", w.number)
		}
		if l.inject == "deliver-index" {
			local = "(" + local + " ^ 1u)"
		}
		if acc.arena < 0 {
			return // nobody reads this accumulator
		}
		k.line("uint target = at + (%s);", local)
		k.line("%s;", cell{k, acc, "target"}.atomic("Add", weight))
	})
}

// sample is the kernels of a plan that maps and delivers alone, with so many shards that hold nothing: their texts are
// those of every network of its form. With polls, a kernel that is a pass makes many.
func (l *layout) sample(group, team, blocks, shards, polls int) []*kernel {
	k := &kernel{l: l, group: group, single: l.sc.single, loop: polls > 0, polls: polls}
	var out []*kernel
	for n, seg := range l.sc.segments {
		if seg.form == backend.FormDeliver {
			t := &l.plan.Tables[l.plan.Stages[seg.stage].Table]
			r := &rows{delays: []uint16{uint16(t.MinDelay), uint16(t.MaxDelay)}, tiles: 1, pieces: 1, chunk: 256}
			for range shards {
				r.shards = append(r.shards, &shard{})
			}
			w := k.newWalk(seg.stage, r, r.shards, group, team)
			w.groups, w.count, w.ahead = 1, 1, k.single
			w.deliver()
			k.part(1, mostTexts+w.number, w.params(l))
			continue
		}
		if n > 0 && l.sc.segments[n-1].form == backend.FormDeliver && !k.single {
			k.finish()
			out = append(out, k)
		}
		if !k.single {
			out = append(out, l.mapKernels(nil, seg, group, blocks)...)
		} else {
			out = append(out, l.mapKernels(k, seg, group, blocks)...)
		}
	}
	return out
}
