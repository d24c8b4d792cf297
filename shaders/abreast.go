//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// abreast is the memory of programs that are alike, such as trials of one network, side by side in the same buffers: P, C
// and arenas of each at a distance of its own. One dispatch then serves neighbours, a work group's z
// being whose it is (offset in seats.go), so that small networks fill a GPU together.
type abreast struct {
	key   string
	bases []*memoryBuffer // of P, C and arenas: one behind the other, those of all seats
	words []int           // of one seat
	seats []*program      // nil: free
}

// side is a buffer of one program among those of its neighbours; where it is will be known when the program's texts are.
func (p *program) side(words int) *memoryBuffer {
	words = (max(words, 4) + 63) &^ 63
	return &memoryBuffer{words: words, by: p.d.stage}
}

// buffers are P, C and the arenas.
func (p *program) buffers() []*memoryBuffer {
	return append([]*memoryBuffer{p.params, p.control}, p.arenas...)
}

// sit gives the program a place beside those whose dispatches and tables are the same.
func (p *program) sit() error {
	var key strings.Builder
	for _, list := range [][]dispatch{p.passes, p.prime} {
		for i := range list {
			x := &list[i]
			fmt.Fprintf(&key, "%d %d %d %d %t %v", x.program, x.table, x.bodies, x.groups, x.barrier, x.flags)
			for _, b := range x.buffers {
				if at := slices.Index(p.buffers(), b); at >= 0 {
					fmt.Fprintf(&key, " %d", at)
				} else {
					fmt.Fprintf(&key, " %p", b)
				}
			}
		}
	}
	var words []int
	for _, b := range p.buffers() {
		words = append(words, b.words)
	}
	fmt.Fprint(&key, words, p.l.sc.span) // a dispatch of all is as many steps of each
	a := p.d.vacant(key.String())
	if a == nil {
		a = &abreast{key: key.String(), words: words}
		for range words {
			a.bases = append(a.bases, &memoryBuffer{by: p.d.stage})
		}
		p.d.abreast = append(p.d.abreast, a)
	}
	seat := slices.Index(a.seats, nil)
	if seat < 0 {
		if err := p.d.lengthen(a); err != nil {
			return err
		}
		seat = slices.Index(a.seats, nil)
	}
	a.seats[seat] = p
	p.beside, p.seat = a, seat
	for i, b := range p.buffers() {
		b.base, b.from = a.bases[i], seat*a.words[i]
		b.fill(0, b.words, 0)
	}
	return p.d.check("allocating memory of a trial")
}

// vacant is the memory of a kind that has a seat, or room for one.
func (d *device) vacant(key string) *abreast {
	for _, a := range d.abreast {
		if a.key == key && (slices.Contains(a.seats, nil) || (1+len(a.seats))*slices.Max(a.words) <= d.blockWords()) {
			return a
		}
	}
	return nil
}

// lengthen makes twice as many seats, as far as blocks allow.
func (d *device) lengthen(a *abreast) error {
	seats := min(max(1, 2*len(a.seats)), max(1, d.blockWords()/slices.Max(a.words)))
	for i, b := range a.bases {
		old := *b
		longer, err := d.reserve(seats * a.words[i])
		if err != nil {
			return err
		}
		*b = *longer
		d.used += 4 * int64(b.words-old.words)
		if old.words > 0 {
			gl.BindBuffer(gl.COPY_READ_BUFFER, old.id)
			gl.BindBuffer(gl.COPY_WRITE_BUFFER, b.id)
			gl.CopyBufferSubData(gl.COPY_READ_BUFFER, gl.COPY_WRITE_BUFFER, 0, 0, 4*old.words)
			old.free()
		}
	}
	d.bound = nil // where the old ones were
	a.seats = append(a.seats, make([]*program, seats-len(a.seats))...)
	return d.check("allocating memory of trials")
}

// leave gives a program's seat back, and the memory with the last.
func (p *program) leave() {
	a := p.beside
	a.seats[p.seat] = nil
	if slices.ContainsFunc(a.seats, func(p *program) bool { return p != nil }) {
		return
	}
	for _, b := range a.bases {
		p.d.used -= 4 * int64(b.words)
		b.free()
	}
	p.d.bound = nil
	p.d.abreast = slices.DeleteFunc(p.d.abreast, func(x *abreast) bool { return x == a })
}

// place sets the uniforms that say where the memory of a dispatch's programs is: the first seat, and the distances.
func (p *program) place(x *dispatch) {
	if p.beside == nil {
		return
	}
	at := []uint32{uint32(p.seat)}
	for _, b := range x.buffers {
		if b.base != nil {
			at = append(at, uint32(b.words))
		}
	}
	gl.Uniform1uiv(x.seats, int32(len(at)), &at[0])
}

// call is a dispatch of a program, for k steps from step s on.
type call struct {
	p    *program
	x    *dispatch
	s, k int
}

// follows says that one dispatch can serve c and, beside it, the next program's.
func (c call) follows(last call, seats int) bool {
	return c.p.beside != nil && c.p.beside == last.p.beside && c.p.seat == last.p.seat+seats && (c.x.s < 0 || c.s == last.s && c.k == last.k)
}

// dispatchAll makes dispatches that do not wait for one another: of neighbours together.
func dispatchAll(calls []call) {
	for len(calls) > 0 {
		n := 1
		for n < len(calls) && calls[n].follows(calls[0], n) {
			n++
		}
		calls[0].p.dispatch(calls[0].x, calls[0].s, calls[0].k, n)
		calls = calls[n:]
	}
}
