package model

import (
	"encoding/binary"
	"fmt"
	"math"

	"synfire/engine/eqn"
	"synfire/engine/host"
	"synfire/engine/store"
)

// Column is one array that a monitor fills while a run goes on: with a run
// directory on disk, of which the file and its unit are the same, else in memory.
type Column struct {
	Name string      // "i", "t", "rate", or the variable
	Unit eqn.Dim     // values are in SI base units
	Type store.DType // Int32, Float32 or Float64
	Rows int         // values of each sample; 0: a vector

	chunks [][]byte      // in memory, little-endian, each full
	tail   []byte        // the newest values
	values int64         // all that were appended
	File   *store.Writer // where it is on disk
}

// chunkBytes is what a column gathers before it goes to its file, or is put aside
// in memory: a column in memory never moves what it has.
const chunkBytes = 1 << 20

// Len is the number of samples or events.
func (c *Column) Len() int { return int(c.values) / max(c.Rows, 1) }

// Path is the file that the column is written into; "": it is in memory.
func (c *Column) Path() string {
	if c.File == nil {
		return ""
	}
	return c.File.Path()
}

// ToFile writes what the column holds and all that follows into a file.
func (c *Column) ToFile(w *store.Writer) error {
	for _, b := range c.chunks {
		if err := w.AppendBytes(b); err != nil {
			return err
		}
	}
	c.chunks, c.File = nil, w
	return c.Flush()
}

// room returns the place of n more values in the tail.
func (c *Column) room(n int) []byte {
	size := n * c.Type.Size()
	if len(c.tail)+size > chunkBytes && len(c.tail) > 0 {
		c.drain()
	}
	at := len(c.tail)
	if cap(c.tail) < at+size {
		grown := make([]byte, at, max(at+size, min(2*cap(c.tail), chunkBytes)))
		copy(grown, c.tail)
		c.tail = grown
	}
	c.tail = c.tail[:at+size]
	c.values += int64(n)
	return c.tail[at:]
}

// drain moves the tail on. A file that takes no more keeps its error, which Flush tells.
func (c *Column) drain() {
	if c.File != nil {
		c.File.AppendBytes(c.tail)
		c.tail = c.tail[:0]
		return
	}
	c.chunks = append(c.chunks, c.tail)
	c.tail = make([]byte, 0, chunkBytes)
}

// Flush brings what was appended into the file, whole samples at a time.
func (c *Column) Flush() error {
	if c.File == nil {
		return nil
	}
	if len(c.tail) > 0 {
		c.drain()
	}
	return c.File.Flush()
}

// Put and Settle are the halves of Flush (store.Writer): between them, ranks that write the file together meet.
func (c *Column) Put() error {
	if c.File == nil {
		return nil
	}
	if len(c.tail) > 0 {
		c.drain()
	}
	return c.File.Put()
}

// Settle is the second half: err is what a rank has met.
func (c *Column) Settle(err error) error {
	if c.File == nil {
		return nil
	}
	return c.File.Settle(err)
}

// Memory is what the column holds in memory, in bytes.
func (c *Column) Memory() int64 {
	if c.File != nil {
		return int64(cap(c.tail))
	}
	return int64(len(c.chunks))*chunkBytes + int64(cap(c.tail))
}

func (c *Column) int32(x int32) { binary.LittleEndian.PutUint32(c.room(1), uint32(x)) }

func (c *Column) float64(x float64) { binary.LittleEndian.PutUint64(c.room(1), math.Float64bits(x)) }

// words appends the words of a variable as SI values.
func (c *Column) words(v *Variable, words []uint32) {
	piece := chunkBytes / c.Type.Size() / max(c.Rows, 1) * max(c.Rows, 1) // whole samples to a chunk, if they are smaller
	if piece == 0 {
		piece = max(c.Rows, 1)
	}
	for len(words) > 0 {
		part := words[:min(piece, len(words))]
		words = words[len(part):]
		b := c.room(len(part))
		switch c.Type {
		case store.Int32:
			for k, w := range part {
				binary.LittleEndian.PutUint32(b[4*k:], w)
			}
		case store.Float32:
			boolean, scale := v.Symbol.Type == eqn.Boolean, float32(v.Symbol.Dim.Scale())
			for k, w := range part {
				x := float32(math.Float32frombits(w) * scale)
				if boolean {
					x = float32(w)
				}
				binary.LittleEndian.PutUint32(b[4*k:], math.Float32bits(x))
			}
		default:
			for k, w := range part {
				binary.LittleEndian.PutUint64(b[8*k:], math.Float64bits(Value(v.Symbol, v.Dt(), w)))
			}
		}
	}
}

