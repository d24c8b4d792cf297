package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// ReadParquet reads a file in Apache Parquet's format: columns of integers, floats or
// booleans, without missing values.
func ReadParquet(f *os.File, size int64, o TableOptions) (t *Table, err error) {
	defer func() { // the library panics on some damaged files
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("the file is damaged: %v", r)
		}
	}()
	file, err := parquet.OpenFile(f, size)
	if err != nil {
		return nil, err
	}
	t = &Table{Columns: map[string]*Packed{}, Texts: map[string]string{}}
	if file.NumRows() < 0 || file.NumRows() > 1<<40 {
		return nil, fmt.Errorf("the file is damaged: it tells of %d rows", file.NumRows())
	}
	t.Rows = int(file.NumRows())
	leaves := map[string]*parquet.Column{}
	for _, c := range file.Root().Columns() {
		t.Names = append(t.Names, c.Name())
		if why := unreadable(c); why != "" {
			t.Texts[c.Name()] = why
		} else {
			leaves[c.Name()] = c
		}
	}
	names := o.Columns
	if names == nil {
		for _, n := range t.Names {
			if leaves[n] != nil {
				names = append(names, n)
			}
		}
	}
	for _, n := range names {
		switch {
		case !slices.Contains(t.Names, n):
			return nil, fmt.Errorf("there is no column '%s'; there are %s", n, strings.Join(t.Names, ", "))
		case leaves[n] == nil:
			return nil, fmt.Errorf("column '%s' must be numbers; it is %s", n, t.Texts[n])
		}
	}
	if err := o.room(float64(t.Rows), len(names)); err != nil {
		return nil, err
	}
	for _, n := range names {
		c := &Packed{Shape: []int{t.Rows}}
		for _, g := range file.RowGroups() {
			if err := o.stop(); err != nil {
				return nil, err
			}
			if err := readChunk(c, g.ColumnChunks()[leaves[n].Index()], o.stop); err != nil {
				return nil, fmt.Errorf("column '%s': %w", n, err)
			}
		}
		if c.Len() != t.Rows {
			return nil, fmt.Errorf("column '%s' has %d values in %d rows: the file is damaged", n, c.Len(), t.Rows)
		}
		for k, x := range c.F64 {
			if x-x != 0 {
				return nil, fmt.Errorf("row %d: column '%s' is %g: every number must be finite", k+1, n, x)
			}
		}
		narrow(c)
		t.Columns[n] = c
	}
	return t, nil
}

// unreadable says what a column is that does not hold a number in each row.
func unreadable(c *parquet.Column) string {
	switch {
	case !c.Leaf():
		return "a group of columns"
	case c.Repeated():
		return "lists"
	}
	switch k := c.Type().Kind(); k {
	case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
		return ""
	default:
		return strings.ToLower(k.String())
	}
}

func readChunk(c *Packed, chunk parquet.ColumnChunk, stop func() error) error {
	pages := chunk.Pages()
	defer pages.Close()
	buf := make([]parquet.Value, 8192)
	for {
		if err := stop(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buf)
			for _, v := range buf[:n] {
				switch {
				case v.IsNull():
					return fmt.Errorf("row %d has no value", c.Len()+1)
				case v.Kind() == parquet.Float:
					c.Kind, c.F64 = 'f', append(c.F64, float64(v.Float()))
				case v.Kind() == parquet.Double:
					c.Kind, c.F64 = 'f', append(c.F64, v.Double())
				case v.Kind() == parquet.Boolean:
					k := int64(0)
					if v.Boolean() {
						k = 1
					}
					c.Kind, c.I64 = 'b', append(c.I64, k)
				default:
					k := v.Int64()
					if v.Kind() == parquet.Int32 {
						k = int64(v.Int32())
					}
					c.Kind, c.I64 = 'i', append(c.I64, k)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(page)
	}
}

// narrow keeps integers in 32 bits where all fit.
func narrow(c *Packed) {
	for _, i := range c.I64 {
		if i != int64(int32(i)) {
			return
		}
	}
	if c.I64 != nil {
		c.I32 = convert[int32](c.I64)
		c.I64 = nil
	}
}
