package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Ranks are processes that do a piece of work together. All make the same calls in the
// same order, and what they meet for goes with each call: ranks that have come apart do
// not wait for each other, but panic with a *backend.Apart. No call returns an error.
type Ranks interface {
	Rank() int // 0 to Size()-1
	Size() int
	For(what Meeting) Ranks           // the same ranks, which meet for this from now on
	Gather(words []uint32) [][]uint32 // what each rank has given, by rank; good until the next call
	Or(words []uint32)                // the bitwise or of all ranks' words, in their place
	Sum(words []uint32)               // their sums, modulo 2^32, in their place

	// Swap tells each rank words of its own, which lie end to end, of[r] of them for rank r. It
	// returns what each rank had for this one, by rank; good until the next call.
	Swap(words []uint32, of []int) [][]uint32

	// Begin and End are a Gather in two: Begin waits for nothing, and Look lets it go on. One is under way at a
	// time, and other calls may come between. What End returns is good until the next Begin.
	Begin(words []uint32)
	Look()
	End() [][]uint32
}

// Alone are the same settings for one process that works by itself.
func (w Work) Alone() Work {
	w.Ranks = nil
	return w
}

// How a rank comes to a meeting.
const (
	fine uint32 = iota
	interrupted
	failed
)

// Meet is where ranks have done their parts of a piece of work: all go on, with what
// each of them has found, by rank (good until their next exchange), or all have the
// same error, that of the least item. about is the same on all of them, or they have
// parted. A process that is alone meets itself.
func (w Work) Meet(about uint32, item int, err error, found ...uint32) ([][]uint32, error) {
	if w.Ranks == nil {
		return [][]uint32{found}, err
	}
	words := []uint32{fine, about, uint32(item), uint32(item >> 32)}
	switch {
	case errors.Is(err, ErrInterrupted):
		words[0] = interrupted
	case err != nil:
		words[0] = failed
		found = pack(err.Error())
	}
	all := w.Ranks.Gather(append(words, found...))
	first, least := -1, uint64(0)
	stopped := false
	for rank, of := range all {
		if len(of) < 4 || len(all[0]) < 4 || of[1] != all[0][1] {
			return nil, Parted(max(rank, 1))
		}
		at := uint64(of[2]) | uint64(of[3])<<32
		if of[0] == failed && (first < 0 || at < least) {
			first, least = rank, at
		}
		stopped = stopped || of[0] == interrupted
	}
	switch {
	case first == w.Ranks.Rank():
		return nil, err
	case first >= 0:
		return nil, errors.New(unpack(all[first][4:]))
	case stopped:
		return nil, ErrInterrupted
	}
	out := slices.Clone(all)
	for rank := range out {
		out[rank] = out[rank][4:]
	}
	return out, nil
}

// Parted is the error of ranks that do not do the same.
func Parted(rank int) error {
	return fmt.Errorf("ranks 0 and %d have described different networks: they must read the same script, modules and files", rank)
}

// pack puts a text into words, and unpack reads it.
func pack(text string) []uint32 {
	b := append([]byte(text), make([]byte, 3-(len(text)+3)%4)...)
	words := make([]uint32, 0, 1+len(b)/4)
	words = append(words, uint32(len(text)))
	for k := 0; k < len(b); k += 4 {
		words = append(words, binary.LittleEndian.Uint32(b[k:]))
	}
	return words
}

func unpack(words []uint32) string {
	var b []byte
	for _, w := range words[1:] {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return string(b[:words[0]])
}