// columnOf is the column of a variable: float32, or what holds its values where
// float32 does not: int32 for whole numbers, float64 for times, which are kept as
// steps, and for units beyond float32's range (scales are powers of two, so that
// float32 is exact otherwise).
func columnOf(v *Variable, rows int) *Column {
	c := &Column{Name: v.Name, Unit: v.Symbol.Dim, Type: store.Float32, Rows: rows}
	scale := v.Symbol.Dim.Scale()
	switch {
	case v.Symbol.Steps, v.Symbol.Type == eqn.Float && (scale < 0x1p-46 || scale > 0x1p87):
		c.Type = store.Float64
	case v.Symbol.Type == eqn.Integer:
		c.Type = store.Int32
	}
	return c
}

// read calls f with the bytes of all values, piece by piece.
func (c *Column) read(f func(b []byte) error) error {
	if c.File != nil {
		c.Flush() // where the file takes no more, what it has is read
		return c.File.Read(f)
	}
	for _, b := range c.chunks {
		if err := f(b); err != nil {
			return err
		}
	}
	if len(c.tail) > 0 {
		return f(c.tail)
	}
	return nil
}

// each calls f with every value and its number.
func (c *Column) each(f func(k int, x float64)) error {
	k, size := 0, c.Type.Size()
	return c.read(func(b []byte) error {
		for ; len(b) >= size; b = b[size:] {
			f(k, c.value(b))
			k++
		}
		return nil
	})
}

// value is the first value of b.
func (c *Column) value(b []byte) float64 {
	switch c.Type {
	case store.Int32:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case store.Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// Floats returns all values: of a column with rows, row after row, Len values each.
func (c *Column) Floats() ([]float64, error) {
	if err := c.fits(c.values); err != nil {
		return nil, err
	}
	out := make([]float64, c.values)
	rows, samples := max(c.Rows, 1), c.Len()
	at, row := 0, 0 // of the next value
	err := c.each(func(_ int, x float64) {
		out[row*samples+at] = x
		if row++; row == rows {
			at, row = at+1, 0
		}
	})
	return out, err
}

// Since returns the values of the samples or events from number from on, as Floats does.
func (c *Column) Since(from int) ([]float64, error) {
	rows, samples := max(c.Rows, 1), max(0, c.Len()-from)
	if err := c.fits(int64(samples * rows)); err != nil {
		return nil, err
	}
	out := make([]float64, samples*rows)
	k, size := -from*rows, c.Type.Size() // of the next value
	err := c.read(func(b []byte) error {
		if skip := min(len(b)/size, max(0, -k)); skip > 0 {
			k, b = k+skip, b[skip*size:]
		}
		for ; len(b) >= size; b = b[size:] {
			out[k%rows*samples+k/rows] = c.value(b)
			k++
		}
		return nil
	})
	return out, err
}

// Row returns the values of one row.
func (c *Column) Row(r int) ([]float64, error) {
	if err := c.fits(int64(c.Len())); err != nil {
		return nil, err
	}
	out, row := make([]float64, 0, c.Len()), 0
	err := c.each(func(_ int, x float64) {
		if row == r {
			out = append(out, x)
		}
		if row++; row == c.Rows {
			row = 0
		}
	})
	return out, err
}

// Int32s returns all values of a column of whole numbers.
func (c *Column) Int32s() ([]int32, error) {
	if err := c.fits(c.values); err != nil {
		return nil, err
	}
	out := make([]int32, c.values)
	err := c.each(func(k int, x float64) { out[k] = int32(x) })
	return out, err
}

// fits refuses to make n numbers of what was recorded where the memory has no room.
func (c *Column) fits(n int64) error {
	if 8*n < 64<<20 { // not worth the question
		return nil
	}
	free := host.Free()
	if free <= 0 || 8*n <= free {
		return nil
	}
	hint := "record less"
	if p := c.Path(); p != "" {
		hint = fmt.Sprintf("numpy.load(%q, mmap_mode='r') reads it from the disk", p)
	}
	return fmt.Errorf("%d recorded values of %s take %s of memory to read, %s are free; %s", n, c.Name, host.Size(8*n), host.Size(free), hint)
}
