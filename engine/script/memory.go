package script

import (
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// The memory of scripts. Starlark bounds a script's steps, not its bytes, so
// every function that makes something large asks room before it does, and watch
// looks after what grows in small pieces. Both measure the heap, since what a
// script drops may be taken again. The heap is the process's, and so are its
// limit and what the engine holds of it.
var heap struct {
	limit  atomic.Int64 // in bytes, of what scripts hold
	engine atomic.Int64 // what calls into the engine have left there
}

// defaultMemory is the limit where Options give none.
const defaultMemory = 2 << 30

// scripted is what scripts hold, dropped things that are not collected yet
// included.
func scripted() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64()+s[1].Value.Uint64()+s[2].Value.Uint64()) - heap.engine.Load()
}

// fits says whether n more bytes are within the limit.
func fits(n int64) bool {
	if scripted()+n <= heap.limit.Load() {
		return true
	}
	debug.FreeOSMemory()
	return scripted()+n <= heap.limit.Load()
}

// room fails if n things of some bytes each would take more memory than scripts may.
func room(n, each int) error {
	switch {
	case n <= 1<<16/max(1, each): // watch sees many of them
		return nil
	case n > math.MaxInt64/max(1, each), !fits(int64(n) * int64(each)):
		return outOfMemory(float64(n) * float64(each))
	}
	return nil
}

// roomFor is room for so many bytes.
func roomFor(bytes float64) error {
	if bytes > 1<<50 {
		return outOfMemory(bytes)
	}
	return room(int(bytes), 1)
}

func outOfMemory(bytes float64) error {
	return withHint("the limit is on what the script itself computes and keeps, not on the network: take less at once, write texts of the model ('rand()', 'i > 5') where they do, or raise it with --script-memory",
		"this needs %s of memory, beside %s that the script has: it may take %s", bytesText(bytes), bytesText(float64(max(0, scripted()))), bytesText(float64(heap.limit.Load())))
}

func bytesText(n float64) string {
	switch {
	case math.IsInf(n, 0):
		return "more than any machine's"
	case n < 1e9:
		return fmt.Sprintf("%.3g MB", n/1e6)
	}
	return fmt.Sprintf("%.3g GB", n/1e9)
}

// numbers are n zeros, if there is room for them.
func numbers(n int) ([]float64, error) {
	if err := room(n, 8); err != nil {
		return nil, err
	}
	return make([]float64, n), nil
}

// maxStack is how deep Starlark may follow values within values, in bytes of
// the stack. It compares to a depth of its own, but hashes tuples to any, and a
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
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				if stacks() > maxStack && x.inside.Load() == 0 {
					select {
					case x.deep <- struct{}{}:
					default:
					}
				}
				if x.inside.Load() == 0 && !fits(0) && x.inside.Load() == 0 {
					x.thread.Cancel(outOfMemory(float64(scripted())).Error())
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
	before := scripted()
	v, err := f()
	switch v.(type) {
	case nil, starlark.NoneType, holder, *timedArray:
		heap.engine.Add(max(0, scripted()-before))
	}
	return v, err
}

// maxBits bounds whole numbers, whose arithmetic takes more than linear time.
const maxBits = 1 << 20

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

// bits are the length of a whole number.
func bits(n starlark.Int) int {
	if _, small := n.Int64(); small {
		return 64
	}
	return n.BigInt().BitLen()
}

// grow is x op y for the operators whose result may be larger than both.
func grow(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	if err := growth(op, x, y); err != nil {
		return nil, err
	}
	return starlark.Binary(op, x, y)
}

// growth fails if x op y is too large.
func growth(op syntax.Token, x, y starlark.Value) error {
	a, whole := x.(starlark.Int)
	b, whole2 := y.(starlark.Int)
	if op == syntax.STAR && whole && !whole2 {
		a, whole, b, whole2, x = b, whole2, a, whole, y // n * list
	}
	n, each := elements(x)
	switch {
	case whole && whole2:
		most := max(bits(a), bits(b)) + 1
		if op == syntax.STAR {
			most = bits(a) + bits(b)
		} else if k, ok := b.Int64(); op == syntax.LTLT && ok && k > 0 {
			most = bits(a) + int(min(k, maxBits))
		}
		if most > maxBits {
			return fmt.Errorf("whole numbers have at most %d bits, and x %s y would have more", maxBits, op)
		}
	case op == syntax.PLUS:
		m, _ := elements(y)
		return room(n+m, each)
	case op == syntax.STAR && whole2 && n > 0:
		if k, ok := b.Int64(); !ok && b.Sign() > 0 || k > math.MaxInt64/int64(n) {
			return outOfMemory(math.Inf(1))
		} else if k > 0 {
			return room(n*int(k), each)
		}
	}
	return nil
}
