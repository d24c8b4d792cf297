package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The files of a run directory beside its arrays. All but the manifest are gone when a run has ended.
const (
	ManifestName = "run.json"
	partName     = "run.json.part"    // the manifest while it is written
	reserveName  = "run.json.reserve" // room for the last manifest, so that a full disk can still say what became of the run
	namesName    = "run.json.names"   // the arrays of a run that goes on, a line each, written before they are made
	lockName     = "run.json.lock"    // held by the process that writes
)

// Ranks are processes that write a run directory together: all make the same calls.
type Ranks interface {
	Rank() int // 0 to Size()-1
	Size() int
	Meet(err error) error // all have come here; an error of one of them is that of all
}

// Dir is a run directory that is being written.
type Dir struct {
	path    string
	lock    lock
	made    []string // directories that Create has made, outermost first
	earlier bool     // an earlier run's manifest stands in it
	old     []string // arrays that it names: "S/i.npy"
	started bool
	names   []string // arrays of this run, "S/i.npy", in the order in which they were announced
	writers map[string]*Writer
	spare   int   // further files that may stay open
	ranks   Ranks // that write it together; nil: this process alone
	other   bool  // another rank makes what is in it, and this one writes parts of it
}

// Create makes path a run directory and holds a lock on it, so that no second run writes there. A directory that exists
// must be empty or hold an earlier run, which stays as it is until Start; anything else in it than arrays and pictures
// makes Create refuse, and touch nothing.
func Create(path string) (*Dir, error) {
	if path == "" {
		return nil, errors.New("the run directory has no name")
	}
	d := &Dir{path: path, writers: map[string]*Writer{}, spare: spareFiles()}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for p := filepath.Clean(path); ; p = filepath.Dir(p) {
			if _, err := os.Stat(p); err == nil || p == filepath.Dir(p) {
				break
			}
			d.made = append([]string{p}, d.made...)
		}
		if err := os.MkdirAll(path, 0o777); err != nil {
			d.unmake()
			return nil, fmt.Errorf("the run directory cannot be made: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("the run directory cannot be used: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; a run is written into a directory", path)
	}
	if err := d.look(); err != nil { // before the lock makes a file
		return nil, err
	}
	if err := d.lock.take(filepath.Join(path, lockName)); err != nil {
		d.unmake()
		return nil, err
	}
	if err := d.look(); err != nil { // again: now nobody else writes
		d.lock.release()
		return nil, err
	}
	return d, nil
}

// Join is Create for one of several ranks. The first of them makes what is in the directory; of what is appended to an
// array, each writes a part.
func Join(path string, r Ranks) (d *Dir, err error) {
	if r.Rank() == 0 {
		d, err = Create(path)
	}
	if err = r.Meet(err); err != nil {
		if d != nil {
			d.Close()
		}
		return nil, err
	}
	if d == nil {
		d = &Dir{path: path, writers: map[string]*Writer{}, spare: spareFiles(), other: true}
	}
	d.ranks = r
	return d, nil
}

// Part ends the work of ranks together where they may no longer do the same: the first goes on alone, the others write
// nothing more.
func (d *Dir) Part() {
	for _, w := range d.writers {
		w.part()
	}
	d.ranks = nil
}

// Other says that another rank makes what is in the directory.
func (d *Dir) Other() bool { return d.other }

// ByFirst has the first rank do something alone, when none reads any more what is there; all have its error.
func (d *Dir) ByFirst(do func() error) (err error) {
	r := d.ranks
	if r != nil {
		if err := r.Meet(nil); err != nil {
			return err
		}
	}
	if !d.other {
		d.ranks = nil
		err = do()
		d.ranks = r
	}
	if r != nil {
		err = r.Meet(err)
	}
	return err
}

// unmake removes the directories that Create has made, if they are empty.
func (d *Dir) unmake() {
	for _, p := range slices.Backward(d.made) {
		os.Remove(p)
	}
}

// look learns what an earlier run has left in the directory; an error if there is anything that no run and no user of
// one leaves there.
func (d *Dir) look() error {
	d.earlier, d.old = false, nil
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("the run directory cannot be read: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.Type().IsRegular() && slices.Contains([]string{lockName, partName, reserveName, namesName}, e.Name())
	})
	if len(entries) == 0 {
		return nil
	}
	refuse := func(what string) error {
		return fmt.Errorf("%s holds something else than an earlier run (%s); name another directory, or empty it", d.path, what)
	}
	m, err := Open(d.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return refuse("there is no " + ManifestName + ", but " + entries[0].Name())
		}
		return refuse(err.Error())
	}
	for _, e := range entries {
		switch {
		case e.Type().IsRegular() && (e.Name() == ManifestName || picture(e.Name()) || isArray(e.Name())):
		case e.IsDir():
			inner, err := os.ReadDir(filepath.Join(d.path, e.Name()))
			if err != nil {
				return err
			}
			for _, f := range inner {
				if !f.Type().IsRegular() || !isArray(f.Name()) {
					return refuse(filepath.Join(e.Name(), f.Name()))
				}
			}
		default:
			return refuse(e.Name())
		}
	}
	d.earlier, d.old = true, m.arrays()
	if text, err := os.ReadFile(filepath.Join(d.path, namesName)); err == nil { // that run was killed
		for name := range strings.Lines(string(text)) {
			d.old = append(d.old, strings.TrimSuffix(name, "\n"))
		}
	}
	d.old = slices.DeleteFunc(d.old, func(name string) bool { return !isArray(name) || checkPath(strings.TrimSuffix(name, ".npy")) != nil })
	return nil
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

