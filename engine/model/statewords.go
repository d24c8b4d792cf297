package model

import (
	"encoding/binary"
	"fmt"
	"math"

	"synfire/engine/store"
)

func (l *stateList) fail(format string, a ...any) {
	if l.err == nil {
		what := "store"
		if l.read {
			what = "restore"
		}
		l.err = fmt.Errorf(what+": "+format, a...)
	}
}

// take is a field that is there, of a kind, with n elements (-1: any number).
func (l *stateList) take(name string, kind store.Kind, n int) ([]byte, error) {
	l.used[name] = true
	return l.Get(name, kind, n)
}

// scalar takes one element down, or brings it back.
func scalar[T any](l *stateList, name string, kind store.Kind, p *T, put func(T) uint64, get func(uint64) T) {
	if l.err != nil {
		return
	}
	if !l.read {
		l.Put(name, kind, binary.LittleEndian.AppendUint64(nil, put(*p)))
		return
	}
	b, err := l.take(name, kind, 1)
	if err != nil {
		l.fail("%v", err)
		return
	}
	*p = get(binary.LittleEndian.Uint64(b))
}

func (l *stateList) int(name string, p *int64) {
	scalar(l, name, store.Int64s, p, func(x int64) uint64 { return uint64(x) }, func(x uint64) int64 { return int64(x) })
}

func (l *stateList) uint(name string, p *uint64) {
	scalar(l, name, store.Int64s, p, func(x uint64) uint64 { return x }, func(x uint64) uint64 { return x })
}

func (l *stateList) float(name string, p *float64) {
	scalar(l, name, store.Float64s, p, math.Float64bits, math.Float64frombits)
}

// bool returns what the field now is.
func (l *stateList) bool(name string, p *bool) bool {
	scalar(l, name, store.Int64s, p, func(x bool) uint64 {
		if x {
			return 1
		}
		return 0
	}, func(x uint64) bool { return x != 0 })
	return *p
}

// same is a number that must be equal.
func (l *stateList) same(name string, p *float64) {
	x := *p
	if l.float(name, &x); x != *p {
		l.fail("the %s is %g s, that of the stored state %g s", name, *p, x)
	}
}

// words are as many as there are.
func (l *stateList) words(name string, words []uint32) {
	if l.err != nil {
		return
	}
	if !l.read {
		l.Put(name, store.Words, wordBytes(words))
		return
	}
	b, err := l.take(name, store.Words, len(words))
	if err != nil {
		l.fail("%v", err)
		return
	}
	for k := range words {
		words[k] = binary.LittleEndian.Uint32(b[4*k:])
	}
}

// anyWords are as many as the field has.
func (l *stateList) anyWords(name string, p *[]uint32) {
	if l.err == nil && l.read {
		b, err := l.take(name, store.Words, -1)
		if err != nil {
			l.fail("%v", err)
			return
		}
		*p = make([]uint32, len(b)/4)
	}
	l.words(name, *p)
}

func wordBytes(words []uint32) []byte {
	b := make([]byte, 4*len(words))
	for k, w := range words {
		binary.LittleEndian.PutUint32(b[4*k:], w)
	}
	return b
}

// anyFloats are as many as the field has.
func (l *stateList) anyFloats(name string, p *[]float64) {
	if l.err != nil {
		return
	}
	if !l.read {
		b := make([]byte, 8*len(*p))
		for k, x := range *p {
			binary.LittleEndian.PutUint64(b[8*k:], math.Float64bits(x))
		}
		l.Put(name, store.Float64s, b)
		return
	}
	b, err := l.take(name, store.Float64s, -1)
	if err != nil {
		l.fail("%v", err)
		return
	}
	*p = make([]float64, len(b)/8)
	for k := range *p {
		(*p)[k] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*k:]))
	}
}

func (l *stateList) ints(name string, list []int64) {
	if l.err != nil {
		return
	}
	if !l.read {
		b := make([]byte, 8*len(list))
		for k, x := range list {
			binary.LittleEndian.PutUint64(b[8*k:], uint64(x))
		}
		l.Put(name, store.Int64s, b)
		return
	}
	b, err := l.take(name, store.Int64s, len(list))
	if err != nil {
		l.fail("%v", err)
		return
	}
	for k := range list {
		list[k] = int64(binary.LittleEndian.Uint64(b[8*k:]))
	}
}

func (l *stateList) text(name string, p *string) {
	if l.err != nil {
		return
	}
	if !l.read {
		l.Put(name, store.Text, []byte(*p))
		return
	}
	b, err := l.take(name, store.Text, -1)
	if err != nil {
		l.fail("%v", err)
		return
	}
	*p = string(b)
}
