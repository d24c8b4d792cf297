package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// some are ranks that are goroutines.
type some struct {
	mu        sync.Mutex
	moved     sync.Cond
	size      int
	in, round int
	err, told error
}

type oneOf struct {
	*some
	rank int
}

func (o oneOf) Rank() int { return o.rank }
func (o oneOf) Size() int { return o.size }

func (o oneOf) Meet(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.err = err
	}
	if o.in++; o.in < o.size {
		for round := o.round; o.round == round; {
			o.moved.Wait()
		}
		return o.told
	}
	o.told, o.err, o.in = o.err, nil, 0
	o.round++
	o.moved.Broadcast()
	return o.told
}

// each calls f for so many ranks that have joined a directory.
func each(t *testing.T, path string, size int, f func(d *Dir) error) []error {
	t.Helper()
	s := &some{size: size}
	s.moved.L = &s.mu
	errs := make([]error, size)
	var all sync.WaitGroup
	for k := range size {
		all.Go(func() {
			d, err := Join(path, oneOf{s, k})
			if err == nil {
				d.spare = k // some files stay open, some do not
				err = f(d)
			}
			errs[k] = err
		})
	}
	all.Wait()
	return errs
}

// Ranks that append the same write the file of one process; what they read back, also while they write, is all of it.
func TestRanksWriteOneFile(t *testing.T) {
	v := make([]float32, 400_000) // six blocks
	for k := range v {
		v[k] = float32(k)
	}
	for size := 1; size <= 4; size++ {
		path := filepath.Join(t.TempDir(), "out")
		puts := make([]int64, size)
		for k, err := range each(t, path, size, func(d *Dir) error {
			if err := d.Start(&Manifest{Version: "v", Status: Running}, "M/v", "t"); err != nil {
				return err
			}
			m, err1 := d.Matrix("M/v", Float32, 4)
			u, err2 := d.Vector("t", Float32)
			if err := errors.Join(err1, err2, u.AppendFloat32(v[:10]), u.Restart(), m.AppendFloat32(v[:100])); err != nil {
				return err
			}
			had := int64(0)
			m.f = &counted{File: reopened(t, m), n: &puts[d.ranks.Rank()]}
			for at := 100; at < len(v); at += 17_300 {
				if err := errors.Join(m.AppendFloat32(v[at:min(at+17_300, len(v))]), m.Flush()); err != nil {
					return err
				}
				if err := m.Read(func(b []byte) error { had += int64(len(b)); return nil }); err != nil {
					return err
				}
			}
			if err := errors.Join(d.Rename("M", "N"), u.AppendFloat32(v), d.Save("a", []float64{1, 2})); err != nil {
				return err
			}
			if had < m.written {
				return fmt.Errorf("%d bytes were read of the %d that are there", had, m.written)
			}
			return d.Finish(&Manifest{Version: "v", Status: Complete})
		}) {
			if err != nil {
				t.Fatalf("%d ranks: rank %d: %v", size, k, err)
			}
		}
		for name, want := range map[string][]int{"N/v.npy": {4, 100_000}, "t.npy": {400_000}} {
			a, err := ReadNPY(filepath.Join(path, filepath.FromSlash(name)))
			if err != nil || !slices.Equal(a.Shape, want) {
				t.Fatalf("%d ranks: %s: %v, %v", size, name, a, err)
			}
			for k, x := range a.F {
				if w := v[k]; len(want) == 1 && x != float64(w) || len(want) == 2 && x != float64(v[k%want[1]*want[0]+k/want[1]]) {
					t.Fatalf("%d ranks: %s: value %d is %g", size, name, k, x)
				}
			}
		}
		if m, err := Open(path); err != nil || m.Status != Complete || !slices.Equal(m.Files, []string{"N/v.npy", "t.npy", "a.npy"}) {
			t.Errorf("%d ranks: %+v, %v", size, m, err)
		}
		if size > 1 && slices.Max(puts) > 3*slices.Min(puts) {
			t.Errorf("%d ranks have written %d bytes each", size, puts)
		}
	}
}

