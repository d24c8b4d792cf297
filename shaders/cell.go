package shaders

import (
	"fmt"
	"slices"
	"strings"
)

// cell is a word of an array in the text of a kernel; index is an expression
// that counts from the beginning of the region's first arena.
type cell struct {
	k     *kernel
	r     region
	index string
}

// get is the word.
func (p cell) get() string {
	if p.r.pieces < 2 {
		return fmt.Sprintf("%s[%s]", p.k.arena(p.r.arena), p.index)
	}
	return fmt.Sprintf("get%d(%s)", p.k.across(p.r, "get"), p.index)
}

// set is the statement that stores a word.
func (p cell) set(word string) string {
	if p.r.pieces < 2 {
		return fmt.Sprintf("%s = %s;", p.get(), word)
	}
	return fmt.Sprintf("set%d(%s, %s);", p.k.across(p.r, "set"), p.index, word)
}

// atomic is an atomic operation, "Add", "Or" or "Xor", whose value is the word before.
func (p cell) atomic(op, word string) string {
	if p.r.pieces < 2 {
		return fmt.Sprintf("atomic%s(%s, %s)", op, p.get(), word)
	}
	return fmt.Sprintf("atomic%s%d(%s, %s)", op, p.k.across(p.r, op), p.index, word)
}

// pieced is an array that lies in several arenas of a kernel, and what is done to it.
type pieced struct {
	arenas []string
	piece  int
	ops    []string
}

// across is the number of a kernel's functions for an array in several arenas.
func (k *kernel) across(r region, op string) int {
	var names []string
	for i := range r.pieces {
		names = append(names, k.arena(r.arena+i))
	}
	n := slices.IndexFunc(k.pieced, func(p *pieced) bool { return slices.Equal(p.arenas, names) })
	if n < 0 {
		n = len(k.pieced)
		k.pieced = append(k.pieced, &pieced{arenas: names, piece: r.piece})
	}
	if !slices.Contains(k.pieced[n].ops, op) {
		k.pieced[n].ops = append(k.pieced[n].ops, op)
	}
	return n
}

// functions prints the functions of array n.
func (p *pieced) functions(b *strings.Builder, n int) {
	for _, op := range p.ops {
		head, do := fmt.Sprintf("uint atomic%s%d(uint i, uint w)", op, n), "return atomic"+op+"(%s[i - %du], w);"
		switch op {
		case "get":
			head, do = fmt.Sprintf("uint get%d(uint i)", n), "return %s[i - %du];"
		case "set":
			head, do = fmt.Sprintf("void set%d(uint i, uint w)", n), "%s[i - %du] = w;"
		}
		b.WriteString(head + " {\n")
		for i, a := range p.arenas {
			here := fmt.Sprintf(do, a, i*p.piece)
			switch {
			case i == len(p.arenas)-1:
				fmt.Fprintf(b, "\t%s\n", here)
			default:
				fmt.Fprintf(b, "\tif (i < %du) { %s", (i+1)*p.piece, here)
				if op == "set" {
					b.WriteString(" return;")
				}
				b.WriteString(" }\n")
			}
		}
		b.WriteString("}\n")
	}
}

// clonePieced copies what across notes, to go back to it.
func (k *kernel) clonePieced() []*pieced {
	var out []*pieced
	for _, p := range k.pieced {
		out = append(out, &pieced{p.arenas, p.piece, slices.Clone(p.ops)})
	}
	return out
}
