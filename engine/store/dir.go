package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ManifestName is the file of a run directory that describes the rest.
const ManifestName = "run.json"

// Dir is a run directory that is being written.
type Dir struct {
	path string
	open []*Writer
}

// Create makes path a run directory. One that exists must be empty or hold an earlier run; of an earlier run, the arrays
// are removed by the first WriteManifest, so that a manifest never describes another run's arrays. Pictures (.png, .svg)
// beside them stay. Anything else in it makes Create refuse, and touch nothing.
func Create(path string) (*Dir, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(path, 0o777); err != nil {
			return nil, fmt.Errorf("the run directory cannot be made: %w", err)
		}
		return &Dir{path: path}, nil
	case err != nil:
		return nil, fmt.Errorf("the run directory cannot be used: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; a run is written into a directory", path)
	}
	if _, err := earlierRun(path); err != nil {
		return nil, err
	}
	return &Dir{path: path}, nil
}

// earlierRun returns the files and folders that a run has left in path, folders after what is in them; an error if there
// is anything else.
func earlierRun(path string) (ours []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("the run directory cannot be read: %w", err)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	refuse := func(what string) error {
		return fmt.Errorf("%s holds something else than an earlier run (%s); name another directory, or empty it", path, what)
	}
	if _, err := Open(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, refuse("there is no " + ManifestName + ", but " + entries[0].Name())
		}
		return nil, refuse(err.Error())
	}
	for _, e := range entries {
		full := filepath.Join(path, e.Name())
		switch {
		case e.Type().IsRegular() && (e.Name() == ManifestName || picture(e.Name())):
		case e.Type().IsRegular() && (isArray(e.Name()) || e.Name() == partName):
			ours = append(ours, full)
		case e.IsDir():
			inner, err := os.ReadDir(full)
			if err != nil {
				return nil, err
			}
			for _, f := range inner {
				if !f.Type().IsRegular() || !isArray(f.Name()) {
					return nil, refuse(filepath.Join(e.Name(), f.Name()))
				}
				ours = append(ours, filepath.Join(full, f.Name()))
			}
			ours = append(ours, full)
		default:
			return nil, refuse(e.Name())
		}
	}
	return ours, nil
}

func isArray(name string) bool { return strings.HasSuffix(name, ".npy") }

func picture(name string) bool {
	return strings.HasSuffix(name, ".png") || strings.HasSuffix(name, ".svg")
}

// Open reads the manifest of a run directory.
func Open(path string) (*Manifest, error) {
	file := filepath.Join(path, ManifestName)
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s is not a run's: %w", file, err)
	}
	if m.Status == "" || m.Version == "" {
		return nil, fmt.Errorf("%s is not a run's: version or status is missing", file)
	}
	return m, nil
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// partName is the manifest while it is written.
const partName = "run.json.part"

// WriteManifest replaces run.json in one step: a reader sees the old one or the new one. The first call, which should say
// Running, also removes the arrays of an earlier run.
func (d *Dir) WriteManifest(m *Manifest) error {
	b, err := m.JSON()
	if err != nil {
		return err
	}
	part := filepath.Join(d.path, partName)
	err = os.WriteFile(part, b, 0o666)
	if err == nil {
		err = os.Rename(part, filepath.Join(d.path, ManifestName))
	}
	if err != nil {
		os.Remove(part)
		return fmt.Errorf("%s cannot be written, what stood in it stays: %w", filepath.Join(d.path, ManifestName), err)
	}
	if m.Status == Running && d.open == nil {
		old, err := earlierRun(d.path)
		if err != nil {
			return err
		}
		for _, f := range old {
			if err := os.Remove(f); err != nil {
				return fmt.Errorf("a file of the earlier run cannot be removed: %w", err)
			}
		}
		d.open = []*Writer{}
	}
	return nil
}

// file returns the path of an array named NAME or MONITOR/NAME, its folder made.
func (d *Dir) file(name string) (string, error) {
	parts := strings.Split(name, "/")
	if len(parts) > 2 {
		return "", fmt.Errorf("%q: a file of a run is NAME or MONITOR/NAME", name)
	}
	for _, p := range parts {
		if err := CheckName(p); err != nil {
			return "", err
		}
	}
	path := filepath.Join(append([]string{d.path}, parts...)...) + ".npy"
	if len(parts) == 2 {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return "", err
		}
	}
	return path, nil
}

// CheckName tells whether a name can be that of a monitor or an array on disk: letters, digits, '_', '-' and '.', not
// '.' first, 100 bytes at most.
func CheckName(name string) error {
	ok := name != "" && name[0] != '.' && len(name) <= 100
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' || r > 127)
	}
	if !ok {
		return fmt.Errorf("%q cannot name a file of a run; use letters, digits, '_' and '-'", name)
	}
	return nil
}

// Vector opens the array NAME or MONITOR/NAME of one dimension for appending.
func (d *Dir) Vector(name string, t DType) (*Writer, error) { return d.array(name, t, 0) }

// Matrix opens the array NAME or MONITOR/NAME of shape [rows, samples], in Fortran order, for appending.
func (d *Dir) Matrix(name string, t DType, rows int) (*Writer, error) {
	if rows < 1 {
		return nil, fmt.Errorf("%s: an array of %d rows; at least 1 is needed", name, rows)
	}
	return d.array(name, t, rows)
}

func (d *Dir) array(name string, t DType, rows int) (*Writer, error) {
	path, err := d.file(name)
	if err != nil {
		return nil, err
	}
	for _, w := range d.open {
		if w.path == path {
			return nil, fmt.Errorf("%s is written twice: two objects of one name", path)
		}
	}
	w, err := newWriter(path, t, rows)
	if err == nil {
		d.open = append(d.open, w)
	}
	return w, err
}

// Save writes a whole array at once, as a script's save_array does, float64 or int64, in C order; no shape means one
// dimension. An array of that name is replaced.
func (d *Dir) Save(name string, v []float64, shape ...int) error {
	return d.save(name, Float64, len(v), shape, func(w *Writer) error { return w.AppendFloat64(v) })
}

// SaveInts is Save for whole numbers.
func (d *Dir) SaveInts(name string, v []int64, shape ...int) error {
	return d.save(name, Int64, len(v), shape, func(w *Writer) error { return w.AppendInt64(v) })
}

func (d *Dir) save(name string, t DType, values int, shape []int, put func(*Writer) error) error {
	n := 1
	for _, s := range shape {
		n *= s
	}
	if len(shape) == 0 {
		shape = []int{values}
	} else if n != values || len(shape) > 4 {
		return fmt.Errorf("%s: %d values for an array of shape %v", name, values, shape)
	}
	path, err := d.file(name)
	if err != nil {
		return err
	}
	w, err := newWriter(path, t, 0)
	if err != nil {
		return err
	}
	err = put(w)
	if err == nil {
		err = w.drain()
	}
	if err == nil {
		_, err = w.f.WriteAt(header(t, false, shape), 0)
	}
	if e := w.f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}

// Flush makes every array readable up to what has been appended.
func (d *Dir) Flush() error {
	var errs []error
	for _, w := range d.open {
		if w.f != nil {
			errs = append(errs, w.Flush())
		}
	}
	return errors.Join(errs...)
}

// Close closes every array. The manifest may still be written.
func (d *Dir) Close() error {
	var errs []error
	for _, w := range d.open {
		if w.f != nil {
			errs = append(errs, w.Close())
		}
	}
	return errors.Join(errs...)
}