func reopened(t *testing.T, w *Writer) *os.File {
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		t.Error(err)
	}
	return f
}

// counted counts what is written into a file.
type counted struct {
	*os.File
	n *int64
}

func (c *counted) WriteAt(b []byte, at int64) (int, error) {
	*c.n += int64(len(b))
	return c.File.WriteAt(b, at)
}

// What a killed process had put and not counted yet is no fault of the file.
func TestReadGrowing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.npy")
	w, err := NewVector(path, Float64)
	if err == nil {
		err = errors.Join(w.AppendFloat64(make([]float64, 5)), w.Flush(), w.AppendFloat64(make([]float64, 3)), w.Put())
	}
	if err != nil {
		t.Fatal(err)
	}
	if a, err := ReadGrowing(path); err != nil || a.Len() != 5 {
		t.Errorf("%v, %v", a, err)
	}
	if _, err := ReadNPY(path); err == nil {
		t.Error("ReadNPY takes what its header does not count")
	}
	w.Close()
	if a, err := ReadGrowing(path); err != nil || a.Len() != 8 {
		t.Errorf("%v, %v", a, err)
	}
}

// Where the disk of one rank is full, all have its error, and the file ends at what all had put before.
func TestOneRanksDiskIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	v := make([]float32, 200_000)
	errs := each(t, path, 3, func(d *Dir) error {
		if err := d.Start(&Manifest{Version: "v", Status: Running}, "t"); err != nil {
			return err
		}
		w, err := d.Vector("t", Float32)
		if err != nil {
			return err
		}
		if d.ranks.Rank() == 1 {
			w.f = &fullDisk{reopened(t, w), 100_000}
		}
		if err := errors.Join(w.AppendFloat32(v[:70_000]), w.Flush()); err != nil {
			return err
		}
		w.AppendFloat32(v)
		err = w.Flush()
		w.AppendFloat32(v[:1])
		if e := w.Flush(); e == nil || e.Error() != w.err.Error() {
			t.Errorf("the error does not stay: %v", e)
		}
		d.Part()
		if d.Other() {
			d.Close()
		} else {
			d.Finish(&Manifest{Version: "v", Status: Failed, Error: "x"})
		}
		return err
	})
	for k, err := range errs {
		if !errors.Is(err, syscall.ENOSPC) || err.Error() != errs[0].Error() || !strings.Contains(err.Error(), "its first 70000 samples are kept") {
			t.Errorf("rank %d: %v", k, err)
		}
	}
	if a, err := ReadNPY(filepath.Join(path, "t.npy")); err != nil || a.Len() != 70_000 {
		t.Errorf("what is left: %v, %v", a, err)
	}
}

// Ranks that come apart: the first ends the file, with what all have settled and what it still has.
func TestRanksPart(t *testing.T) {
	for _, more := range []int{0, 10, 100_000} { // the last passes the buffer, so that each rank has put a part
		path := filepath.Join(t.TempDir(), "out")
		v := make([]float32, 100_000)
		each(t, path, 2, func(d *Dir) error {
			w, err := (*Writer)(nil), d.Start(&Manifest{Version: "v", Status: Running}, "t")
			if err == nil {
				w, err = d.Vector("t", Float32)
			}
			if err == nil {
				err = errors.Join(w.AppendFloat32(v[:50]), w.Flush(), w.AppendFloat32(v[:more]))
			}
			if err != nil {
				t.Error(err)
			}
			d.ranks.Meet(nil)
			d.Part()
			if d.Other() {
				return d.Close()
			}
			return d.Finish(&Manifest{Version: "v", Status: Failed})
		})
		want := 50 + more
		if more > 1000 {
			want = 50
		}
		if a, err := ReadNPY(filepath.Join(path, "t.npy")); err != nil || a.Len() != want {
			t.Errorf("%d more: %v, %v", more, a, err)
		}
	}
}
