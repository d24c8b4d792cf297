package connect

import (
	"hash/fnv"
	"math"
	"sync"

	"synfire/engine/host"
)

// Ranks share out whatever goes through all synapses: of the blocks of a list that
// threads would take one after the other, rank r of R takes r, r+R, r+2R, ... What
// they find there is then told to all of them (this file), and the synapses
// themselves to those that hold their targets (swap.go). So a rank draws its part
// of each list, whatever the rule, and the lists are those of one process.

// lock takes a lock, unless ranks do the work: these make the same calls in the same
// order, so that there is one at a time.
func lock(mu *sync.Mutex, w host.Work) (unlock func()) {
	if w.Ranks != nil {
		return func() {}
	}
	mu.Lock()
	return mu.Unlock
}

// turns calls f as parallel does, for a rank's share of items 0 to n-1.
func turns(w host.Work, n int, f func(worker, item int) error) (int, error) {
	if w.Ranks == nil {
		return handOut(w, n, f)
	}
	rank, size := w.Ranks.Rank(), w.Ranks.Size()
	item, err := handOut(w, max(0, n-rank+size-1)/size, func(worker, k int) error { return f(worker, rank+k*size) })
	return rank + item*size, err
}

// shared is turns, after which all ranks go on with what each has found, or have the
// same error.
func (p *Proj) shared(w host.Work, n int, f func(worker, item int) error) ([][]uint32, error) {
	item, err := turns(w, n, f)
	return w.Meet(p.print(), item, err)
}

// found is what a rank finds in its share, as words, and how others' is added to it.
type found interface {
	words() []uint32
	join([]uint32)
}

// take is shared in two halves, for a walk: hand hands out a rank's share of blocks,
// and meet makes what was found in it that of all ranks.
func (p *Proj) take(w host.Work) (hand func(host.Work, int, func(worker, item int) error) error, meet func(error, found) error) {
	at := 0
	hand = func(w host.Work, n int, f func(worker, item int) error) (err error) {
		at, err = turns(w, n, f)
		return err
	}
	return hand, func(err error, own found) error {
		if w.Ranks == nil {
			return err
		}
		var words []uint32
		if own != nil {
			words = own.words()
		}
		all, err := w.Meet(p.print(), at, err, words...)
		if err == nil && own != nil {
			for rank, of := range all {
				if rank != w.Ranks.Rank() {
					own.join(of)
				}
			}
		}
		return err
	}
}

// inTurn calls f for every projection of a Spec, of which each rank takes some.
func (s *Spec) inTurn(w host.Work, f func(n int) error) error {
	for n := range s.Projs {
		if w.Ranks != nil && n%w.Ranks.Size() != w.Ranks.Rank() {
			continue
		}
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// add adds up what ranks have counted.
func add(w host.Work, counts []uint32) {
	if w.Ranks != nil {
		w.Ranks.Sum(counts)
	}
}

// addFloats does so with multiples of a quantum, up to 2^53 of them: by 16 bits, so
// that sums stay below 2^32.
func addFloats(w host.Work, sums []float64, quantum float64) {
	if w.Ranks == nil || quantum == 0 {
		return
	}
	parts := make([]uint32, 4*len(sums))
	for k, x := range sums {
		for n, whole := 0, uint64(x/quantum); n < 4; n++ {
			parts[4*k+n] = uint32(whole >> (16 * n) & 0xffff)
		}
	}
	w.Ranks.Sum(parts)
	for k := range sums {
		whole := uint64(0)
		for n := range 4 {
			whole += uint64(parts[4*k+n]) << (16 * n)
		}
		sums[k] = float64(float64(whole) * quantum)
	}
}

// print tells projections apart, so that ranks which have come to describe different
// networks see it before they exchange counts of different lengths.
func (p *Proj) print() uint32 {
	words := []uint32{uint32(p.Rule), uint32(p.NPre), uint32(p.NPost), uint32(p.N), uint32(p.Repeat), uint32(len(p.J)), p.Seed[0], p.Seed[1], p.Stream}
	bits := math.Float64bits(p.P)
	return print32(p.Name, append(words, uint32(bits), uint32(bits>>32)))
}

func (s *Spec) print() uint32 {
	words := []uint32{uint32(s.NSrc), uint32(s.NTgt)}
	for _, p := range s.Projs {
		words = append(words, p.print())
	}
	return print32(s.Name, words)
}

func print32(name string, words []uint32) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	for _, w := range words {
		h.Write([]byte{byte(w), byte(w >> 8), byte(w >> 16), byte(w >> 24)})
	}
	return h.Sum32()
}

// words of a tally are the largest weight, and the delays that were seen.
func (t *tally) words() []uint32 {
	words := []uint32{math.Float32bits(t.largest)}
	for d, yes := range t.seen {
		if yes {
			words = append(words, uint32(d))
		}
	}
	return words
}

func (t *tally) join(words []uint32) {
	t.largest = max(t.largest, math.Float32frombits(words[0]))
	for _, d := range words[1:] {
		t.seen[d] = true
	}
}

func (q *Weights) words() []uint32 { return floats(q.Least, q.Most, q.Grain) }

func (q *Weights) join(words []uint32) {
	q.add(Weights{float(words[0:]), float(words[2:]), float(words[4:])})
}

func (q *Weights) add(o Weights) {
	q.Least, q.Most, q.Grain = min(q.Least, o.Least), max(q.Most, o.Most), min(q.Grain, o.Grain)
}

func (q *bounds) words() []uint32 { return []uint32{math.Float32bits(q.lo), math.Float32bits(q.hi)} }

func (q *bounds) join(words []uint32) {
	q.lo, q.hi = min(q.lo, math.Float32frombits(words[0])), max(q.hi, math.Float32frombits(words[1]))
}

func (s *Shape) words() []uint32 {
	few := 0.0
	if s.few {
		few = 1
	}
	return floats(s.SD, s.Skew, s.Tail, s.Median, s.Least, few)
}

// read takes a shape from words, and returns those behind it.
func (s *Shape) read(words []uint32) []uint32 {
	*s = Shape{float(words), float(words[2:]), float(words[4:]), float(words[6:]), float(words[8:]), float(words[10:]) != 0}
	return words[12:]
}

func floats(all ...float64) []uint32 {
	var words []uint32
	for _, x := range all {
		b := math.Float64bits(x)
		words = append(words, uint32(b), uint32(b>>32))
	}
	return words
}

func float(words []uint32) float64 {
	return math.Float64frombits(uint64(words[0]) | uint64(words[1])<<32)
}
