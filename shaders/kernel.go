package shaders

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// kernel is the text of a dispatch and what it binds: P, C, then its arenas,
// then whatever follows.
type kernel struct {
	text
	l         *layout
	arenas    []int // blocks 2, 3, ...
	pieced    []*pieced
	walks     []*walk
	shards    []*shard // what it binds after its arenas
	group     int      // lanes of a work group
	single    bool     // it is a whole pass
	loop      bool     // and makes many of them (loop.go), whose groups look so often for the others, and do not come where the host says so
	polls     int
	fails     bool
	parts     []uint32 // first group, function, parameters of each body and walk
	texts     []*bodyText
	table     int  // uniform Q: where the table of its parts begins in P
	bodies    int  // uniform N: their number
	groups    int  // work groups
	always    bool // it also runs where all its stages' flags are 0
	stages    []int
	draws     int // most random words that one of its bodies makes for all lanes together
	near      int // most rows that one lane of its bodies names for delivery after one step
	walkParts int // parts that walks have together; 0: as many as suit the device
}

const (
	blockP = 0
	blockC = 1
	blockA = 2
)

// arena is the name of the array that holds arena a.
func (k *kernel) arena(a int) string {
	i := slices.Index(k.arenas, a)
	if i < 0 {
		i = len(k.arenas)
		k.arenas = append(k.arenas, a)
	}
	return fmt.Sprintf("A%d", i)
}

// head is all that comes before a kernel's own functions.
func (k *kernel) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#version 430\nlayout(local_size_x = %d) in;\n", k.group)
	fmt.Fprintf(&b, "layout(std430, binding = %d) readonly restrict buffer BP { uint P[]; };\n", blockP)
	fmt.Fprintf(&b, "layout(std430, binding = %d) coherent restrict buffer BC { uint C[]; };\n", blockC)
	shared := ""
	if k.loop { // what one group writes others read in the same dispatch
		shared = "coherent "
	}
	for i := range k.arenas {
		fmt.Fprintf(&b, "layout(std430, binding = %d) %srestrict buffer B%d { uint A%d[]; };\n", blockA+i, shared, i, i)
	}
	for h := range k.shards {
		fmt.Fprintf(&b, "layout(std430, binding = %d) readonly restrict buffer BE%d { uint E%d[]; };\n", blockA+len(k.arenas)+h, h, h)
	}
	switch {
	case k.loop:
		b.WriteString("uniform uint Q, N, PASSES, FAIL; // table of parts in P, their number, passes to make, a rendezvous that is to fail\nuint S, K, T; // first step, steps, parameters in P\n")
	case k.single:
		b.WriteString("uniform uint Q, N; // table of parts in P, their number\nuint S, K, T; // first step, steps, parameters in P\n")
	default:
		b.WriteString("uniform uint S, K, Q, N; // first step, steps, table of parts in P, their number\nuint T; // parameters in P\n")
	}
	for n, p := range k.pieced {
		p.functions(&b, n)
	}
	if k.draws > 0 {
		fmt.Fprintf(&b, "shared uint words[%d];\n", k.draws*k.group)
	}
	if k.near > 0 {
		fmt.Fprintf(&b, "shared uint near[%d]; // their number, then walk and row of each\n", 1+2*k.near*k.group)
	}
	prelude := prelude
	if k.l.inject == "rounding" { // one value in 256 is stored one unit in the last place away
		prelude = strings.Replace(prelude, "uint m = a & 0x7fffffffu;", "a ^= uint((a & 0xffu) == 0xffu); uint m = a & 0x7fffffffu;", 1)
	}
	b.WriteString(strings.NewReplacer("KEY", fmt.Sprintf("uvec2(P[%d], P[%d])", parKey, parKey+1), "DRAWN", fmt.Sprintf("P[%d]", parDrawn)).Replace(prelude))
	return b.String()
}

// prepend puts the head before the text that was written without knowing it.
func (k *kernel) prepend(head string) {
	var t text
	t.lines(head)
	t.add(k.String())
	t.origins = append(t.origins, k.origins...)
	k.text = t
}

// mostTexts is the number of different bodies in one kernel. Compilers take
// more than twice as long for twice as many, and some nest branches too deep:
// softpipe forgets lanes beyond some thirty.
const mostTexts = 8

