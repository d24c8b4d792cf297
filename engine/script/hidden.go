package script

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/array"
	"synfire/engine/script/memory"
	"synfire/engine/script/python"
)

// operators are those that hidden functions take by name.
var operators = map[string]syntax.Token{"<": syntax.LT, "<=": syntax.LE, ">": syntax.GT, ">=": syntax.GE, "==": syntax.EQL, "!=": syntax.NEQ,
	"+": syntax.PLUS, "-": syntax.MINUS, "*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "<<": syntax.LTLT, ">>": syntax.GTGT,
	"%": syntax.PERCENT, "&": syntax.AMP, "|": syntax.PIPE, "^": syntax.CIRCUMFLEX, "in": syntax.IN, "not in": syntax.NOT_IN}

// addHidden adds what the parser's tree and its rewriting call. A script cannot
// name these functions, so their arguments are as many, and of the kinds, as
// written there.
func (x *script) addHidden(d starlark.StringDict) {
	add := func(name string, f func(a starlark.Tuple) (starlark.Value, error)) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return f(args)
		})
	}
	operator := func(v starlark.Value) syntax.Token { return operators[string(v.(starlark.String))] }
	add(fnCompare, func(a starlark.Tuple) (starlark.Value, error) { return array.Compare(operator(a[0]), a[1], a[2]) })
	add(fnGrow, func(a starlark.Tuple) (starlark.Value, error) { return grow(operator(a[0]), a[1], a[2]) })
	add(fnAugment, func(a starlark.Tuple) (starlark.Value, error) { // x is not worked out twice
		_, y := array.Counted(a[1], a[1])
		return y, growth(operator(a[0]), y, y)
	})
	add(fnPlace, func(a starlark.Tuple) (starlark.Value, error) { return &augment{y: a[0]}, nil })
	add(python.Become, func(a starlark.Tuple) (starlark.Value, error) { return become(a[0], a[1]) })
	add(fnUpdate, func(a starlark.Tuple) (starlark.Value, error) { return changed(operator(a[0]), a[1], a[2]) })
	add(fnMethod, func(a starlark.Tuple) (starlark.Value, error) {
		return x.methodOf(a[0], string(a[1].(starlark.String)))
	})
	add(fnPart, func(a starlark.Tuple) (starlark.Value, error) { return partOf(a[0], a[1]) })
	add(fnEach, func(a starlark.Tuple) (starlark.Value, error) { return each(a[0]), nil })
	add(fnFormat, func(a starlark.Tuple) (starlark.Value, error) {
		if f, ok := starlark.AsString(a[0]); ok {
			s, err := array.Percent(f, a[1])
			return starlark.String(s), err
		}
		return starlark.Binary(syntax.PERCENT, a[0], a[1])
	})
	add(fnSlice, func(a starlark.Tuple) (starlark.Value, error) { return getSlice(a[0], a[1], a[2], a[3]) })
	add(fnSetSlice, func(a starlark.Tuple) (starlark.Value, error) {
		return starlark.None, setSlice(a[0], a[1], a[2], a[3], a[4])
	})
	add(python.Power, func(a starlark.Tuple) (starlark.Value, error) { return array.Power(a[0], a[1]) })
	add(python.MatMul, func(a starlark.Tuple) (starlark.Value, error) { return array.Dot(a[0], a[1]) })
	add(python.Is, func(a starlark.Tuple) (starlark.Value, error) { return starlark.Bool(same(a[0], a[1])), nil })
	add(python.Chain, x.chain)
	add(python.Span, func(a starlark.Tuple) (starlark.Value, error) {
		return &array.Span{Lo: a[0], Hi: a[1], Step: a[2]}, nil
	})
	add(python.Text, formattedText)
	add(python.Starred, starredTargets)
	add(python.List, func(a starlark.Tuple) (starlark.Value, error) { return x.collected(a[0]) })
	add(python.Tuple, func(a starlark.Tuple) (starlark.Value, error) {
		l, err := x.collected(a[0])
		if err != nil {
			return nil, err
		}
		return starlark.Tuple(slices.Collect(starlark.Elements(l))), nil
	})
	add(python.Set, func(a starlark.Tuple) (starlark.Value, error) {
		s := new(starlark.Set)
		for e := range starlark.Elements(a[0].(starlark.Iterable)) {
			if err := s.Insert(e); err != nil {
				return nil, err
			}
		}
		return s, nil
	})
	add(python.Delete, deleteElement)
	add(python.With, func(a starlark.Tuple) (starlark.Value, error) { return x.entered(a[0]) })
	add(python.Raise, func(a starlark.Tuple) (starlark.Value, error) {
		s, err := array.Format(a[0], "", "")
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s", strings.TrimSpace(s))
	})
	add(python.Builtin, func(a starlark.Tuple) (starlark.Value, error) {
		return x.predeclared[string(a[0].(starlark.String))], nil
	})
	x.shared = &shared{}
	d[fnShared] = x.shared
	add(python.Module, func(a starlark.Tuple) (starlark.Value, error) {
		return x.module(string(a[0].(starlark.String)))
	})
}

