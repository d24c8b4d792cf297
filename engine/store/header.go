package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// npyHeader is what a NumPy array file says of its values.
type npyHeader struct {
	kind    byte
	size    int
	big     bool
	fortran bool
	shape   []int
}

// readHeader reads what precedes the values, and tells how many bytes that was.
func readHeader(r io.Reader) (*npyHeader, int64, error) {
	const magic = "\x93NUMPY"
	var b [12]byte
	if _, err := io.ReadFull(r, b[:10]); err != nil || string(b[:6]) != magic {
		return nil, 0, fmt.Errorf("not a NumPy array file (it does not begin with \\x93NUMPY)")
	}
	n, head := uint32(binary.LittleEndian.Uint16(b[8:])), int64(10)
	switch v := b[6]; v {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, b[10:]); err != nil {
			return nil, 0, fmt.Errorf("the file is truncated within its header")
		}
		if n, head = binary.LittleEndian.Uint32(b[8:]), 12; n > 1<<20 {
			return nil, 0, fmt.Errorf("a header of %d bytes", n)
		}
	default:
		return nil, 0, fmt.Errorf("format version %d.%d is not known; 1, 2 and 3 are", v, b[7])
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, 0, fmt.Errorf("the file is truncated within its header")
	}
	h, err := parseDict(string(text))
	if err != nil {
		return nil, 0, fmt.Errorf("bad header: %w", err)
	}
	return h, head + int64(n), nil
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
