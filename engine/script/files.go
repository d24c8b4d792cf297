package script

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
	"synfire/engine/store"
)

// open opens a file of the script's folder, and of nowhere else: os.Root
// refuses paths and symbolic links that lead outside.
func (x *script) open(name string) (*os.File, error) {
	if x.root == nil {
		r, err := os.OpenRoot(x.dir)
		if err != nil {
			return nil, fmt.Errorf("the script's folder %s cannot be opened: %w", x.dir, err)
		}
		x.root = r
	}
	if name == "" || filepath.IsAbs(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, withHint("name a file beside the script", "%q is outside the script's folder %s, from which alone a script reads", name, x.dir)
	}
	f, err := x.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that nobody writes to would be waited for
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, x.noFile(name)
		}
		if strings.Contains(err.Error(), "escapes") {
			return nil, withHint("copy the file into the folder", "%q leads outside the script's folder %s, from which alone a script reads", name, x.dir)
		}
		return nil, fmt.Errorf("%q cannot be read: %w", name, err)
	}
	if st, err := f.Stat(); err == nil && !st.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%q is not a file", name)
	}
	return f, nil
}

// readFile reads a file of the script's folder.
func (x *script) readFile(name string) ([]byte, error) {
	f, err := x.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readText(name, f)
}

// noFile names the nearest file there is.
func (x *script) noFile(name string) error {
	var known []string
	if list, err := fs.ReadDir(x.root.FS(), "."); err == nil {
		for _, e := range list {
			known = append(known, e.Name())
		}
	}
	return withHint(eqn.Nearest(name, known), "there is no file %q in the script's folder %s", name, x.dir)
}

// loadArray is load_array('x.npy' | 'x.csv', unit).
func loadArray(x *script, c *call) (starlark.Value, error) {
	name := c.str("file", "")
	unit := array.Operand{V: []float64{1}, One: true}
	if u := c.Get("unit"); u != nil {
		o, ok, err := array.OperandOf(u)
		if err != nil || !ok || !o.One {
			c.failf("unit", "unit= must be a unit such as mV, not %s", array.Describe(u))
		}
		unit = o
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
	a, err := decode(name, f)
	if err != nil {
		c.failf("file", "load_array(%q): %v", name, err)
		return nil, c.err
	}
	if c.Has("unit") {
		a.Dim, a.Packed.Unit = unit.Dim, unit.V[0]
		if unit.V[0] != 1 || !unit.Dim.IsOne() {
			a.Kind = array.Floats
		}
	}
	return a, nil
}

// loaded is an array and what the file holds that it came from; nil where it has
// become float64, and for other values.
func loaded(v starlark.Value) (*array.Array, *store.Packed) {
	a, ok := v.(*array.Array)
	if !ok || a.Packed == nil {
		return nil, nil
	}
	f, _ := a.Packed.From.(*store.Packed)
	return a, f
}

// decode turns a file into an array or a table of finite numbers.
func decode(name string, file *os.File) (*array.Array, error) {
	a, err := decodeAny(name, file)
	if err != nil {
		return nil, err
	}
	switch f := a.Packed.From.(*store.Packed); {
	case f.F32 != nil:
		a.Kind, err = kindOf(f.F32)
	case f.F64 != nil:
		a.Kind, err = kindOf(f.F64)
	}
	return a, err
}

// decodeAny is decode for any numbers; the kind of floats is Floats.
func decodeAny(name string, file *os.File) (*array.Array, error) {
	var f *store.Packed
	var err error
	switch strings.ToLower(filepath.Ext(name)) {
	case ".npy":
		var st os.FileInfo
		if st, err = file.Stat(); err == nil {
			err = memory.RoomFor(float64(st.Size()))
		}
		if err == nil {
			f, err = store.UnpackNPY(file, st.Size())
		}
		if err == nil && f.F64 == nil { // they become float64 when the script calculates with them
			err = memory.Room(f.Len(), 8)
		}
	case ".csv", ".tsv", ".txt":
		f, err = unpackCSV(file)
	default:
		err = fmt.Errorf("the name must end in .npy or .csv")
	}
	if err != nil {
		return nil, err
	}
	if k := slices.IndexFunc(f.I64, func(i int64) bool { x := float64(i); return x >= 1<<63 || int64(x) != i }); k >= 0 {
		return nil, fmt.Errorf("element %d is %d, which an array, where whole numbers are exact to 2^53, would round: load_table('x.csv').list('name') keeps whole numbers as they are", k, f.I64[k])
	}
	a := unpacked(f)
	switch len(f.Shape) {
	case 0, 1:
	case 2:
		a.Table, a.Cols, a.Hollow = true, f.Shape[1], f.Shape[0]
	default:
		return nil, fmt.Errorf("an array of %d dimensions: one or two were expected", len(f.Shape))
	}
	return a, nil
}

// unpacked is an array of a file's values, which stay as the file has them until
// the script calculates with them.
func unpacked(f *store.Packed) *array.Array {
	a := &array.Array{Kind: array.Ints, Packed: &array.Packed{From: f, Unit: 1}}
	switch {
	case f.Kind == 'b':
		a.Kind = array.Bools
	case f.F32 != nil, f.F64 != nil:
		a.Kind = array.Floats
	}
	return a
}

// unpackCSV reads a table of numbers.
func unpackCSV(file *os.File) (*store.Packed, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := memory.RoomFor(float64(st.Size())); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(file, st.Size()))
	if err != nil {
		return nil, err
	}
	fields := 0
	for _, c := range b {
		if c == ',' || c == ';' || c <= ' ' {
			fields++
		}
	}
	if err := memory.Room(fields, 40); err != nil { // a field's text and number, while they grow
		return nil, err
	}
	a, err := store.DecodeCSV(b)
	if err != nil {
		return nil, fmt.Errorf("line %w", err)
	}
	return &store.Packed{Shape: a.Shape, Kind: a.Kind, F64: a.F}, nil
}

// kindOf tells whether floats are whole numbers. All must be finite.
func kindOf[T float32 | float64](v []T) (array.Kind, error) {
	k := array.Ints
	for n, x := range v {
		if x-x != 0 {
			return k, fmt.Errorf("element %d is %g: every number must be finite", n, x)
		}
		if float64(x) != math.Floor(float64(x)) {
			k = array.Floats
		}
	}
	return k, nil
}

// saveArray is save_array('name', values): into the run directory.
func saveArray(x *script, c *call) (starlark.Value, error) {
	name := c.str("name", "")
	if c.err == nil && !nameRE.MatchString(name) {
		c.failf("name", "the name must be letters, digits and _, not %q", name)
	}
	o, ok, err := array.OperandOf(c.Val["values"])
	if err == nil && !ok {
		err = fmt.Errorf("values= must be numbers, not %s", array.Describe(c.Val["values"]))
	}
	c.fail("values", err)
	if c.err != nil {
		return nil, c.err
	}
	if err := memory.Room(len(o.V), 8); err != nil {
		return nil, err
	}
	if x.opt.Records == nil {
		return starlark.None, nil // exec has warned
	}
	cols := 0
	if o.Table {
		cols = o.Cols
	}
	c.fail("name", x.opt.Records.Save(name, append([]float64{}, o.V...), cols, o.Kind > array.Floats))
	return starlark.None, c.err
}