// tableRow is table[i] where something is assigned to an element of it.
type tableRow struct {
	opaque
	of *array.Array
	at starlark.Value
}

func (r *tableRow) String() string { return "<row>" }
func (r *tableRow) Type() string   { return "array" }
func (r *tableRow) Get(k starlark.Value) (starlark.Value, bool, error) {
	return r.of.Get(starlark.Tuple{r.at, k})
}
func (r *tableRow) SetKey(k, v starlark.Value) error { return r.of.SetKey(starlark.Tuple{r.at, k}, v) }

// partOf is v[k] where something is assigned to a part of it, which is to reach v.
func partOf(v, k starlark.Value) (starlark.Value, error) {
	if t, ok := v.(*array.Array); ok && t.Table {
		if _, err := array.ToInt(k); err == nil {
			return &tableRow{of: t, at: k}, nil
		}
	}
	e, err := element(v, k)
	switch v.(type) {
	case *array.Array, *tableRow, *variable:
		if err == nil && isArray(e) {
			return nil, withHint("one index does it: A[1:3][0] is A[1], A[0, 1:3][0] is A[0, 1]", "a part of an array is a copy here, and what is assigned to it would be lost")
		}
	}
	return e, err
}

// element is v[k].
func element(v, k starlark.Value) (starlark.Value, error) {
	if s, ok := k.(*array.Span); ok {
		return getSlice(v, s.Lo, s.Hi, s.Step)
	}
	switch v := v.(type) {
	case starlark.Mapping:
		e, found, err := v.Get(k)
		if err == nil && !found {
			err = fmt.Errorf("key %v not in %s", k, v.Type())
		}
		return e, err
	case starlark.Indexable:
		i, err := array.ToInt(k)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			i += v.Len()
		}
		if i < 0 || i >= v.Len() {
			return nil, fmt.Errorf("%s index %v out of range: it has %d elements", v.Type(), k, v.Len())
		}
		return v.Index(i), nil
	}
	return nil, fmt.Errorf("%s has no elements", array.Describe(v))
}

// same is x is y: the same object, or equal numbers, texts and constants.
func same(x, y starlark.Value) bool {
	if reflect.TypeOf(x) != reflect.TypeOf(y) {
		return false
	}
	switch x := x.(type) {
	case starlark.Int:
		eq, err := starlark.Equal(x, y)
		return eq && err == nil
	case starlark.Tuple:
		return len(x) == 0 && len(y.(starlark.Tuple)) == 0
	}
	return reflect.TypeOf(x).Comparable() && x == y
}

