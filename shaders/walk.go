package shaders

import (
	"fmt"
	"strings"

	"synfire/engine/backend"
)

// A walk is a kernel that visits what is due: for each step of a pass, each
// source of a table and each delay d, the neurons that fired d steps before.
// Its items are (neuron, cut): a cut is a tile of targets, and within it a
// piece of at most chunk entries of the neuron's row. Teams of 32 lanes
// (8 on a software renderer) take items in turn over all work groups, so that
// long rows and busy populations spread evenly; each work group finds item numbers from a prefix sum over (step, source, delay),
// made anew from the counts of fired neurons. Where a step has no list of them, items are
// words of its mask.

// Words of a walk's parameters, from T on in P.
const (
	walkSources = iota // number of sources
	walkDelays
	walkTiles
	walkPieces
	walkChunk
	walkShards
	walkTable    // word of P with the first and last step (relative to the run) whose spikes the table serves
	walkAcc      // where the accumulator begins
	walkStride   // its words for one step of the pass
	walkSourceAt // where, from T, the records of sources begin
	walkDelayAt
	walkShardAt
	walkUniform // the weight of all, for width 0
	walkCount   // what one entry counts in Due
	walkHead    // the kernel's own words follow
)

const (
	sourceWords = 12 // phase's word, rows, words, masks, counts, list, cap, lo, hi, row0, first mask word, mask words to read
	shardWords  = 6  // tile, first row, row after the last, entries, weights or far ends, target of local 0 or number of entry 0
	scanPairs   = 512
)

// shard is a range of rows of one tile in one buffer: index, then entries.
type shard struct {
	tile, row0, row1 int
	entries, weights int // word offsets; weights for width 32, far ends for an effect
	base             int // target of local 0; of an effect whose entries number themselves, the number of entry 0
	lo, hi           int // of an effect: the numbers of its synapses lie between
	mem              *memoryBuffer
}

// param is a word of P that differs between walks of the same text.
func (k *kernel) param(key string, value int) string {
	i, ok := k.keys[key]
	if !ok {
		i = len(k.extra)
		k.keys[key] = i
		k.extra = append(k.extra, uint32(value))
	}
	return fmt.Sprintf("P[T + %du]", walkHead+i)
}

// walkParams appends the parameters of a walk by kernel k to P. count is what
// one entry counts in Due.
func (l *layout) walkParams(k *kernel, stage int, delays []uint16, shards []*shard, tiles, pieces, chunk, count int) {
	s := &l.plan.Stages[stage]
	t := &l.plan.Tables[s.Table]
	p := append(make([]uint32, walkHead), k.extra...)
	set := func(i, v int) { p[i] = uint32(v) }
	set(walkSources, len(t.Sources))
	set(walkDelays, len(delays))
	set(walkTiles, tiles)
	set(walkPieces, pieces)
	set(walkChunk, chunk)
	set(walkShards, len(shards))
	set(walkTable, l.tableParam(s.Table))
	set(walkUniform, int(t.Spec.Uniform))
	set(walkCount, count)
	if s.Form == backend.FormDeliver && l.bufs[s.Acc].arena >= 0 {
		set(walkAcc, l.bufs[s.Acc].off)
		if l.sc.scratch[s.Acc] == taken {
			set(walkStride, l.plan.Bufs[s.Acc].Len)
		}
	}
	set(walkSourceAt, len(p))
	for _, src := range t.Sources {
		e, x := &l.plan.Events[src.Event], &l.events[src.Event]
		size := uint32(0)
		if x.listed {
			size = uint32(x.cap)
		}
		first := src.Lo / 32
		words := 0
		if src.Hi > src.Lo {
			words = (src.Hi-1)/32 - first + 1
		}
		for _, v := range []int{l.eventParam(src.Event), x.rows, e.Words(), x.masks.off, x.counts.off, x.list.off} {
			p = append(p, uint32(v))
		}
		p = append(p, size, uint32(src.Lo), uint32(src.Hi), uint32(src.Row0), uint32(first), uint32(words))
	}
	set(walkDelayAt, len(p))
	for _, d := range delays {
		p = append(p, uint32(d))
	}
	set(walkShardAt, len(p))
	for _, h := range shards {
		p = append(p, uint32(h.tile), uint32(h.row0), uint32(h.row1), uint32(h.entries), uint32(h.weights), uint32(h.base))
	}
	k.table = len(l.params)
	l.params = append(l.params, p...)
}

