// Package memory bounds what scripts hold. Starlark bounds a script's steps, not
// its bytes, so every function that makes something large asks Room before it
// does, and a watch asks Exceeded from time to time for what grows in small
// pieces. Both measure the heap, since what a script drops may be taken again.
package memory

import (
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// heap is the process's, and so are its limit and what the engine holds of it.
var heap struct {
	limit  atomic.Int64 // in bytes, of what scripts hold
	engine atomic.Int64 // what calls into the engine have left there
}

// SetLimit bounds what scripts hold, in bytes; before, there is room for small
// things only.
func SetLimit(bytes int64) { heap.limit.Store(bytes) }

// SetAside takes so many bytes off what scripts hold: what they called has left them.
func SetAside(bytes int64) { heap.engine.Add(max(0, bytes)) }

// Error says that a script asks for more memory than it may have.
type Error struct{ Msg, Hint string }

func (e *Error) Error() string { return e.Msg + " (" + e.Hint + ")" }

// Exceeded fails if scripts hold more than they may.
func Exceeded() error {
	if fits(0) {
		return nil
	}
	return outOfMemory(float64(Held()))
}

// Held is what scripts hold, dropped things that are not collected yet
// included.
func Held() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64()+s[1].Value.Uint64()+s[2].Value.Uint64()) - heap.engine.Load()
}

// fits says whether n more bytes are within the limit.
func fits(n int64) bool {
	if Held()+n <= heap.limit.Load() {
		return true
	}
	debug.FreeOSMemory()
	return Held()+n <= heap.limit.Load()
}

// Room fails if n things of some bytes each would take more memory than scripts may.
func Room(n, each int) error {
	switch {
	case n <= 1<<16/max(1, each): // whoever asks Exceeded sees many of them
		return nil
	case n > math.MaxInt64/max(1, each), !fits(int64(n) * int64(each)):
		return outOfMemory(float64(n) * float64(each))
	}
	return nil
}

// RoomFor is room for so many bytes.
func RoomFor(bytes float64) error {
	if bytes > 1<<50 {
		return outOfMemory(bytes)
	}
	return Room(int(bytes), 1)
}

func outOfMemory(bytes float64) error {
	return &Error{Hint: "the limit is on what the script itself computes and keeps, not on the network: take less at once, write texts of the model ('rand()', 'i > 5') where they do, or raise it with --script-memory",
		Msg: fmt.Sprintf("this needs %s of memory, beside %s that the script has: it may take %s", bytesText(bytes), bytesText(float64(max(0, Held()))), bytesText(float64(heap.limit.Load())))}
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
