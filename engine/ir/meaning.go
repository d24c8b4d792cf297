package ir

// A Meaning says what a value is as a real number, where its instructions do not
// show it: bits taken apart, roundings. Derivatives (Reverse) go by it; nothing
// else does, and programs that are equal but for their meanings have the same bits.
type Meaning struct {
	As    As
	Value Value
	Of    Value   // what it is made of; None: nothing
	Scale float64 // of a fixed-point number
}

// As is what a value stands for.
type As uint8

// What values stand for. Of a fixed-point number of two words the low one stands
// for both.
const (
	Whole   As = iota // a number rounded to a whole one: its derivative is 0
	Rounded           // the fixed-point number of Of: Of * Scale
	Total             // the real number of the fixed-point sum Of: Of / Scale
)

// whole notes that k is rounded to a whole number by an addition.
func (b *Builder) whole(k Value) Value {
	b.means(Meaning{Whole, k, None, 0})
	return k
}

// moved are meanings after values have moved; of what is gone there is none.
func moved(means []Meaning, to []Value) (out []Meaning) {
	for _, m := range means {
		m.Value = to[m.Value]
		if m.Of != None {
			if m.Of = to[m.Of]; m.Of == None {
				continue
			}
		}
		if m.Value != None {
			out = append(out, m)
		}
	}
	return out
}