// chain is x < y < z and so on: what is compared last is worked out only if the
// comparisons before hold.
func (x *script) chain(a starlark.Tuple) (starlark.Value, error) {
	left := a[0]
	for k := 1; ; k += 2 {
		right := a[k+1]
		if k > 1 {
			var err error
			if right, err = starlark.Call(x.thread, right, nil, nil); err != nil {
				return nil, inner(err)
			}
		}
		var r starlark.Value
		var err error
		switch op := string(a[k].(starlark.String)); op {
		case "is", "is not":
			r = starlark.Bool(same(left, right) == (op == "is"))
		case "in":
			r, err = starlark.Binary(syntax.IN, left, right)
		case "not in":
			r, err = starlark.Binary(syntax.IN, left, right)
			if err == nil {
				r = !r.Truth()
			}
		default:
			r, err = array.Compare(operators[op], left, right)
		}
		if err != nil {
			return nil, err
		}
		if v, ok := r.(*array.Array); ok && v.Size() != 1 {
			return nil, withHint("write (a < x) & (x < b)", "comparisons of arrays cannot be chained")
		}
		if !bool(r.Truth()) || k+2 >= len(a) {
			return r, nil
		}
		left = right
	}
}

// formattedText is an f-string: texts, and between them a value, the letter after
// its ! and its format.
func formattedText(a starlark.Tuple) (starlark.Value, error) {
	var b strings.Builder
	for k := 0; k < len(a); k += 4 {
		b.WriteString(string(a[k].(starlark.String)))
		if k+3 >= len(a) {
			break
		}
		s, err := array.Format(a[k+1], string(a[k+2].(starlark.String)), string(a[k+3].(starlark.String)))
		if err == nil {
			err = memory.Room(b.Len()+len(s), 2)
		}
		if err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	return starlark.String(b.String()), nil
}

// collected is list(x).
func (x *script) collected(v starlark.Value) (*starlark.List, error) {
	seq, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be unpacked", v.Type())
	}
	if err := x.collects(starlark.Tuple{v}); err != nil {
		return nil, err
	}
	return starlark.NewList(slices.Collect(starlark.Elements(seq))), nil
}

// starredTargets is a, *b, c = x: x as a tuple whose middle is a list.
func starredTargets(a starlark.Tuple) (starlark.Value, error) {
	seq, ok := a[0].(starlark.Sequence)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be unpacked", a[0].Type())
	}
	if err := memory.Room(seq.Len(), 48); err != nil {
		return nil, err
	}
	all := slices.Collect(starlark.Elements(seq))
	before, _ := starlark.AsInt32(a[1])
	after, _ := starlark.AsInt32(a[2])
	if len(all) < before+after {
		return nil, fmt.Errorf("there are %d values for %d names", len(all), before+after)
	}
	middle := starlark.NewList(slices.Clone(all[before : len(all)-after]))
	return append(append(slices.Clone(starlark.Tuple(all[:before])), middle), all[len(all)-after:]...), nil
}

// deleteElement is del x[key].
func deleteElement(a starlark.Tuple) (starlark.Value, error) {
	switch v := a[0].(type) {
	case *starlark.Dict:
		_, found, err := v.Delete(a[1])
		if err == nil && !found {
			err = fmt.Errorf("the dictionary has no %s", array.Describe(a[1]))
		}
		return starlark.None, err
	case *starlark.List:
		k, err := array.ElementIndex(a[1], v.Len())
		if err != nil {
			return nil, err
		}
		pop, _ := v.Attr("pop")
		_, err = starlark.Call(new(starlark.Thread), pop, starlark.Tuple{starlark.MakeInt(k)}, nil)
		return starlark.None, inner(err)
	}
	return nil, fmt.Errorf("elements of a %s cannot be deleted", a[0].Type())
}

// shared are the names of a script that its functions declare global.
type shared struct {
	opaque
	values starlark.StringDict
}

func (s *shared) String() string      { return "<shared names>" }
func (s *shared) Type() string        { return "names" }
func (s *shared) AttrNames() []string { return s.values.Keys() }
func (s *shared) Attr(name string) (starlark.Value, error) {
	if v := s.values[name]; v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("%s has no value yet", name)
}
func (s *shared) SetField(name string, v starlark.Value) error {
	if s.values == nil {
		s.values = starlark.StringDict{}
	}
	s.values[name] = v
	return nil
}