// newWalk begins a walk of stage over so many shards.
func (l *layout) newWalk(stage, shards int) *kernel {
	k := &kernel{l: l, always: true, shards: shards, keys: map[string]int{}}
	t := &l.plan.Tables[l.plan.Stages[stage].Table]
	// Events lie in one arena as a rule; where they do not, the text says which.
	pick := func(name string, of func(x *eventLayout) region) {
		k.line("uint %s(uint q, uint i) {", name)
		first := "0u"
		for i, src := range t.Sources {
			switch got := (cell{k, of(&l.events[src.Event]), "i"}).get(); {
			case i == 0:
				first = got
			case got != first:
				k.line("if (q == %du) return %s;", i, got)
			}
		}
		k.line("return %s;", first)
		k.line("}")
	}
	pick("maskAt", func(x *eventLayout) region { return x.masks })
	pick("countAt", func(x *eventLayout) region { return x.counts })
	pick("listAt", func(x *eventLayout) region {
		if x.listed {
			return x.list
		}
		return x.masks
	})
	k.line("uint word(uint h, uint i) {")
	k.line("switch (h) {")
	for h := range shards {
		k.line("case %du: return E%d[i];", h, h)
	}
	k.line("}")
	k.line("return 0u;")
	k.line("}")
	k.line("uint due = 0u;")
	return k
}

// walkKernel prints a walk of stage over so many shards. entry is the statement
// for one entry: e is its number in shard h, row and k (the step within the
// pass) are at hand.
func (l *layout) walkKernel(stage, shards, group, team int, entry func(k *kernel)) *kernel {
	k := l.newWalk(stage, shards)
	k.line("void visit(uint k, uint row, uint d, uint tile, uint piece) {")
	k.line("uint s = S + k, step = P[%d] + s, j = gl_LocalInvocationID.x %% %du, H = T + P[T + %du];", parStep, team, walkShardAt)
	k.line("for (uint h = 0u; h < %du; h++, H += %du) {", shards, shardWords)
	k.line("if (P[H] != tile || row < P[H + 1u] || row >= P[H + 2u]) continue;")
	k.line("uint g = (row - P[H + 1u]) * P[T + %du] + d, chunk = P[T + %du];", walkDelays, walkChunk)
	k.line("uint from = word(h, g) + piece * chunk, to = min(word(h, g + 1u), from + chunk);")
	k.line("if (j == 0u && from < to) due += P[T + %du] * (to - from);", walkCount)
	k.line("for (uint e = from + j; e < to; e += %du) {", team)
	entry(k)
	k.line("}")
	k.line("}")
	k.line("}")
	k.walk(walkText, group, team)
	return k
}

// walk ends a kernel with the text of a way to visit.
func (k *kernel) walk(text string, group, team int) {
	walk := ringText + text
	if k.l.inject == "delay" {
		walk = strings.Replace(walk, "+ rows - delay)", "+ rows - delay - uint(delay > 1u))", 1)
	}
	for from, to := range map[string]string{
		"GROUP": fmt.Sprint(group), "TEAM": fmt.Sprint(team), "PAIRS": fmt.Sprint((scanPairs + group - 1) / group * group), "EACH": fmt.Sprint((scanPairs + group - 1) / group),
		"FAULT": fmt.Sprint(ctlFault), "HALT": fmt.Sprint(ctlHalt), "DUE": fmt.Sprint(ctlDue), "MOST": fmt.Sprint(mostRounds), "CURSOR": fmt.Sprint(k.l.cursor),
	} {
		walk = strings.ReplaceAll(walk, "$"+from, to)
	}
	k.lines(walk)
	head := k.head(group)
	for h := range k.shards {
		head += fmt.Sprintf("layout(std430, binding = %d) readonly restrict buffer BE%d { uint E%d[]; };\n", blockA+len(k.arenas)+h, h, h)
	}
	k.prepend(head)
}

// ringText and what follows it read the words of walkParams.
const ringText = `
// Row of source q's ring at delay d before step s of the run.
uint ringRow(uint q, uint s, uint delay) {
	uint rows = P[q + 1u];
	return (P[P[q]] + s + rows - delay) % rows;
}

// Whether the table serves spikes that reach step s after a delay.
bool serves(uint s, uint delay) {
	uint range = P[T + 6u];
	int at = int(s) - int(delay);
	return at >= int(P[range]) && at <= int(P[range + 1u]);
}
`

