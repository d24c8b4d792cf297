package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// npy puts together the bytes of an array file of a given format version.
func npy(version byte, dict string, data ...byte) []byte {
	b := []byte("\x93NUMPY")
	b = append(b, version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
	}
	return append(append(b, dict...), data...)
}

func TestVectorGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.npy")
	w, err := NewVector(path, Float64)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := ReadNPY(path); err != nil || a.Len() != 0 {
		t.Fatalf("an empty vector reads as %v, %v", a, err)
	}
	if err := w.AppendFloat64([]float64{1.5, -2}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if a, err := ReadNPY(path); err != nil || !slices.Equal(a.F, []float64{1.5, -2}) {
		t.Fatalf("after Flush: %v, %v", a, err)
	}
	if err := w.AppendFloat64([]float64{math.Pi}); err != nil {
		t.Fatal(err)
	}
	if w.Len() != 3 {
		t.Errorf("Len is %d", w.Len())
	}
	if err := w.AppendInt32([]int32{1}); err == nil || !strings.Contains(err.Error(), "<f8") {
		t.Errorf("int32 into a vector of float64: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := ReadNPY(path)
	if err != nil || !slices.Equal(a.F, []float64{1.5, -2, math.Pi}) || !slices.Equal(a.Shape, []int{3}) {
		t.Fatalf("after Close: %v, %v", a, err)
	}
	if err := w.AppendFloat64([]float64{1}); err == nil {
		t.Error("appending after Close: no error")
	}
}

func TestMatrixIsFortranOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.npy")
	w, err := NewMatrix(path, Float32, 3)
	if err != nil {
		t.Fatal(err)
	}
	// Two samples of three rows, then one more.
	if err := w.AppendFloat32([]float32{1, 2, 3, 4, 5, 6}); err != nil {
		t.Fatal(err)
	}
	if err := w.AppendFloat32([]float32{7, 8, 9}); err != nil {
		t.Fatal(err)
	}
	if err := w.AppendFloat32([]float32{7}); err == nil {
		t.Error("a third of a sample: no error")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := ReadNPY(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Shape, []int{3, 3}) || !slices.Equal(a.F, []float64{1, 4, 7, 2, 5, 8, 3, 6, 9}) {
		t.Errorf("shape %v, values %v", a.Shape, a.F)
	}
	raw, _ := os.ReadFile(path)
	if len(raw) != headerBytes+36 || !bytes.Contains(raw[:headerBytes], []byte("'fortran_order': True, 'shape': (3, 3)")) {
		t.Errorf("%d bytes, header %q", len(raw), raw[:headerBytes])
	}
}

func TestNumPyReadsOurFiles(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import numpy").Run()
	}
	if err != nil {
		t.Skip("no python3 with numpy here: TestMatrixIsFortranOrder looks at the bytes")
	}
	dir := t.TempDir()
	w, _ := NewMatrix(filepath.Join(dir, "v.npy"), Float32, 2)
	w.AppendFloat32([]float32{1, 2, 3, 4, 5, 6})
	w.Close()
	w, _ = NewVector(filepath.Join(dir, "i.npy"), Int32)
	w.AppendInt32([]int32{7, -8})
	w.Close()
	cmd := exec.Command(python, "-c", `
import numpy
v = numpy.load('v.npy', mmap_mode='r'); i = numpy.load('i.npy', mmap_mode='r')
assert v.dtype == 'float32' and v.tolist() == [[1, 3, 5], [2, 4, 6]], v
assert i.dtype == 'int32' and i.tolist() == [7, -8], i`)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReadTypesAndVersions(t *testing.T) {
	for _, c := range []struct {
		version byte
		dict    string
		data    []byte
		shape   []int
		want    []float64
	}{
		{1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, []int{2}, []float64{1, -1}},
		{2, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []int{1}, []float64{-2}},
		{3, `{"shape": (1,), "fortran_order": False, "descr": "<u4"}`, []byte{0xff, 0xff, 0xff, 0xff}, []int{1}, []float64{4294967295}},
		{1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", []byte{1, 2, 255}, []int{3}, []float64{1, 2, 255}},
		{1, "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", []byte{1, 255}, []int{2}, []float64{1, -1}},
		{1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", []byte{1, 0}, []int{2}, []float64{1, 0}},
		{1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", []byte{0, 0, 0x80, 0x3f}, []int{}, []float64{1}},
		{1, "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 1), }", []byte{0x3f, 0xf0, 0, 0, 0, 0, 0, 0}, []int{1, 1}, []float64{1}},
		{1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", []byte{1, 2, 3, 4, 5, 6}, []int{2, 3}, []float64{1, 3, 5, 2, 4, 6}},
		{1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1, 2), }", []byte{1, 2, 3, 4}, []int{2, 1, 2}, []float64{1, 3, 2, 4}},
		{1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }", nil, []int{0, 5}, []float64{}},
	} {
		a, err := DecodeNPY(npy(c.version, c.dict, c.data...))
		if err != nil {
			t.Errorf("%s: %v", c.dict, err)
		} else if !slices.Equal(a.Shape, c.shape) || !slices.Equal(a.F, c.want) {
			t.Errorf("%s: shape %v, values %v, want %v", c.dict, a.Shape, a.F, c.want)
		}
	}
}

// TestUnpackKeepsTypes reads arrays longer than its buffer, of each width.
func TestUnpackKeepsTypes(t *testing.T) {
	const n = 40000
	raw := func(size int, big bool, at func(k int) uint64) (b []byte) {
		for k := range n {
			w := binary.LittleEndian.AppendUint64(nil, at(k))[:size]
			if big {
				slices.Reverse(w)
			}
			b = append(b, w...)
		}
		return b
	}
	whole := func(k int) uint64 { return uint64(k - n/2) }
	half := func(k int) float64 { return float64(k) / 2 }
	for _, c := range []struct {
		descr string
		data  []byte
		i32   bool
		want  func(k int) float64
	}{
		{"<i4", raw(4, false, whole), true, func(k int) float64 { return float64(k - n/2) }},
		{">i4", raw(4, true, whole), true, func(k int) float64 { return float64(k - n/2) }},
		{"<i8", raw(8, false, whole), true, func(k int) float64 { return float64(k - n/2) }},
		{"<i8", raw(8, false, func(k int) uint64 { return uint64(k) << 17 }), false, func(k int) float64 { return float64(k << 17) }},
		{"<u2", raw(2, false, func(k int) uint64 { return uint64(k) }), true, func(k int) float64 { return float64(k) }},
		{"<f4", raw(4, false, func(k int) uint64 { return uint64(math.Float32bits(float32(half(k)))) }), false, half},
		{">f8", raw(8, true, func(k int) uint64 { return math.Float64bits(half(k)) }), false, half},
	} {
		b := npy(1, "{'descr': '"+c.descr+"', 'fortran_order': False, 'shape': (40000,), }", c.data...)
		p, err := UnpackNPY(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if (p.I32 != nil) != c.i32 || (p.F32 != nil) != (c.descr == "<f4") || p.Len() != n {
			t.Errorf("%s: %d int32, %d int64, %d float32, %d float64", c.descr, len(p.I32), len(p.I64), len(p.F32), len(p.F64))
		}
		for k, x := range p.Floats() {
			if x != c.want(k) {
				t.Fatalf("%s: element %d is %g, want %g", c.descr, k, x, c.want(k))
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	ok := "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
	eight := make([]byte, 8)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "not a NumPy array file"},
		{[]byte("PK\x03\x04 an npz archive"), "not a NumPy array file"},
		{npy(1, ok, eight[:7]...), "truncated"},
		{npy(1, ok, eight...)[:30], "truncated within its header"},
		{npy(1, ok, make([]byte, 9)...), "1 bytes follow"},
		{npy(4, ok, eight...), "version 4.0"},
		{npy(1, strings.Replace(ok, "<f4", "<c8", 1), eight...), `type "<c8" cannot be read`},
		{npy(1, strings.Replace(ok, "<f4", "|O", 1), eight...), `type "|O" cannot be read`},
		{npy(1, strings.Replace(ok, "'<f4'", "[('a', '<f4')]", 1), eight...), "structured"},
		{npy(1, strings.Replace(ok, "(2,)", "(99999999999, 99999999999)", 1), eight...), "too large"},
		{npy(1, strings.Replace(ok, "(2,)", "(-2,)", 1), eight...), "bad shape"},
		{npy(1, strings.Replace(ok, "False", "None", 1), eight...), "neither True nor False"},
		{npy(1, "{'descr': '<f4'}", eight...), "missing"},
		{npy(1, "", eight...), "expected"},
		{npy(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", 7), "boolean array is 7"},
	} {
		if a, err := DecodeNPY(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, %v; want an error with %q", c.data, a, err, c.want)
		}
	}
	if _, err := ReadArray("x.mat"); err == nil || !strings.Contains(err.Error(), ".npy") {
		t.Errorf("x.mat: %v", err)
	}
	if _, err := ReadArray(filepath.Join(t.TempDir(), "absent.npy")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}

func TestWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "x.npy")
		rows := rapid.IntRange(1, 5).Draw(t, "rows")
		w, err := NewMatrix(path, Float32, rows)
		if err != nil {
			t.Fatal(err)
		}
		var want []float32
		for range rapid.IntRange(0, 6).Draw(t, "appends") {
			n := rapid.IntRange(0, 4).Draw(t, "samples")
			v := rapid.SliceOfN(rapid.Float32(), n*rows, n*rows).Draw(t, "v")
			want = append(want, v...)
			if err := w.AppendFloat32(v); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "flush") {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		a, err := ReadNPY(path)
		if err != nil {
			t.Fatal(err)
		}
		n := len(want) / rows
		if !slices.Equal(a.Shape, []int{rows, n}) {
			t.Fatalf("shape %v, want [%d %d]", a.Shape, rows, n)
		}
		for k, x := range want {
			if got := a.F[k%rows*n+k/rows]; got != float64(x) {
				t.Fatalf("sample %d, row %d: %v, want %v", k/rows, k%rows, got, x)
			}
		}
	})
}

// fullDisk takes room bytes, then reports that no space is left.
type fullDisk struct {
	*os.File
	room int
}

func (f *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if at < headerBytes { // the header stands
		return f.File.WriteAt(b, at)
	}
	if len(b) <= f.room {
		f.room -= len(b)
		return f.File.WriteAt(b, at)
	}
	n, _ := f.File.WriteAt(b[:f.room], at)
	f.room = 0
	return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
}

func TestFullDiskKeepsWholeSamples(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.npy")
	w, err := NewMatrix(path, Float32, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.f = &fullDisk{w.f.(*os.File), 5*12 + 7}
	if err := w.AppendFloat32(make([]float32, 2*3)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.AppendFloat32(make([]float32, 10*3)); err != nil {
		t.Fatal(err) // buffered
	}
	err = w.Flush()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "first 5 samples are kept") {
		t.Errorf("Flush: %v", err)
	}
	if strings.Count(err.Error(), path) != 1 {
		t.Errorf("the path is told more than once: %v", err)
	}
	if e := w.AppendFloat32(make([]float32, 3)); e != err {
		t.Errorf("the error does not stay: %v", e)
	}
	if e := w.Close(); !errors.Is(e, syscall.ENOSPC) {
		t.Errorf("Close: %v", e)
	}
	a, err := ReadNPY(path)
	if err != nil || !slices.Equal(a.Shape, []int{3, 5}) {
		t.Errorf("what is left: %v, %v", a, err)
	}
}

func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system: TestFullDiskKeepsWholeSamples stands in for it")
	}
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("/dev/full cannot be opened: %v", err)
	}
	w := &Writer{f: f, path: "/dev/full", dtype: Float64}
	w.AppendFloat64([]float64{1})
	if err := w.Flush(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("Flush: %v", err)
	}
}

func FuzzDecodeNPY(f *testing.F) {
	f.Add(npy(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", make([]byte, 32)...))
	f.Add(npy(2, "{'descr': '>i2', 'fortran_order': False, 'shape': (3,), }", 1, 2, 3, 4, 5, 6))
	f.Add(npy(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1))
	f.Add(npy(1, "{'descr': '<f4', 'shape': (0, 9223372036854775807), 'fortran_order': False}"))
	f.Add([]byte("\x93NUMPY\x01\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeNPY(b)
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if n != a.Len() || a.Kind != 'f' && len(a.I) != n {
			t.Errorf("shape %v, %d values", a.Shape, a.Len())
		}
	})
}
