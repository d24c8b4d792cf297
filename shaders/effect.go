package shaders

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// effect prints a walk that runs the program of a FormEffect stage for each synapse that is
// due and has a number from lo up to hi; all says that none has another. Entries
// of its shards are numbers of synapses, or with selves number themselves, then
// far ends. ordered: the synapses run one after the other, in their order.
func (w *walk) effect(lo, hi int, all, ordered bool) {
	k, l, stage := w.k, w.k.l, w.stage
	s := &l.plan.Stages[stage]
	entry := func(w *walk) {
		number := fmt.Sprintf("word%d(h, P[H + <SHARD.ENTRIES>] + e)", w.number)
		if w.rows.selves {
			number = "P[H + <SHARD.BASE>] + e"
		}
		k.line("uint lane = %s;", number)
		if !all {
			k.line("if (lane - %s >= %s) continue;", w.param("first", lo), w.param("lanes", hi-lo))
		}
		at := func(n uint32, index string) cell {
			b := s.Bind[n]
			r := l.bufs[b.Buf]
			if s.Prog.Slots[n].Kind == ir.Array {
				r = r.part(b.Off+lo, b.Off+hi)
			}
			return cell{k, r, fmt.Sprintf("%s + %s", w.param(fmt.Sprintf("slot %d", n), r.off+b.Off), index)}
		}
		emit(&k.text, s.Prog, &memory{
			lane: "lane", step: "step",
			host: func(n uint32) string {
				return fmt.Sprintf("P[P[%d] + s * %s + %du]", parHost, w.param("hostN", l.hostN), n)
			},
			load: func(n uint32) string {
				switch b := s.Bind[n]; {
				case b.Buf != backend.NoBuf:
					return at(n, "lane").get()
				case (b.Off == backend.SlotSource) != s.Post:
					return "row"
				}
				return fmt.Sprintf("word%d(h, P[H + <SHARD.FAR>] + e)", w.number)
			},
			store: func(n uint32, word string) string { return at(n, "lane").set(word) },
			at:    at,
			trap: func(code uint32) string {
				least := w.param(fmt.Sprintf("trap %d", code), l.faults+l.rank[[2]int{stage, int(code)}])
				return fmt.Sprintf("atomicMin(C[%s], lane); atomicMin(C[%d], s);", least, ctlFault)
			},
		})
	}
	if ordered {
		w.ordered(entry)
	} else {
		w.visits(nil, entry)
	}
}

// needsFar says whether an effect binds the end that is not its row.
func needsFar(s *backend.Stage) bool {
	for _, b := range s.Bind {
		if b.Buf == backend.NoBuf && (b.Off == backend.SlotTarget) != s.Post {
			return true
		}
	}
	return false
}

// Where a synapse may see what another one wrote in the same step, a single
// invocation works them off, in the order of the reference: by delay, source,
// neuron and number. It makes so many rounds of loops at most, some
// milliseconds on a device and far from what llvmpipe's loops have in all, and
// leaves word of where it stopped to the next dispatch, of which there are as many as
// a step needs in which everything fires.
const mostRounds = 1 << 12

// ordered prints the walk of an effect whose synapses have an order, with its main.
func (w *walk) ordered(entry func(w *walk)) {
	k := w.k
	k.line("uint pair = 0u, w = 0u, seen = 0u, at = 0u, rounds = 0u;")
	k.line("bool visit(uint row, uint d) {")
	k.line("uint s = S, step = P[%d] + s, H = T + P[T + %du];", parStep, walkShardAt)
	k.line("for (uint h = 0u; h < %du; h++, H += %du) {", len(w.shards), shardSize)
	k.line("rounds++;")
	k.line("if (row < P[H + <SHARD.FROM>] || row >= P[H + <SHARD.TO>]) continue;")
	k.line("uint g = (row - P[H + <SHARD.FROM>]) * P[T + <DELAYS>] + d, to = word%d(h, g + 1u);", w.number)
	k.line("for (uint e = word%d(h, g) + at; e < to; e++) {", w.number)
	k.line("if (rounds >= %du) return false;", mostRounds)
	k.line("rounds++;")
	k.line("at++;")
	k.line("due%d += P[T + <COUNT>];", w.number)
	entry(w)
	k.line("}")
	k.line("}")
	k.line("return true;")
	k.line("}")
	w.lines(orderedText)
}

const orderedText = `
// What is due, from where the last dispatch stopped: pairs of a delay and a source, words of the mask, neurons that were
// seen of word w, synapses of the next one that are done.
void walk#() {
	uint pairs = P[T + <SOURCES>] * P[T + <DELAYS>];
	for (; pair < pairs; pair++) {
		uint d = pair / P[T + <SOURCES>], source = pair % P[T + <SOURCES>];
		uint delay = P[T + P[T + <DELAYAT>] + d], q = T + P[T + <SOURCEAT>] + <SOURCE.SIZE> * source, row = ringRow#(P[q + <SOURCE.RING>], S, delay);
		uint words = serves#(S, delay, 0u) ? P[q + <SOURCE.WORDS>] : 0u;
		for (; w < words; w++) {
			uint first = P[q + <SOURCE.FIRST>] + w, bits = seen > 31u ? 0u : maskAt#(source, P[q + <SOURCE.MASKS>] + row * P[q + <SOURCE.ROW>] + first) & (0xffffffffu << seen);
			while (bits != 0u) {
				uint bit = uint(findLSB(bits)), neuron = 32u * first + bit;
				bits &= bits - 1u;
				rounds++;
				seen = bit;
				if (neuron >= P[q + <SOURCE.LO>] && neuron < P[q + <SOURCE.HI>] && !visit(P[q + <SOURCE.FIRSTROW>] + neuron - P[q + <SOURCE.LO>], d)) return;
				seen = bit + 1u;
				at = 0u;
				if (rounds >= $MOSTu) return;
			}
			seen = 0u;
			if (++rounds >= $MOSTu) { w++; return; }
		}
		w = 0u;
		if (++rounds >= $MOSTu) { pair++; return; }
	}
}

void main() {
	if (C[<C.FAULT>] < S || C[<C.HALT>] <= S) return;
	T = Q;
	if (N > 0u) {
		pair = C[$CURSOR];
		w = C[$CURSOR + 1];
		seen = C[$CURSOR + 2];
		at = C[$CURSOR + 3];
	}
	walk#();
	C[$CURSOR] = pair;
	C[$CURSOR + 1] = w;
	C[$CURSOR + 2] = seen;
	C[$CURSOR + 3] = at;
	told#();
}
`
