package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
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

// ReadNPY reads a NumPy array file of format 1.0, 2.0 or 3.0: floats of 2, 4 or 8 bytes' width (2 excluded), integers of
// 1, 2, 4 or 8, booleans, of either byte order.
func ReadNPY(path string) (*Array, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a, err := DecodeNPY(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// DecodeNPY decodes the contents of a NumPy array file.
func DecodeNPY(data []byte) (*Array, error) {
	h, body, err := parseHeader(data)
	if err != nil {
		return nil, err
	}
	n := 1
	for _, d := range h.shape {
		if d != 0 && n > math.MaxInt/16/d {
			return nil, fmt.Errorf("shape %v is too large for this machine", h.shape)
		}
		n *= d
	}
	if have := len(body) / h.size; have < n {
		return nil, fmt.Errorf("the file is truncated: shape %v needs %d elements of %d bytes, there are %d", h.shape, n, h.size, have)
	}
	if len(body) != n*h.size {
		return nil, fmt.Errorf("%d bytes follow the %d elements of shape %v: not a plain array", len(body)-n*h.size, n, h.shape)
	}
	a := &Array{Shape: h.shape, Kind: h.kind, F: make([]float64, n)}
	if h.kind != 'f' {
		a.I = make([]int64, n)
	}
	for k := range n {
		at := k
		if h.fortran && len(h.shape) > 1 {
			at = fortranIndex(k, h.shape)
		}
		bits := h.element(body, at)
		switch {
		case h.kind == 'f' && h.size == 8:
			a.F[k] = math.Float64frombits(bits)
		case h.kind == 'f':
			a.F[k] = float64(math.Float32frombits(uint32(bits)))
		case h.kind == 'b' && bits > 1:
			return nil, fmt.Errorf("element %d of a boolean array is %d", k, bits)
		case h.kind == 'u' && bits > math.MaxInt64:
			return nil, fmt.Errorf("element %d is %d: beyond 64-bit signed integers", k, bits)
		default:
			v := int64(bits)
			if h.kind == 'i' {
				shift := 64 - 8*h.size
				v = v << shift >> shift
			}
			a.I[k], a.F[k] = v, float64(v)
		}
	}
	return a, nil
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

type npyHeader struct {
	kind    byte
	size    int
	big     bool
	fortran bool
	shape   []int
}

func (h *npyHeader) element(b []byte, k int) uint64 {
	b = b[k*h.size : (k+1)*h.size]
	var order binary.ByteOrder = binary.LittleEndian
	if h.big {
		order = binary.BigEndian
	}
	switch h.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

func parseHeader(data []byte) (h *npyHeader, body []byte, err error) {
	const magic = "\x93NUMPY"
	if len(data) < 10 || string(data[:6]) != magic {
		return nil, nil, fmt.Errorf("not a NumPy array file (it does not begin with \\x93NUMPY)")
	}
	var n, at int
	switch v := data[6]; v {
	case 1:
		n, at = int(binary.LittleEndian.Uint16(data[8:])), 10
	case 2, 3:
		if len(data) < 12 {
			return nil, nil, fmt.Errorf("the file is truncated within its header")
		}
		l := binary.LittleEndian.Uint32(data[8:])
		if l > 1<<20 {
			return nil, nil, fmt.Errorf("a header of %d bytes", l)
		}
		n, at = int(l), 12
	default:
		return nil, nil, fmt.Errorf("format version %d.%d is not known; 1, 2 and 3 are", v, data[7])
	}
	if len(data) < at+n {
		return nil, nil, fmt.Errorf("the file is truncated within its header")
	}
	h, err = parseDict(string(data[at : at+n]))
	if err != nil {
		return nil, nil, fmt.Errorf("bad header: %w", err)
	}
	return h, data[at+n:], nil
}

// parseDict parses {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
func parseDict(s string) (*npyHeader, error) {
	h := &npyHeader{}
	seen := map[string]bool{}
	p := &literal{s: s}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	for !p.take("}") {
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("%q stands twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.take("[") {
				return nil, fmt.Errorf("structured arrays are not supported; save one column at a time")
			}
			d, err := p.str()
			if err != nil {
				return nil, err
			}
			if err := h.setType(d); err != nil {
				return nil, err
			}
		case "fortran_order":
			switch {
			case p.take("True"):
				h.fortran = true
			case p.take("False"):
			default:
				return nil, fmt.Errorf("fortran_order is neither True nor False")
			}
		case "shape":
			if h.shape, err = p.tuple(); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown key %q", key)
		}
		if !p.take(",") {
			if err := p.expect("}"); err != nil {
				return nil, err
			}
			break
		}
	}
	if !seen["descr"] || !seen["fortran_order"] || !seen["shape"] {
		return nil, fmt.Errorf("descr, fortran_order or shape is missing")
	}
	return h, nil
}

func (h *npyHeader) setType(d string) error {
	ok := len(d) == 3 && strings.IndexByte("<>=|", d[0]) >= 0
	if ok {
		h.kind, h.size, h.big = d[1], int(d[2]-'0'), d[0] == '>'
		switch d[1] {
		case 'f':
			ok = d[2] == '4' || d[2] == '8'
		case 'i', 'u':
			ok = d[2] == '1' || d[2] == '2' || d[2] == '4' || d[2] == '8'
		case 'b':
			ok = d[2] == '1'
		default:
			ok = false
		}
		ok = ok && (d[0] != '|' || h.size == 1)
	}
	if !ok {
		return fmt.Errorf("elements of type %q cannot be read; use float32, float64, an integer type or bool", d)
	}
	return nil
}

// literal reads the few Python literals that a header has.
type literal struct{ s string }

func (p *literal) take(t string) bool {
	p.s = strings.TrimLeft(p.s, " \t\n")
	if strings.HasPrefix(p.s, t) {
		p.s = p.s[len(t):]
		return true
	}
	return false
}

func (p *literal) expect(t string) error {
	if !p.take(t) {
		return fmt.Errorf("%q expected at %.20q", t, p.s)
	}
	return nil
}

func (p *literal) str() (string, error) {
	for _, q := range []string{"'", `"`} {
		if p.take(q) {
			if k := strings.Index(p.s, q); k >= 0 {
				v := p.s[:k]
				p.s = p.s[k+1:]
				return v, nil
			}
			return "", fmt.Errorf("a string has no end")
		}
	}
	return "", fmt.Errorf("a string expected at %.20q", p.s)
}

func (p *literal) tuple() ([]int, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	shape := []int{}
	for !p.take(")") {
		p.take("")
		k := 0
		for k < len(p.s) && p.s[k] >= '0' && p.s[k] <= '9' {
			k++
		}
		n, err := strconv.ParseInt(p.s[:k], 10, 48)
		if err != nil || len(shape) == 32 {
			return nil, fmt.Errorf("bad shape at %.20q", p.s)
		}
		shape = append(shape, int(n))
		p.s = strings.TrimPrefix(p.s[k:], "L")
		if !p.take(",") {
			if err := p.expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	return shape, nil
}
