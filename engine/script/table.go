package script

import (
	"errors"
	"fmt"
	"path/filepath"
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
		default:
			err = errors.New("the name must end in .csv, .tsv, .txt or .parquet")
		}
	}
	if err != nil {
		c.failf("file", "load_table(%q): %w", name, err)
		return nil, c.err
	}
	v := &table{file: name, t: t, cols: map[string]*array.Array{}}
	for n, p := range t.Columns {
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
	if text, is := t.t.Texts[n]; is {
		return nil, false, fmt.Errorf("column '%s' of %s holds no numbers but '%.40s'", n, t.file, text)
	}
	hint := "there are " + strings.Join(t.t.Names, ", ")
	if near := eqn.Nearest(n, t.t.Names); near != "" {
		hint = fmt.Sprintf("did you mean '%s'?", near)
	}
	return nil, false, withHint(hint, "%s has no column '%s'", t.file, n)
}

func (t *table) Attr(name string) (starlark.Value, error) {
	if name != "columns" {
		return nil, nil
	}
	var names []starlark.Value
	for _, n := range t.t.Names {
		names = append(names, starlark.String(n))
	}
	return starlark.NewList(names), nil
}
func (t *table) AttrNames() []string { return []string{"columns"} }
