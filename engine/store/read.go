package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Array is an array read from a file, its values in C order (the last index varies fastest) whatever the file's order.
type Array struct {
	Shape []int // empty: a single number
	Kind  byte  // 'f' float, 'i' signed, 'u' unsigned, 'b' boolean
	F     []float64
	I     []int64 // the exact values where Kind is not 'f'; F holds them too
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.F) }

// ReadArray reads a .npy or a .csv (.tsv, .txt) file, by the ending of its name.
func ReadArray(path string) (*Array, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy":
		return ReadNPY(path)
	case ".csv", ".tsv", ".txt":
		return ReadCSV(path)
	default:
		return nil, fmt.Errorf("%s: no reader for files that end in %q; there is one for .npy and one for .csv", path, ext)
	}
}

// Packed is an array as a file holds it, in C order: one of the slices has the values.
type Packed struct {
	Shape []int
	Kind  byte      // as of an Array
	I32   []int32   // integers and booleans that all fit in 32 bits
	I64   []int64   // other integers
	F32   []float32 // floats of 4 bytes
	F64   []float64
}

// Len is the number of elements.
func (p *Packed) Len() int { return len(p.I32) + len(p.I64) + len(p.F32) + len(p.F64) }

// Floats are the values as float64.
func (p *Packed) Floats() []float64 {
	switch {
	case p.I32 != nil:
		return convert[float64](p.I32)
	case p.I64 != nil:
		return convert[float64](p.I64)
	case p.F32 != nil:
		return convert[float64](p.F32)
	}
	return p.F64
}

func (p *Packed) array() *Array {
	a := &Array{Shape: p.Shape, Kind: p.Kind, F: p.Floats(), I: p.I64}
	if p.I32 != nil {
		a.I = convert[int64](p.I32)
	}
	return a
}

func convert[To, From int32 | int64 | float32 | float64](v []From) []To {
	out := make([]To, len(v))
	for k, x := range v {
		out[k] = To(x)
	}
	return out
}

// ReadNPY reads a NumPy array file of format 1.0, 2.0 or 3.0: floats of 2, 4 or 8 bytes' width (2 excluded), integers of
// 1, 2, 4 or 8, booleans, of either byte order.
func ReadNPY(path string) (*Array, error) { return readNPY(path, false) }

// ReadGrowing is ReadNPY of an array that is being written, or was when its process was killed: what lies behind the
// elements that its header counts is left out.
func ReadGrowing(path string) (*Array, error) { return readNPY(path, true) }

func readNPY(path string, growing bool) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := st.Size()
	if growing {
		if h, head, err := readHeader(f); err == nil {
			for _, n := range h.shape {
				h.size *= n
			}
			size = min(size, head+int64(h.size))
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	p, err := UnpackNPY(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p.array(), nil
}

// DecodeNPY decodes the contents of a NumPy array file.
func DecodeNPY(data []byte) (*Array, error) {
	p, err := UnpackNPY(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return p.array(), nil
}

// UnpackNPY reads a NumPy array file of size bytes and keeps the type of its values.
func UnpackNPY(r io.Reader, size int64) (*Packed, error) {
	h, head, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	n, body := 1, size-head
	for _, d := range h.shape {
		if d != 0 && n > math.MaxInt/16/d {
			return nil, fmt.Errorf("shape %v is too large for this machine", h.shape)
		}
		n *= d
	}
	if have := body / int64(h.size); have < int64(n) {
		return nil, fmt.Errorf("the file is truncated: shape %v needs %d elements of %d bytes, there are %d", h.shape, n, h.size, have)
	}
	if rest := body - int64(n*h.size); rest != 0 {
		return nil, fmt.Errorf("%d bytes follow the %d elements of shape %v: not a plain array", rest, n, h.shape)
	}
	p := &Packed{Shape: h.shape, Kind: h.kind}
	switch {
	case h.kind != 'f':
		p.I32 = make([]int32, n)
	case h.size == 4:
		p.F32 = make([]float32, n)
	default:
		p.F64 = make([]float64, n)
	}
	buf := make([]byte, min(1<<16, n*h.size))
	for at := 0; at < n; {
		m := min(len(buf)/h.size, n-at)
		b := buf[:m*h.size]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		if h.big {
			for k := 0; k < len(b); k += h.size {
				slices.Reverse(b[k : k+h.size])
			}
		}
		if err := p.put(h, at, b); err != nil {
			return nil, err
		}
		at += m
	}
	if h.fortran && len(h.shape) > 1 {
		p.I32, p.I64 = transpose(p.I32, h.shape), transpose(p.I64, h.shape)
		p.F32, p.F64 = transpose(p.F32, h.shape), transpose(p.F64, h.shape)
	}
	return p, nil
}

// put stores elements at, at+1, ... which b holds, the least significant byte first.
func (p *Packed) put(h *npyHeader, at int, b []byte) error {
	le := binary.LittleEndian
	switch {
	case p.F64 != nil:
		for k := range p.F64[at : at+len(b)/8] {
			p.F64[at+k] = math.Float64frombits(le.Uint64(b[8*k:]))
		}
	case p.F32 != nil:
		for k := range p.F32[at : at+len(b)/4] {
			p.F32[at+k] = math.Float32frombits(le.Uint32(b[4*k:]))
		}
	case h.kind == 'i' && h.size == 4:
		for k := range p.I32[at : at+len(b)/4] {
			p.I32[at+k] = int32(le.Uint32(b[4*k:]))
		}
	default:
		for k := at; len(b) > 0; k, b = k+1, b[h.size:] {
			var word [8]byte
			copy(word[:], b[:h.size])
			bits := le.Uint64(word[:])
			x := int64(bits)
			switch {
			case h.kind == 'b' && bits > 1:
				return fmt.Errorf("element %d of a boolean array is %d", k, bits)
			case h.kind == 'u' && bits > math.MaxInt64:
				return fmt.Errorf("element %d is %d: beyond 64-bit signed integers", k, bits)
			case h.kind == 'i':
				shift := 64 - 8*h.size
				x = x << shift >> shift
			}
			if p.I32 != nil && int64(int32(x)) != x { // from here on they are wide
				p.I64, p.I32 = convert[int64](p.I32), nil
			}
			if p.I32 != nil {
				p.I32[k] = int32(x)
			} else {
				p.I64[k] = x
			}
		}
	}
	return nil
}

// transpose puts elements in Fortran order into C order.
func transpose[T any](v []T, shape []int) []T {
	if v == nil {
		return nil
	}
	out := make([]T, len(v))
	for k := range out {
		out[k] = v[fortranIndex(k, shape)]
	}
	return out
}

// fortranIndex returns where element k in C order lies in Fortran order.
func fortranIndex(k int, shape []int) int {
	at := 0
	stride := 1
	for _, d := range shape {
		stride *= d
	}
	for i := len(shape) - 1; i >= 0; i-- {
		stride /= shape[i]
		at += k % shape[i] * stride
		k /= shape[i]
	}
	return at
}