// Earlier says that an earlier run stands in the directory, untouched yet.
func (d *Dir) Earlier() bool { return d.earlier && !d.started }

// Start puts the new run in the place of an earlier one: it keeps room for the last manifest, writes m, which says
// Running, and removes the arrays that the earlier manifest names; other files stay. names are the first arrays, as
// Announce takes them. Where it fails, the earlier run stays.
func (d *Dir) Start(m *Manifest, names ...string) error {
	if d.started {
		return d.Announce(names...)
	}
	err := d.ByFirst(func() error { return d.start(m, names) })
	if d.other && err == nil {
		d.started, d.names = true, withEnding(names)
	}
	return err
}

func (d *Dir) start(m *Manifest, names []string) error {
	if err := d.free(names); err != nil {
		return err
	}
	b, err := m.JSON()
	if err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(d.path, name) }
	// What the last manifest adds: the runs' figures, hashes, an error's text, the names of the arrays.
	room := 2*len(b) + 2048
	for _, n := range names {
		room += len(n) + 160
	}
	room = (room + 4095) / 4096 * 4096
	_, err = os.Stat(in(namesName))
	killed := err == nil
	err = os.WriteFile(in(reserveName), []byte(strings.Repeat(" ", room)), 0o666)
	if err == nil {
		err = d.note(append(withEnding(names), d.old...))
	}
	if err == nil {
		err = d.replace(partName, b)
	}
	if err != nil {
		os.Remove(in(reserveName))
		if !killed {
			os.Remove(in(namesName))
		}
		return fmt.Errorf("%s cannot be written, what stood in it stays: %w", in(ManifestName), err)
	}
	d.started = true
	d.names = append(d.names, withEnding(names)...)
	folders := map[string]bool{}
	for _, f := range d.old {
		if err := os.Remove(in(filepath.FromSlash(f))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("a file of the earlier run cannot be removed: %w", err)
		}
		if folder, _, ok := strings.Cut(f, "/"); ok {
			folders[folder] = true
		}
	}
	for f := range folders {
		os.Remove(in(f)) // stays if a user's file is in it
	}
	return nil
}

