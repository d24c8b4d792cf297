package array

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine/script/memory"
)

// maxPrinted bounds how deep a value is that is printed, as Python bounds it.
const maxPrinted = 1000

// maxElementsPrinted bounds how many values a text shows, of lists that hold one list many times too.
const maxElementsPrinted = 1 << 23

// TextSize is the size of a value's text, nearly, or an error if it is nested
// too deep or too large: the text repeats what a value holds more than once.
func TextSize(v starlark.Value) (int, error) {
	w := textWalk{inside: map[starlark.Value]bool{}}
	err := w.add(v, 0)
	return w.n, err
}

type textWalk struct {
	n, told, values int
	inside          map[starlark.Value]bool // lists and dictionaries around the value
}

func (w *textWalk) add(v starlark.Value, depth int) error {
	if depth > maxPrinted {
		return fmt.Errorf("this is nested more than %d deep", maxPrinted)
	}
	if w.values++; w.values > maxElementsPrinted {
		return fmt.Errorf("more than %d values are too many for a text", maxElementsPrinted)
	}
	if w.n-w.told > 1<<20 {
		if err := memory.Room(w.n, 2); err != nil {
			return err
		}
		w.told = w.n
	}
	all := func(it starlark.Iterator) error {
		defer it.Done()
		var e starlark.Value
		for it.Next(&e) {
			w.n += 2
			if err := w.add(e, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	switch v := v.(type) {
	case starlark.String:
		w.n += len(v) + 2
	case starlark.Bytes:
		w.n += 4 * len(v)
	case starlark.Int:
		w.n += Bits(v)/3 + 1
	case *starlark.List:
		if w.inside[v] {
			return nil // printed as "..."
		}
		w.inside[v] = true
		defer delete(w.inside, v)
		return all(v.Iterate())
	case *starlark.Dict:
		if w.inside[v] {
			return nil
		}
		w.inside[v] = true
		defer delete(w.inside, v)
		for _, it := range v.Items() {
			if err := all(it.Iterate()); err != nil {
				return err
			}
		}
	case *starlark.Set:
		return all(v.Iterate())
	case starlark.Tuple:
		return all(v.Iterate())
	default:
		w.n += 16
	}
	return nil
}
