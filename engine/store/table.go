package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Table is a file's rows, by named columns of numbers.
type Table struct {
	Names   []string           // of all columns, in the file's order
	Columns map[string]*Packed // those that were asked for and hold numbers
	Texts   map[string]string  // columns that hold none: what the first row has there
	Rows    int
	Line    int // of the file, of the first row; 0: rows have no lines
}

// TableOptions choose what ReadTable reads.
type TableOptions struct {
	Columns []string                     // nil: all that hold numbers
	Room    func(elements float64) error // asked before so many numbers of 8 bytes are kept; nil: there is room
	Stop    func() error                 // looked at while it reads; nil: never
}

func (o *TableOptions) room(rows float64, columns int) error {
	if o.Room == nil {
		return nil
	}
	return o.Room(rows * float64(columns))
}

func (o *TableOptions) stop() error {
	if o.Stop == nil {
		return nil
	}
	return o.Stop()
}

// ReadTable reads a table whose first row names the columns, such as a list of edges:
// fields apart by commas, or by tabs or semicolons where the first row has no comma. Lines that
// are empty or begin with '#' are skipped.
// Integers stay exact to 64 bits. A column whose first row is no number is a text, and
// not read; a number that is missing or none is an error that names line and column.
func ReadTable(f *os.File, size int64, o TableOptions) (*Table, error) {
	t := &Table{Columns: map[string]*Packed{}, Texts: map[string]string{}}
	head := make([]byte, min(size, 1<<20))
	if _, err := f.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	body := 0
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		body = 3
	}
	if k := bytes.IndexByte(head, 0); k >= 0 {
		return nil, fmt.Errorf("line %d: a NUL byte: this is no text (a table in UTF-16 must be saved as UTF-8)", 1+bytes.Count(head[:k], []byte("\n")))
	}
	line := func() (string, bool) {
		k := bytes.IndexByte(head[body:], '\n')
		if k < 0 && int64(len(head)) < size {
			return "", false
		}
		if k < 0 {
			k = len(head) - body
		}
		s := strings.TrimSuffix(string(head[body:body+k]), "\r")
		body = min(body+k+1, len(head))
		t.Line++
		return s, true
	}
	text, ok := line()
	for ok && body < len(head) && (strings.TrimSpace(text) == "" || text[0] == '#') {
		text, ok = line()
	}
	if !ok {
		return nil, fmt.Errorf("line %d has more than 2^20 characters: this is no table", t.Line+1)
	}
	if strings.TrimSpace(text) == "" || text[0] == '#' {
		return nil, errors.New("the file is empty: its first line names the columns, such as pre,post,weight")
	}
	sep := byte(',')
	for _, c := range []byte(",\t; ") {
		if strings.IndexByte(text, c) >= 0 {
			sep = c
			break
		}
	}
	for _, n := range splitFields(text, sep) {
		n = strings.Trim(strings.TrimSpace(n), `"`)
		if slices.Contains(t.Names, n) {
			return nil, fmt.Errorf("line %d names two columns '%s'", t.Line, n)
		}
		t.Names = append(t.Names, n)
	}
	if number := func(n string) bool { _, err := strconv.ParseFloat(n, 64); return err == nil }; slices.ContainsFunc(t.Names, number) {
		return nil, fmt.Errorf("line %d must name the columns, such as pre,post,weight; it is '%.60s'", t.Line, text)
	}
	first := body
	want := make([]bool, len(t.Names))
	row, ok := line()
	skipped := 0
	for ok && body < len(head) && (row == "" || row[0] == '#') {
		row, ok = line()
		skipped++
	}
	if ok && row != "" {
		fields := splitFields(row, sep)
		for k, n := range t.Names {
			if k < len(fields) {
				if _, err := strconv.ParseFloat(strings.TrimSpace(fields[k]), 64); err != nil {
					t.Texts[n] = fields[k]
				}
			}
			want[k] = o.Columns == nil && t.Texts[n] == ""
		}
	}
	t.Line -= skipped // that of the first row, from which pieces count
	wanted := 0
	for _, n := range o.Columns {
		k := slices.Index(t.Names, n)
		if k < 0 {
			return nil, fmt.Errorf("there is no column '%s'; line %d names %s", n, t.Line-1, strings.Join(t.Names, ", "))
		}
		if text, is := t.Texts[n]; is {
			return nil, fmt.Errorf("line %d: column '%s' must be a number, not '%.40s'", t.Line+skipped, n, text)
		}
		want[k] = true
	}
	for _, w := range want {
		if w {
			wanted++
		}
	}
	if rest := int64(len(head) - first); rest > 0 && size > int64(len(head)) { // else the rows are few
		rows := float64(bytes.Count(head[first:], []byte("\n"))+1) / float64(rest) * float64(size)
		if err := o.room(rows, wanted); err != nil {
			return nil, err
		}
	}
	pieces, err := t.read(f, int64(first), size, sep, want, &o)
	if err != nil {
		return nil, err
	}
	for k, n := range t.Names {
		if want[k] {
			t.Columns[n] = joinColumn(pieces, k, t.Rows)
		}
	}
	return t, nil
}

