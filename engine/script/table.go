package script

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
	"synfire/engine/store"
)

// table is what load_table gives: a file's columns by their names.
type table struct {
	opaque
	file string
	t    *store.Table
	cols map[string]*array.Array
	// large are columns with a whole number that float64, and so an array, has not; one of each.
	large map[string]int64
}

// loadTable is load_table('x.csv' | 'x.tsv' | 'x.parquet', columns): edges, cells or
// other rows of numbers with named columns.
func loadTable(x *script, c *call) (starlark.Value, error) {
	name := c.str("file", "")
	o := store.TableOptions{
		Columns: c.texts("columns"),
		Room:    func(elements float64) error { return memory.RoomFor(8 * elements) },
		Stop:    x.ctx.Err,
	}
	if c.err != nil {
		return nil, c.err
	}
	f, err := x.open(name)
	if err != nil {
		c.fail("file", err)
		return nil, c.err
	}
	defer f.Close()
	st, err := f.Stat()
	var t *store.Table
	if err == nil {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".parquet", ".pq":
			t, err = store.ReadParquet(f, st.Size(), o)
		case ".csv", ".tsv", ".txt":
			t, err = store.ReadTable(f, st.Size(), o)
		case ".h5", ".hdf5", ".nwb":
			err = withHint("`python -m synfire.sonata edges.h5 edge_types.csv edges.parquet` makes a table of SONATA's edges or nodes; h5py and pandas make one of other files", "HDF5 is not read")
		default:
			err = errors.New("the name must end in .csv, .tsv, .txt or .parquet")
		}
	}
	if err != nil {
		c.failf("file", "load_table(%q): %w", name, err)
		return nil, c.err
	}
	v := &table{file: name, t: t, cols: map[string]*array.Array{}, large: map[string]int64{}}
	for n, p := range t.Columns {
		if k := slices.IndexFunc(p.I64, func(i int64) bool { return i > 1<<53 || i < -1<<53 }); k >= 0 {
			v.large[n] = p.I64[k]
			continue
		}
		v.cols[n] = unpacked(p)
	}
	return v, nil
}

func (t *table) String() string {
	return fmt.Sprintf("<table %s, %d rows of %s>", t.file, t.t.Rows, strings.Join(t.t.Names, ", "))
}
func (t *table) Type() string { return "table" }
func (t *table) Len() int     { return t.t.Rows }

// Get is table['column'].
func (t *table) Get(k starlark.Value) (starlark.Value, bool, error) {
	n, ok := starlark.AsString(k)
	if !ok {
		return nil, false, fmt.Errorf("a column is named by a text, not %s", array.Describe(k))
	}
	if a := t.cols[n]; a != nil {
		return a, true, nil
	}
	if i, is := t.large[n]; is {
		return nil, false, withHint(fmt.Sprintf(".list('%s') is a list of them as they are", n), "column '%s' of %s holds whole numbers beyond 2^53, such as %d, which an array would round", n, t.file, i)
	}
	return nil, false, t.missing(n)
}

// list is table.list('column'): its whole numbers, however large, as a list.
func (t *table) list(args starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("list() of a table takes the name of one column")
	}
	n, _ := starlark.AsString(args[0])
	p := t.t.Columns[n]
	if p == nil {
		return nil, t.missing(n)
	}
	if err := memory.Room(p.Len(), 64); err != nil {
		return nil, err
	}
	var l []starlark.Value
	switch {
	case p.I32 != nil && p.Kind != 'b':
		for _, i := range p.I32 {
			l = append(l, starlark.MakeInt(int(i)))
		}
	case p.I64 != nil:
		for _, i := range p.I64 {
			l = append(l, starlark.MakeInt64(i))
		}
	case p.Len() > 0:
		return nil, fmt.Errorf("column '%s' of %s holds other than whole numbers: T['%s'] is an array of them", n, t.file, n)
	}
	return starlark.NewList(l), nil
}

// missing says why there is no such column.
func (t *table) missing(n string) error {
	if text, is := t.t.Texts[n]; is {
		return fmt.Errorf("column '%s' of %s holds no numbers but '%.40s'", n, t.file, text)
	}
	hint := eqn.Nearest(n, t.t.Names)
	if hint == "" {
		hint = "there are " + strings.Join(t.t.Names, ", ")
	}
	return withHint(hint, "%s has no column '%s'", t.file, n)
}

func (t *table) Attr(name string) (starlark.Value, error) {
	switch name {
	case "columns":
	case "list":
		return array.Method(t, name, t.list), nil
	default:
		return nil, nil
	}
	var names []starlark.Value
	for _, n := range t.t.Names {
		names = append(names, starlark.String(n))
	}
	return starlark.NewList(names), nil
}
func (t *table) AttrNames() []string { return []string{"columns", "list"} }
