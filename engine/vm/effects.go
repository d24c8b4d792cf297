package vm

import (
	"unsafe"

	"synfire/engine/ir"
)

// An effect is a Scatter, Scatter2 or Put. Effects are made by Go code after the
// rest of the program has run over a block of lanes and left their operands in
// columns: lanes may meet in one word, which vectors cannot add to.
type effect struct {
	op      ir.Op
	slot    uint32
	a, b, c ir.Value
}

// applyEffects makes the effects of lanes 0 to n-1 of a block. The operands of
// effect k are columns[3*k:3*k+3]: one word for each lane of a block (a power of
// two), or one word for all. One effect may run over all lanes before the next
// one does: sums commute, and no two lanes put into one word.
func (l *lowered) applyEffects(e *ir.Env, n int, columns [][]uint32) {
	if l.mixed {
		for lane := range n {
			for k := range l.effects {
				l.effects[k].apply(e, lane, lane+1, columns[3*k:3*k+3])
			}
		}
		return
	}
	for k := range l.effects {
		l.effects[k].apply(e, 0, n, columns[3*k:3*k+3])
	}
}

func (f *effect) apply(e *ir.Env, lo, hi int, columns [][]uint32) {
	slot, a, b, c := e.Slots[f.slot], columns[0], columns[1], columns[2]
	am, bm, cm := len(a)-1, len(b)-1, len(c)-1
	if lo == 0 && len(a) >= hi && len(b) >= hi { // as a rule both are columns
		a, b := a[:hi], b[:hi]
		switch f.op {
		case ir.Scatter:
			add(slot, a, b)
			return
		case ir.Put:
			put(slot, a, b)
			return
		}
	}
	switch f.op {
	case ir.Scatter:
		for i := lo; i < hi; i++ {
			slot[a[i&am]] += b[i&bm]
		}
	case ir.Put:
		for i := lo; i < hi; i++ {
			slot[a[i&am]] = b[i&bm]
		}
	case ir.Scatter2:
		for i := lo; i < hi; i++ {
			if b[i&bm]|c[i&cm] == 0 { // small or large, it adds to one of two sums
				continue
			}
			at := slot[2*a[i&am]:][:2]
			sum := (uint64(at[1])<<32 | uint64(at[0])) + (uint64(c[i&cm])<<32 | uint64(b[i&bm]))
			at[0], at[1] = uint32(sum), uint32(sum>>32)
		}
	}
}

// put sets word at[i] of slot to words[i], add adds it. Indices are trusted.
func put(slot, at, words []uint32) {
	to := unsafe.Pointer(unsafe.SliceData(slot))
	for ; len(at) >= 4 && len(words) >= 4; at, words = at[4:], words[4:] {
		*element(to, at[0]) = words[0]
		*element(to, at[1]) = words[1]
		*element(to, at[2]) = words[2]
		*element(to, at[3]) = words[3]
	}
	for i, at := range at {
		slot[at] = words[i]
	}
}

func add(slot, at, words []uint32) {
	to := unsafe.Pointer(unsafe.SliceData(slot))
	for ; len(at) >= 4 && len(words) >= 4; at, words = at[4:], words[4:] {
		*element(to, at[0]) += words[0]
		*element(to, at[1]) += words[1]
		*element(to, at[2]) += words[2]
		*element(to, at[3]) += words[3]
	}
	for i, at := range at {
		slot[at] += words[i]
	}
}

func element(of unsafe.Pointer, k uint32) *uint32 { return (*uint32)(unsafe.Add(of, 4*uintptr(k))) }