// A piece is what one stretch of the file holds: values of each wanted column, as
// integers until one is none.
type piece struct {
	ints   [][]int64
	floats [][]float64
	rows   int
	lines  int // empty ones too
	err    *rowError
}

type rowError struct {
	line int // from 0, of the piece
	msg  string
}

// pieceBytes is a piece of the file, which one thread reads; a variable, so that tests can lower it.
var pieceBytes int64 = 8 << 20

// read reads pieces of the file, several at a time.
func (t *Table) read(f *os.File, from, size int64, sep byte, want []bool, o *TableOptions) ([]*piece, error) {
	var cuts []int64 // where pieces begin: at the beginnings of lines
	cuts = append(cuts, from)
	probe := make([]byte, 1<<16)
	for at := from + pieceBytes; at < size; at += pieceBytes {
		for { // the line that is under way belongs to the piece before
			n, err := f.ReadAt(probe[:min(int64(len(probe)), size-at)], at)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if k := bytes.IndexByte(probe[:n], '\n'); k >= 0 || n == 0 {
				at += int64(k + 1)
				break
			}
			at += int64(n)
		}
		if at < size {
			cuts = append(cuts, at)
		}
	}
	pieces := make([]*piece, len(cuts))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	next := 0
	for range min(runtime.GOMAXPROCS(0), len(cuts)) {
		wg.Go(func() {
			var buf []byte
			for {
				mu.Lock()
				k := next
				next++
				mu.Unlock()
				if k >= len(cuts) {
					return
				}
				end := size
				if k+1 < len(cuts) {
					end = cuts[k+1]
				}
				n := int(end - cuts[k])
				if cap(buf) < n {
					buf = make([]byte, n)
				}
				err := o.stop()
				if err == nil {
					_, err = io.ReadFull(io.NewSectionReader(f, cuts[k], int64(n)), buf[:n])
				}
				p := &piece{}
				if err == nil {
					p.parse(buf[:n], t.Names, sep, want)
				}
				mu.Lock()
				pieces[k] = p
				if err != nil && failed == nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return nil, failed
	}
	lines := 0
	for _, p := range pieces {
		if p.err != nil {
			return nil, fmt.Errorf("line %d: %s", t.Line+lines+p.err.line, p.err.msg)
		}
		lines += p.lines
		t.Rows += p.rows
	}
	return pieces, nil
}

// parse reads the lines of b.
func (p *piece) parse(b []byte, names []string, sep byte, want []bool) {
	p.ints, p.floats = make([][]int64, len(names)), make([][]float64, len(names))
	guess := bytes.Count(b, []byte("\n")) + 1
	for k, w := range want {
		if w {
			p.ints[k] = make([]int64, 0, guess)
		}
	}
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		row, rest := b, []byte(nil)
		if end >= 0 {
			row, rest = b[:end], b[end+1:]
		}
		b = rest
		if n := len(row); n > 0 && row[n-1] == '\r' {
			row = row[:n-1]
		}
		if len(row) == 0 || row[0] == '#' {
			p.lines++
			continue
		}
		if msg := p.row(row, names, sep, want); msg != "" {
			p.err = &rowError{p.lines, msg}
			return
		}
		p.lines++
		p.rows++
	}
}

func (p *piece) row(row []byte, names []string, sep byte, want []bool) string {
	k, whole := 0, row
	for more := true; more; k++ {
		if k == len(names) {
			return fmt.Sprintf("this row has %d fields, and there are %d columns", len(splitFields(string(whole), sep)), k)
		}
		var field []byte
		if field, row, more = cutField(row, sep); !want[k] {
			continue
		}
		if i, ok := parseInt(field); ok && p.floats[k] == nil {
			p.ints[k] = append(p.ints[k], i)
			continue
		}
		x, ok := parseFloat(field)
		if !ok {
			return fmt.Sprintf("column '%s' must be a finite number, not '%.40s'", names[k], field)
		}
		if p.floats[k] == nil {
			p.floats[k] = make([]float64, len(p.ints[k]), cap(p.ints[k]))
			for n, i := range p.ints[k] {
				p.floats[k][n] = float64(i)
			}
			p.ints[k] = nil
		}
		p.floats[k] = append(p.floats[k], x)
	}
	if k < len(names) {
		return fmt.Sprintf("this row has %d fields, and there are %d columns", k, len(names))
	}
	return ""
}

// cutField is the first field of a row, quoted or not, and what follows it.
func cutField(row []byte, sep byte) (field, rest []byte, more bool) {
	if len(row) > 0 && row[0] == '"' {
		for k := 1; k < len(row); k++ {
			if row[k] == '"' && (k+1 == len(row) || row[k+1] == sep) {
				if k+1 == len(row) {
					return row[1:k], nil, false
				}
				return row[1:k], row[k+2:], true
			}
		}
	}
	if k := bytes.IndexByte(row, sep); k >= 0 {
		return row[:k], row[k+1:], true
	}
	return row, nil, false
}

func splitFields(row string, sep byte) (fields []string) {
	rest, more := []byte(row), true
	for more {
		var f []byte
		f, rest, more = cutField(rest, sep)
		fields = append(fields, string(f))
	}
	return fields
}

// parseInt reads a decimal integer of at most 18 digits.
func parseInt(b []byte) (int64, bool) {
	b = trimBlanks(b)
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var x int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		x = 10*x + int64(c-'0')
	}
	if neg {
		x = -x
	}
	return x, true
}

// tens are powers of ten that float64 holds exactly.
var tens = func() (t [23]float64) {
	t[0] = 1
	for k := 1; k < len(t); k++ {
		t[k] = 10 * t[k-1]
	}
	return t
}()

// parseFloat reads a finite number, as strconv.ParseFloat does: digits and a point
// that float64 holds exactly need one division, correctly rounded.
func parseFloat(b []byte) (float64, bool) {
	b = trimBlanks(b)
	s := b
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	var x uint64
	digits, point := 0, -1
	for k, c := range s {
		if c == '.' && point < 0 {
			point = k
			continue
		}
		if c < '0' || c > '9' || digits == 15 {
			digits = 0
			break
		}
		x = 10*x + uint64(c-'0')
		digits++
	}
	if digits > 0 {
		v := float64(x)
		if point >= 0 {
			v /= tens[len(s)-point-1]
		}
		if neg {
			v = -v
		}
		return v, true
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil && v-v == 0
}

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t'); n-- {
		b = b[:n-1]
	}
	return b
}

// joinColumn puts the pieces of a column together, and gives them back.
func joinColumn(pieces []*piece, k, rows int) *Packed {
	float, small := false, true
	for _, p := range pieces {
		float = float || p.floats[k] != nil
		for _, i := range p.ints[k] {
			small = small && i == int64(int32(i))
		}
	}
	c := &Packed{Shape: []int{rows}, Kind: 'i'}
	switch {
	case float:
		c.Kind, c.F64 = 'f', make([]float64, 0, rows)
	case small:
		c.I32 = make([]int32, 0, rows)
	default:
		c.I64 = make([]int64, 0, rows)
	}
	for _, p := range pieces {
		switch {
		case float && p.floats[k] != nil:
			c.F64 = append(c.F64, p.floats[k]...)
		case float:
			for _, i := range p.ints[k] {
				c.F64 = append(c.F64, float64(i))
			}
		case small:
			for _, i := range p.ints[k] {
				c.I32 = append(c.I32, int32(i))
			}
		default:
			c.I64 = append(c.I64, p.ints[k]...)
		}
		p.ints[k], p.floats[k] = nil, nil
	}
	return c
}
