// Package host is what long work on the host asks before it goes on: whether it
// was interrupted, how many threads it may take, and whether there is memory.
//
//	if err := w.Room(8*int64(n), "%d weights", n); err != nil {
//		return err // "3000000000 weights need 24.0 GB of memory, 11.2 GB are free"
//	}
package host

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
)

// ErrInterrupted is the error of work whose context has ended.
var ErrInterrupted = errors.New("interrupted")

// Work is the settings of a run that work on the host asks. The zero value is
// never interrupted and has all cores and what memory the machine has left.
type Work struct {
	Ctx     context.Context // nil: nothing interrupts
	Threads int             // 0: all cores
	Memory  int64           // bytes that may be taken; 0: what the machine has left, when asked
	Ranks   Ranks           // processes that all do this work, and share it out where they can; nil: there is this one
}

// Err is ErrInterrupted once the context has ended. It is cheap: loops ask it
// every some thousand items.
func (w Work) Err() error {
	if w.Ctx != nil && w.Ctx.Err() != nil {
		return ErrInterrupted
	}
	return nil
}

// Free is the memory that may be taken, in bytes; 0: not known.
func (w Work) Free() int64 {
	if w.Memory > 0 {
		return w.Memory
	}
	return Free()
}

// small is what is not worth asking for.
const small = 1 << 20

// Room is an error if need bytes are not there, about what the format says.
func (w Work) Room(need int64, format string, a ...any) error {
	if need < small {
		return nil
	}
	free := w.Free()
	if free > 0 && need > free && w.Memory == 0 {
		debug.FreeOSMemory() // what the collector has not given back yet may be enough
		free = w.Free()
	}
	if free <= 0 || need <= free {
		return nil
	}
	return fmt.Errorf("%s: %s of memory would be needed, %s are free", fmt.Sprintf(format, a...), Size(need), Size(free))
}

// Single are the same settings with one thread.
func (w Work) Single() Work {
	w.Threads = 1
	return w
}

// Without are the same settings with bytes of the memory promised to others. It
// asks the machine once: memory that was promised and taken, but not written to
// yet, still counts as free there.
func (w Work) Without(bytes int64) Work {
	if w.Memory == 0 {
		if heap := reserved(); heap > w.Free()/2 {
			debug.FreeOSMemory()
		}
	}
	if free := w.Free(); free > 0 {
		w.Memory = max(free-bytes, 1)
	}
	return w
}

// reserved is the memory of Go's heap that the collector may be able to give back, in bytes.
func reserved() int64 {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return int64(heap[0].Value.Uint64() + heap[1].Value.Uint64())
}

// Bytes is a number of bytes that may be beyond what 64 bits hold.
func Bytes(n float64) int64 { return int64(max(0, min(n, math.MaxInt64/2))) }

// Size is a number of bytes for people.
func Size(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.3g TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
