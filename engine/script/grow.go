package script

import (
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// maxStack is how deep Starlark may follow values within values, in bytes by
// which the stacks grow. It compares to a depth of its own, but hashes tuples to any, and a
// full stack would end the process. (A variable, so that a test can lower it.)
var maxStack int64 = 256 << 20

// stacks are the bytes of all stacks.
func stacks() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// watch ends the script when it holds more than it may. What it takes in one
// step is room's to see.
func (x *script) watch() (stop func()) {
	end := make(chan struct{})
	debug.SetMaxStack(1 << 36) // long before, the script is left
	before := stacks()         // another script that was left may still have a deep one
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				if x.inside.Load() > 0 {
					continue
				}
				if stacks()-before > maxStack && x.inside.Load() == 0 {
					select {
					case x.deep <- struct{}{}:
					default:
					}
				}
				if err := memory.Exceeded(); err != nil && x.inside.Load() == 0 {
					x.thread.Cancel(err.Error())
				}
			}
		}
	}()
	return func() { close(end) }
}

// engine calls into the engine: what is left of the heap after that is not the
// script's, if it is not what the script gets, and an interruption waits for
// the engine to end by itself.
func (x *script) engine(f func() (starlark.Value, error)) (starlark.Value, error) {
	x.inside.Add(1)
	defer x.inside.Add(-1)
	before := memory.Held()
	v, err := f()
	switch v.(type) {
	case nil, starlark.NoneType, holder, *timedArray, *binomial:
		memory.SetAside(memory.Held() - before)
	}
	return v, err
}

// maxBits bounds whole numbers, whose arithmetic takes more than linear time.
const maxBits = array.MaxBits

// elements are the number of elements of a value of Starlark's and how many
// bytes each takes, at most.
func elements(v starlark.Value) (n, each int) {
	switch v := v.(type) {
	case starlark.String:
		return len(v), 1
	case starlark.Bytes:
		return len(v), 1
	case *equations:
		return len(v.text), 1
	case *starlark.List:
		return v.Len(), 16
	case starlark.Tuple:
		return v.Len(), 16
	case *starlark.Dict:
		return v.Len(), 128
	case *starlark.Set:
		return v.Len(), 128
	case starlark.Sequence: // whose elements are made when they are asked for
		return v.Len(), 48
	}
	return 0, 0
}

func isArray(v starlark.Value) bool {
	_, ok := v.(*array.Array)
	return ok
}

// grow is x op y for the operators whose result may be larger than both, and where a
// truth value takes part.
func grow(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	_, first := x.(starlark.Bool)
	_, second := y.(starlark.Bool)
	if first || second {
		x, y = array.Counted(x, y)
	}
	if err := growth(op, x, y); err != nil {
		return nil, err
	}
	r, err := starlark.Binary(op, x, y)
	if logical := op == syntax.AMP || op == syntax.PIPE || op == syntax.CIRCUMFLEX; logical && first && second && err == nil {
		return r.Truth(), nil
	}
	return r, err
}

// changed is x op= y: lists, dictionaries, arrays and variables are changed where they stand, so that
// other names of them see it; of anything else a new value is made.
func changed(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	text, isText := starlark.AsString(x)
	switch x := x.(type) {
	case *starlark.List:
		_, isVariable := y.(*variable) // with it and with an array the sum is an array, as NumPy has it
		if y, ok := y.(starlark.Iterable); ok && op == syntax.PLUS && !isArray(y) && !isVariable {
			if err := growth(op, x, y); err != nil {
				return nil, err
			}
			for _, e := range slices.Collect(starlark.Elements(y)) { // x += x
				if err := x.Append(e); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	case *starlark.Dict:
		if y, ok := y.(*starlark.Dict); ok && op == syntax.PIPE {
			for _, item := range y.Items() {
				if err := x.SetKey(item[0], item[1]); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	}
	if isText && op == syntax.PERCENT {
		s, err := array.Percent(text, y)
		return starlark.String(s), err
	}
	r, err := grow(op, x, y)
	if err != nil {
		return nil, err
	}
	return become(x, r)
}

// become gives what can be changed where it stands the value r, which was worked out from it; of anything else r
// takes the place.
func become(x, r starlark.Value) (starlark.Value, error) {
	switch x := x.(type) {
	case *variable:
		return x, x.set(nil, r)
	case *array.Array:
		return x.Become(r)
	case *starlark.List:
		if r, ok := r.(*starlark.List); ok { // x *= 2
			all := elementsOf(r)
			if err := x.Clear(); err != nil {
				return nil, err
			}
			for _, e := range all {
				if err := x.Append(e); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	case *starlark.Set:
		if r, ok := r.(*starlark.Set); ok {
			all := slices.Collect(starlark.Elements(r))
			if err := x.Clear(); err != nil {
				return nil, err
			}
			for _, e := range all {
				if err := x.Insert(e); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	}
	return r, nil
}

// augment is the y of x[i] op= y: x[i] is worked out once, and what stands there is changed.
type augment struct {
	opaque
	y starlark.Value
}

func (a *augment) String() string { return a.y.String() }
func (a *augment) Type() string   { return a.y.Type() }
func (a *augment) Binary(op syntax.Token, x starlark.Value, _ starlark.Side) (starlark.Value, error) {
	return changed(op, x, a.y)
}

// growth fails if x op y is too large.
func growth(op syntax.Token, x, y starlark.Value) error {
	a, whole := x.(starlark.Int)
	b, whole2 := y.(starlark.Int)
	if op == syntax.STAR && whole && !whole2 {
		a, whole, b, whole2, x = b, whole2, a, whole, y // n * list
	}
	n, each := elements(x)
	if m, _ := elements(y); isArray(x) || isArray(y) { // element by element
		return memory.Room(max(n, m), 8)
	}
	switch {
	case whole && whole2:
		most := max(array.Bits(a), array.Bits(b)) + 1
		if op == syntax.STAR {
			most = array.Bits(a) + array.Bits(b)
		} else if k, ok := b.Int64(); op == syntax.LTLT && ok && k > 0 {
			most = array.Bits(a) + int(min(k, maxBits))
		}
		if most > maxBits {
			return fmt.Errorf("whole numbers have at most %d bits, and x %s y would have more", maxBits, op)
		}
	case op == syntax.PLUS:
		m, _ := elements(y)
		return memory.Room(n+m, each)
	case op == syntax.STAR && whole2 && n > 0:
		if k, ok := b.Int64(); !ok && b.Sign() > 0 || k > math.MaxInt64/int64(n) {
			return memory.RoomFor(math.Inf(1))
		} else if k > 0 {
			return memory.Room(n*int(k), each)
		}
	}
	return nil
}