// replace writes the manifest into a file and renames that: a reader sees the old one or the new one, and after a loss of
// power, too.
func (d *Dir) replace(via string, b []byte) error {
	part := filepath.Join(d.path, via)
	how := os.O_TRUNC
	if via == reserveName {
		how = 0 // its blocks are what the room is
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|how, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Truncate(int64(len(b)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, filepath.Join(d.path, ManifestName))
	}
	if err != nil && via == partName {
		os.Remove(part)
	}
	return err
}

// free refuses names of arrays that cannot be made, or that stand there and are not of an earlier run.
func (d *Dir) free(names []string) error {
	for k, n := range names {
		if err := checkPath(n); err != nil {
			return err
		}
		if slices.Contains(names[:k], n) || slices.Contains(d.names, n+".npy") {
			return fmt.Errorf("%s.npy is written twice: two objects of one name", filepath.Join(d.path, n))
		}
		file := filepath.Join(d.path, filepath.FromSlash(n)+".npy")
		if _, err := os.Lstat(file); err == nil && (d.started || !slices.Contains(d.old, n+".npy")) {
			return fmt.Errorf("%s stands there and is not of an earlier run: move it, or name another directory", file)
		}
	}
	return nil
}

// note adds to the list of a run's arrays.
func (d *Dir) note(names []string) error {
	f, err := os.OpenFile(filepath.Join(d.path, namesName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n" + strings.Join(names, "\n") + "\n")
	return errors.Join(err, f.Close())
}

func withEnding(names []string) []string {
	out := make([]string, len(names))
	for k, n := range names {
		out[k] = n + ".npy"
	}
	return out
}

// Announce says which arrays will be made, NAME or MONITOR/NAME each: a later run removes what was announced, and nothing
// else.
func (d *Dir) Announce(names ...string) error {
	err := d.ByFirst(func() error {
		if err := d.free(names); err != nil {
			return err
		}
		return d.note(withEnding(names))
	})
	if err == nil {
		d.names = append(d.names, withEnding(names)...)
	}
	return err
}

// checkPath checks NAME or MONITOR/NAME.
func checkPath(name string) error {
	parts := strings.Split(name, "/")
	if len(parts) > 2 {
		return fmt.Errorf("%q: a file of a run is NAME or MONITOR/NAME", name)
	}
	for _, p := range parts {
		if err := CheckName(p); err != nil {
			return err
		}
	}
	return nil
}

// where is the path of an array.
func (d *Dir) where(name string) string {
	return filepath.Join(d.path, filepath.FromSlash(name)) + ".npy"
}

// file returns the path of an array that was announced, its folder made.
func (d *Dir) file(name string) (string, error) {
	if !slices.Contains(d.names, name+".npy") {
		return "", fmt.Errorf("%s: %q was not announced", d.path, name)
	}
	path := d.where(name)
	if folder := filepath.Dir(path); folder != d.path && strings.Contains(name, "/") {
		if err := os.Mkdir(folder, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
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
		return fmt.Errorf("%q cannot name a file of a run; use letters, digits, '_' and '-', 100 bytes at most", name)
	}
	return nil
}

// Vector makes the array NAME or MONITOR/NAME of one dimension, for appending. It has been announced.
func (d *Dir) Vector(name string, t DType) (*Writer, error) { return d.array(name, t, 0) }

// Matrix makes the array NAME or MONITOR/NAME of shape [rows, samples], in Fortran order, for appending.
func (d *Dir) Matrix(name string, t DType, rows int) (*Writer, error) {
	if rows < 1 {
		return nil, fmt.Errorf("%s: an array of %d rows; at least 1 is needed", name, rows)
	}
	return d.array(name, t, rows)
}

func (d *Dir) array(name string, t DType, rows int) (*Writer, error) {
	var w *Writer
	err := d.ByFirst(func() error {
		path, err := d.file(name)
		if err == nil {
			w, err = newWriter(path, t, rows, os.O_EXCL, &d.spare)
		}
		return err
	})
	if d.ranks != nil && err == nil {
		if d.other {
			w, err = joinWriter(d.where(name), t, rows, &d.spare)
		}
		err = d.ranks.Meet(err)
	}
	if w != nil { // to be closed, in any case
		w.ranks = d.ranks
		d.writers[name+".npy"] = w
	}
	return w, err
}

// Rename gives the folder of a monitor another name, which must be free.
func (d *Dir) Rename(from, to string) error {
	var names []string
	for _, n := range d.names {
		if rest, ok := strings.CutPrefix(n, from+"/"); ok {
			names = append(names, to+"/"+strings.TrimSuffix(rest, ".npy"))
		}
	}
	if len(names) == 0 {
		return nil
	}
	err := d.ByFirst(func() error {
		err := d.free(names)
		if err == nil {
			err = d.note(withEnding(names))
		}
		if err == nil {
			err = os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to))
		}
		return err
	})
	if err != nil {
		return err
	}
	for k, n := range d.names {
		if rest, ok := strings.CutPrefix(n, from+"/"); ok {
			d.names[k] = to + "/" + rest
			if w := d.writers[n]; w != nil {
				delete(d.writers, n)
				d.writers[d.names[k]], w.path = w, filepath.Join(d.path, to, rest)
			}
		}
	}
	return nil
}

// Save writes a whole array at once, as a script's save_array does, float64 or int64, in C order; no shape means one
// dimension. An array of that name that this run has saved is replaced.
func (d *Dir) Save(name string, v []float64, shape ...int) error {
	return d.ByFirst(func() error {
		return d.save(name, Float64, len(v), shape, func(w *Writer) error { return w.AppendFloat64(v) })
	})
}

// SaveInts is Save for whole numbers.
func (d *Dir) SaveInts(name string, v []int64, shape ...int) error {
	return d.ByFirst(func() error {
		return d.save(name, Int64, len(v), shape, func(w *Writer) error { return w.AppendInt64(v) })
	})
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
	if d.writers[name+".npy"] != nil {
		return fmt.Errorf("%s.npy is written twice: two objects of one name", filepath.Join(d.path, name))
	}
	if !slices.Contains(d.names, name+".npy") {
		if err := d.Announce(name); err != nil {
			return err
		}
	}
	path, err := d.file(name)
	if err != nil {
		return err
	}
	w, err := newWriter(path, t, 0, os.O_TRUNC, nil)
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
	if err == nil {
		err = w.f.Sync()
	}
	if e := w.f.Close(); err == nil {
		err = e
	}
	if err != nil {
		if w.err != nil {
			err = errors.Unwrap(w.err) // without what it says of the samples that are kept
		}
		os.Remove(path)
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}

// Finish brings everything onto the disk, writes the last manifest and lets the directory go. Where something cannot be
// written, the manifest says Failed and why. A run that has not started leaves an earlier one as it is.
func (d *Dir) Finish(m *Manifest) error {
	defer d.Close()
	if !d.started && (d.earlier && m.Status != Complete) {
		return nil
	}
	var errs []error
	if !d.started {
		running := *m
		running.Status = Running
		if err := d.Start(&running); err != nil {
			return err
		}
	}
	folders := map[string]bool{".": true}
	for _, n := range d.names {
		if w := d.writers[n]; w != nil {
			errs = append(errs, w.sync(), w.Close())
			folders[filepath.Dir(n)] = true
		}
	}
	if d.other {
		return errors.Join(errs...)
	}
	for f := range folders {
		syncFolder(filepath.Join(d.path, f))
	}
	err := errors.Join(errs...)
	if err != nil {
		m.Status, m.Error = Failed, err.Error()
	}
	m.Files = slices.DeleteFunc(slices.Clone(d.names), func(n string) bool {
		_, err := os.Lstat(filepath.Join(d.path, filepath.FromSlash(n)))
		return err != nil
	})
	e := d.last(m)
	if e != nil && m.Runs != nil { // the room that was kept does not do
		short := *m
		short.Runs, short.Status = nil, Failed
		if short.Error == "" {
			short.Error = "the disk has no room for the figures of the runs"
		}
		d.last(&short)
	}
	if e != nil {
		e = fmt.Errorf("%s: %w", filepath.Join(d.path, ManifestName), e)
	}
	return errors.Join(err, e)
}

func (d *Dir) last(m *Manifest) error {
	b, err := m.JSON()
	if err == nil {
		if err = d.replace(reserveName, b); err == nil {
			syncFolder(d.path)
			os.Remove(filepath.Join(d.path, namesName))
		}
	}
	return err
}

// syncFolder waits until a folder's entries are on the disk, where the system knows that.
func syncFolder(path string) {
	if f, err := os.Open(path); err == nil {
		f.Sync()
		f.Close()
	}
}

// Close closes every array and lets the directory go; Finish does it too. What has not started leaves nothing behind.
func (d *Dir) Close() error {
	d.Part()
	var errs []error
	for _, w := range d.writers {
		errs = append(errs, w.Close())
	}
	if !d.other {
		d.lock.release()
		d.unmake()
	}
	return errors.Join(errs...)
}