// mapKernels are the kernels of a segment of bodies, each with at most so many
// storage blocks if it can be, to be dispatched without a barrier between them.
// Bodies whose text is the same share a function; what differs stands in P. A
// body with arrays that are larger than a block has a kernel for the lanes of
// each piece, which differ in what they bind. k, if there is one, is what they begin with.
func (l *layout) mapKernels(k *kernel, seg *segment, group, blocks int) []*kernel {
	var out []*kernel
	if k != nil {
		out = append(out, k)
	}
	finish := func() {
		if k != nil {
			k.finish()
		}
		k = nil
	}
	for _, b := range seg.bodies {
		step := l.step(b)
		if step < b.n {
			finish()
		}
		for lo := 0; lo < b.n; lo += step {
			hi := min(lo+step, b.n)
			w, at := (*bodyWriter)(nil), -1
			if k != nil {
				arenas, ops := slices.Clone(k.arenas), k.clonePieced()
				w = l.writeBody(k, b, lo, hi, group)
				at = slices.IndexFunc(k.texts, func(x *bodyText) bool { return x.t.String() == w.t.String() })
				if at < 0 && (len(k.texts) == mostTexts || blockA+len(k.arenas)+len(k.shards) > blocks) {
					k.arenas, k.pieced = arenas, ops
					finish()
				}
			}
			if k == nil {
				k = &kernel{l: l, group: group}
				out = append(out, k)
				w = l.writeBody(k, b, lo, hi, group)
			}
			if at < 0 {
				at = len(k.texts)
				k.texts = append(k.texts, &bodyText{t: w.t, params: len(w.params)})
			}
			k.texts[at].constants = append(k.texts[at].constants, w.constants)
			k.stages = append(k.stages, b.stages...)
			k.draws, k.near = max(k.draws, len(w.draws)), max(k.near, w.near)
			k.always = k.always || w.always
			k.part((hi-lo+group-1)/group, at, len(l.params))
			l.params = append(append(l.params, w.params...), w.constants...)
			if step < b.n {
				finish()
			}
		}
	}
	finish()
	return out
}

// bodyText is the text of bodies that differ in words of P alone: params of them, then constants, which
// stand in the text as marks (constantMark) until it is known whether they differ.
type bodyText struct {
	t         text
	params    int
	constants [][]uint32 // of each body
}

// constantMark stands for constant i of a body.
func constantMark(i int) string { return fmt.Sprintf("\x01%d\x02", i) }

// print writes the function of a text: a constant that is the same in all bodies as it is, one that differs
// as a variable that is read first.
func (x *bodyText) print(k *kernel, number int) {
	k.line("void body%d(uint lane, uint B) {", number)
	var marks []string
	for i, c := range x.constants[0] {
		word := fmt.Sprintf("0x%xu", c)
		if slices.ContainsFunc(x.constants, func(all []uint32) bool { return all[i] != c }) {
			word = fmt.Sprintf("c%d", i)
			k.line("uint %s = P[B + %du];", word, x.params+i)
		}
		marks = append(marks, constantMark(i), word)
	}
	k.add(strings.NewReplacer(marks...).Replace(x.t.String()))
	k.origins = append(k.origins, x.t.origins...)
	k.line("}")
}

// part adds work groups for a function.
func (k *kernel) part(groups, function, params int) {
	k.parts = append(k.parts, uint32(k.groups), uint32(function), uint32(params))
	k.groups += groups
}

// step is how many lanes of a body one kernel takes: as many as a piece has
// words if an array of theirs lies in pieces, else all.
func (l *layout) step(b *body) int {
	own := []region{}
	if b.clear != backend.NoBuf {
		own = append(own, l.bufs[b.clear])
	}
	for _, i := range b.stages {
		s := &l.plan.Stages[i]
		switch {
		case b.gather:
		case s.Form == backend.FormSample:
			own = append(own, l.recs[i].items)
			fallthrough
		case s.Form == backend.FormSpikes:
			for _, src := range s.Rec.Src {
				own = append(own, l.bufs[src.Buf])
			}
		default:
			for _, in := range s.Prog.Ins {
				if in.Op == ir.Load || in.Op == ir.Store {
					own = append(own, l.bufs[s.Bind[in.Imm].Buf])
				}
			}
		}
	}
	if slices.ContainsFunc(own, func(r region) bool { return r.pieces > 1 }) {
		return l.arenas.most
	}
	return max(b.n, 1)
}