const walkText = `
shared uint before[$PAIRS + 1];
shared uint part[$GROUP];

// Neurons that the list of row has, unlisted where there is no list that holds all.
uint listedIn(uint source, uint q, uint row) {
	uint n = P[q + 6u] > 0u ? countAt(source, P[q + 4u] + row) : 0xffffffffu;
	return n <= P[q + 6u] ? n : 0xffffffffu;
}

// Items of a pair (step, source, delay) for each cut: neurons, or words of the mask.
uint itemsOf(uint pair) {
	uint delays = P[T + 1u], d = pair % delays, source = pair / delays % P[T], s = S + pair / delays / P[T];
	uint delay = P[T + P[T + 10u] + d], q = T + P[T + 9u] + 12u * source;
	if (!serves(s, delay)) return 0u;
	uint n = listedIn(source, q, ringRow(q, s, delay));
	return n == 0xffffffffu ? P[q + 11u] : n;
}

void item(uint pair, uint n, uint cut) {
	uint delays = P[T + 1u], d = pair % delays, source = pair / delays % P[T], k = pair / delays / P[T];
	uint delay = P[T + P[T + 10u] + d], q = T + P[T + 9u] + 12u * source, row = ringRow(q, S + k, delay);
	uint tile = cut / P[T + 3u], piece = cut % P[T + 3u], lo = P[q + 7u], hi = P[q + 8u], row0 = P[q + 9u];
	uint w = P[q + 10u] + n, bits;
	if (listedIn(source, q, row) != 0xffffffffu) {
		uint i = listAt(source, P[q + 5u] + row * P[q + 6u] + n);
		w = i >> 5;
		bits = 1u << (i & 31u);
	} else {
		bits = maskAt(source, P[q + 3u] + row * P[q + 2u] + w);
	}
	for (int i = 0; i < 32 && bits != 0u; i++) {
		uint neuron = 32u * w + uint(findLSB(bits));
		bits &= bits - 1u;
		if (neuron >= lo && neuron < hi) visit(k, row0 + neuron - lo, d, tile, piece);
	}
}

void main() {
	if (C[$FAULT] < S || C[$HALT] <= S) return;
	uint lane = gl_LocalInvocationID.x, teams = gl_NumWorkGroups.x * ($GROUPu / $TEAMu), team = gl_WorkGroupID.x * ($GROUPu / $TEAMu) + lane / $TEAMu;
	uint pairs = K * P[T] * P[T + 1u], cuts = P[T + 2u] * P[T + 3u], done = 0u;
	for (uint base = 0u; base < pairs; base += $PAIRSu) {
		uint sum = 0u;
		for (uint i = 0u; i < $EACHu; i++) {
			uint pair = base + lane * $EACHu + i;
			if (pair < pairs) sum += itemsOf(pair) * cuts;
			before[lane * $EACHu + i + 1u] = sum;
		}
		part[lane] = sum;
		groupMemoryBarrier(); barrier();
		for (uint d = 1u; d < $GROUPu; d *= 2u) {
			uint v = lane >= d ? part[lane - d] : 0u;
			groupMemoryBarrier(); barrier();
			part[lane] += v;
			groupMemoryBarrier(); barrier();
		}
		uint ahead = part[lane] - sum;
		for (uint i = 1u; i <= $EACHu; i++) before[lane * $EACHu + i] += ahead;
		if (lane == 0u) before[0] = 0u;
		groupMemoryBarrier(); barrier();
		uint total = before[$PAIRS];
		for (uint n = (team + teams - done % teams) % teams; n < total; n += teams) {
			uint lo = 0u, hi = $PAIRSu; // before[lo] <= n < before[hi]
			for (int i = 0; i < 10 && hi - lo > 1u; i++) {
				uint mid = (lo + hi) / 2u;
				if (before[mid] <= n) lo = mid; else hi = mid;
			}
			uint of = n - before[lo];
			item(base + lo, of / cuts, of % cuts);
		}
		done += total;
		groupMemoryBarrier(); barrier();
	}
	if (due > 0u) {
		uint old = atomicAdd(C[$DUE], due);
		if (old + due < old) atomicAdd(C[$DUE + 1], 1u);
	}
}
`

// deliverKernel adds packed weights to the accumulator of a FormDeliver stage.
func (l *layout) deliverKernel(stage, shards, group, team, width int) *kernel {
	acc := l.bufs[l.plan.Stages[stage].Acc]
	return l.walkKernel(stage, shards, group, team, func(k *kernel) {
		local := "word(h, P[H + 3u] + e / 2u) >> (16u * (e & 1u)) & 0xffffu"
		weight := fmt.Sprintf("P[T + %du]", walkUniform)
		switch width {
		case 16:
			k.line("uint w = word(h, P[H + 3u] + e);")
			local, weight = "(w & 0xffffu)", "uint(int(w) >> 16)"
		case 32:
			weight = "word(h, P[H + 4u] + e)"
		}
		if l.inject == "deliver-index" {
			local = "(" + local + " ^ 1u)"
		}
		if acc.arena < 0 {
			return // nobody reads this accumulator
		}
		k.line("uint target = P[H + 5u] + (%s);", local)
		at := cell{k, acc, fmt.Sprintf("P[T + %du] + k * P[T + %du] + target", walkAcc, walkStride)}
		k.line("%s;", at.atomic("Add", weight))
	})
}