func (l *layout) writeBody(k *kernel, b *body, lo, hi, group int) *bodyWriter {
	w := &bodyWriter{k: k, l: l, b: b, lo: lo, hi: hi, group: group, keys: map[string]int{}}
	w.write()
	// Parameters are read once, in front of everything else.
	var t text
	t.depth = 1
	for i := range w.params {
		t.line("uint x%d = P[B + %du];", i, i)
	}
	t.add(w.t.String())
	t.origins = append(t.origins, w.t.origins...)
	w.t = t
	return w
}

// finish adds the function main, which finds a group's part, and the head.
func (k *kernel) finish() {
	k.table, k.bodies = len(k.l.params), len(k.parts)/3
	k.l.params = append(k.l.params, k.parts...)
	if k.loop {
		k.l.params = append(k.l.params, uint32(k.groups))
	}
	for i, x := range k.texts {
		x.print(k, i)
	}
	if k.loop {
		k.loopMain()
	} else {
		k.main()
	}
	k.prepend(k.head())
}

// main prints the function of a kernel whose work groups each have one part.
func (k *kernel) main() {
	k.line("void main() {")
	k.line("uint lane = gl_LocalInvocationID.x;")
	if k.single {
		k.lines("\tS = C[<C.STEP>]; // the group that ends last writes the next one's\n\tK = P[<P.STEPS>] - S;\n")
		k.line("K = K < P[%d] ? K : P[%d];", parSpan, parSpan)
		k.line("if (S >= P[<P.STEPS>]) return;")
	}
	k.line("if (C[<C.FAULT>] < S || C[<C.HALT>] <= S) return;")
	if k.near > 0 {
		k.line("if (lane == 0u) near[0] = 0u;")
		k.line("groupMemoryBarrier(); barrier();")
	}
	k.line("uint g = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, b = 0u;")
	k.onePart()
	if k.single {
		k.line("memoryBarrier(); barrier();")
		k.line("if (lane == 0u && atomicAdd(C[<C.LEFT>], 1u) + 1u == gl_NumWorkGroups.x * gl_NumWorkGroups.y) {")
		k.line("memoryBarrier();")
		k.takeEvents()
		k.line("C[<C.LEFT>] = 0u;")
		k.line("C[<C.STEP>] = S + K;")
		k.line("}")
	}
	k.line("}")
}

// onePart prints what the lanes of a work group do as group g of all parts: find the part, do its work, deliver what its neurons sent.
func (k *kernel) onePart() {
	k.line("while (b + 1u < N && g >= P[Q + 3u * b + 3u]) b++;")
	k.line("g -= P[Q + 3u * b];")
	k.line("T = P[Q + 3u * b + 2u];")
	k.line("switch (P[Q + 3u * b + 1u]) {")
	for i := range k.texts {
		k.line("case %du: body%d(g * %du + lane, T); break;", i, i, k.group)
	}
	for _, w := range k.walks {
		k.line("case %du: walk%d(g); break;", mostTexts+w.number, w.number)
	}
	k.line("}")
	if k.near > 0 {
		k.line("groupMemoryBarrier(); barrier();")
		k.line("for (uint i = 0u; i < near[0]; i++) {")
		k.line("switch (near[2u * i + 1u]) {")
		for _, w := range k.walks {
			if w.near() {
				k.line("case %du: T = P[Q + %du]; near%d(S + 1u, near[2u * i + 2u]); break;", w.number, 3*w.number+2, w.number)
			}
		}
		k.line("}")
		k.line("}")
	}
}

// takeEvents prints how one lane takes in the events of the steps of a pass, which were counted ahead.
func (k *kernel) takeEvents() {
	if len(k.walks) == 0 {
		return
	}
	k.line("for (uint k = 0u; k < K; k++) {")
	k.line("uint at = P[%d] + 2u * ((P[<P.STEP>] + S + k) & P[%d]), low = C[at], sum = C[<C.DUE>] + low;", parDueAt, parSlots)
	k.line("C[<C.DUE> + 1u] += C[at + 1u] + (sum < low ? 1u : 0u);")
	k.line("C[<C.DUE>] = sum;")
	k.line("C[at] = 0u;")
	k.line("C[at + 1u] = 0u;")
	k.line("}")
}
