package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// DType is the type of an array's elements.
type DType string

// The types that are written, in NumPy's names, little-endian.
const (
	Int32   DType = "<i4"
	Int64   DType = "<i8"
	Float32 DType = "<f4"
	Float64 DType = "<f8"
)

// Size is the number of bytes of an element; 0 for a type that is not known.
func (t DType) Size() int {
	switch t {
	case Int32, Float32:
		return 4
	case Int64, Float64:
		return 8
	}
	return 0
}

// headerBytes is the length of the header that Writer reserves: NumPy's is a multiple of 64, and the longest shape fits.
const headerBytes = 128

// header returns the NPY header (format 1.0) of an array.
func header(t DType, fortran bool, shape []int) []byte {
	s := ""
	for _, n := range shape {
		s += fmt.Sprintf("%d, ", n)
	}
	if len(shape) > 1 {
		s = s[:len(s)-2]
	} else if len(shape) == 1 {
		s = s[:len(s)-1]
	}
	order := "False"
	if fortran {
		order = "True"
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", t, order, s)
	h := make([]byte, (10+len(dict)+1+headerBytes-1)/headerBytes*headerBytes)
	copy(h, "\x93NUMPY\x01\x00")
	binary.LittleEndian.PutUint16(h[8:], uint16(len(h)-10))
	n := copy(h[10:], dict)
	for k := 10 + n; k < len(h)-1; k++ {
		h[k] = ' '
	}
	h[len(h)-1] = '\n'
	return h
}

// file is what a Writer needs of an *os.File.
type file interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Writer appends to one .npy file. Its header is written anew at each Flush and at Close, so that a file that a crash
// leaves behind is readable up to the last Flush. Not safe for concurrent use.
//
// Where ranks write a file together, all of them append the same; each puts the blocks of the file that are its own, and
// once all have put theirs the first counts them in the header. Flush, Read and Restart are then calls that all make.
type Writer struct {
	f       file // nil: closed, or open only while something is written
	path    string
	dtype   DType
	rows    int    // 0: a vector
	buf     []byte // not on disk yet
	written int64  // bytes of data on disk
	counted int64  // of these, in the header
	closed  bool
	err     error // sticky

	ranks  Ranks // that write it together; nil: this process alone
	due    bool  // something was appended since the ranks last settled what is on disk
	unread bool  // and since they last saw each other's

	spare *int // files of the directory that may stay open, beside this one; nil: no limit
}

const bufferBytes = 1 << 18

// blockBytes is what ranks deal out of a file, from its begin, in turn: no page of it has two writers.
const blockBytes = 1 << 18

// NewVector creates path as an array of one dimension that grows.
func NewVector(path string, t DType) (*Writer, error) { return newWriter(path, t, 0, os.O_TRUNC, nil) }

// NewMatrix creates path as an array [rows, samples] in Fortran order: each append adds whole samples, rows values each.
func NewMatrix(path string, t DType, rows int) (*Writer, error) {
	if rows < 1 {
		return nil, fmt.Errorf("%s: an array of %d rows; at least 1 is needed", path, rows)
	}
	return newWriter(path, t, rows, os.O_TRUNC, nil)
}

// newWriter makes the file; how is os.O_TRUNC or os.O_EXCL, for a file that stands there already.
func newWriter(path string, t DType, rows, how int, spare *int) (*Writer, error) {
	if t.Size() == 0 {
		return nil, fmt.Errorf("%s: type %q cannot be written; use %s, %s, %s or %s", path, t, Int32, Int64, Float32, Float64)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|how, 0o666)
	if err != nil {
		return nil, err
	}
	w := &Writer{f: f, path: path, dtype: t, rows: rows, spare: spare}
	if _, err := f.WriteAt(w.header(0), 0); err != nil {
		f.Close()
		os.Remove(path)
		return nil, fmt.Errorf("nothing is kept of it: %w", err)
	}
	return w, w.keepOpen()
}

// joinWriter is newWriter of a rank that writes what another has made.
func joinWriter(path string, t DType, rows int, spare *int) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("what the first rank has made is not seen: %w; --out must lie on a file system that the machines of all ranks see", err)
	}
	w := &Writer{f: f, path: path, dtype: t, rows: rows, spare: spare}
	return w, w.keepOpen()
}

// keepOpen closes the file if no further one may stay open.
func (w *Writer) keepOpen() (err error) {
	switch {
	case w.spare == nil:
	case *w.spare > 0:
		*w.spare--
	default:
		err, w.f = w.f.Close(), nil
	}
	return err
}

// first says that this process writes headers.
func (w *Writer) first() bool { return w.ranks == nil || w.ranks.Rank() == 0 }

// together is where all ranks have come to, with the error of one of them for all.
func (w *Writer) together(err error) error {
	if w.ranks == nil {
		return err
	}
	return w.ranks.Meet(err)
}

// with calls do with the file open.
func (w *Writer) with(do func(file) error) error {
	if w.f != nil {
		return do(w.f)
	}
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(do(f), f.Close())
}

// Path is the name of the file.
func (w *Writer) Path() string { return w.path }

// sample is the number of bytes that one step of the growing dimension takes.
func (w *Writer) sample() int64 { return int64(max(w.rows, 1) * w.dtype.Size()) }

// Len is the number of samples appended, on disk or not.
func (w *Writer) Len() int { return int((w.written + int64(len(w.buf))) / w.sample()) }

func (w *Writer) header(samples int) []byte {
	if w.rows == 0 {
		return header(w.dtype, false, []int{samples})
	}
	return header(w.dtype, true, []int{w.rows, samples})
}

// AppendInt32 appends to an array of Int32.
func (w *Writer) AppendInt32(v []int32) error {
	return appendTo(w, Int32, v, func(b []byte, x int32) []byte { return binary.LittleEndian.AppendUint32(b, uint32(x)) })
}

// AppendInt64 appends to an array of Int64.
func (w *Writer) AppendInt64(v []int64) error {
	return appendTo(w, Int64, v, func(b []byte, x int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(x)) })
}

// AppendFloat32 appends to an array of Float32: to a matrix, sample after sample.
func (w *Writer) AppendFloat32(v []float32) error {
	return appendTo(w, Float32, v, func(b []byte, x float32) []byte {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	})
}

// AppendFloat64 appends to an array of Float64.
func (w *Writer) AppendFloat64(v []float64) error {
	return appendTo(w, Float64, v, func(b []byte, x float64) []byte {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	})
}

func appendTo[T any](w *Writer, t DType, v []T, put func([]byte, T) []byte) error {
	w.due, w.unread = true, true
	if w.err != nil {
		return w.err
	}
	if t != w.dtype {
		return fmt.Errorf("%s holds %s, not %s", w.path, w.dtype, t)
	}
	if w.rows > 0 && len(v)%w.rows != 0 {
		return fmt.Errorf("%s: %d values are no whole number of samples of %d", w.path, len(v), w.rows)
	}
	for _, x := range v {
		w.buf = put(w.buf, x)
		if len(w.buf) >= bufferBytes {
			if w.drain() != nil {
				return w.err
			}
		}
	}
	return nil
}

// AppendBytes appends values as the file holds them, little-endian, whole samples.
func (w *Writer) AppendBytes(b []byte) error {
	w.due, w.unread = true, true
	if w.drain() != nil {
		return w.err
	}
	if int64(len(b))%w.sample() != 0 {
		return fmt.Errorf("%s: %d bytes are no whole number of samples of %d", w.path, len(b), w.sample())
	}
	w.put(b)
	return w.err
}

// drain writes the buffer.
func (w *Writer) drain() error {
	if w.err == nil && len(w.buf) > 0 {
		n := w.put(w.buf)
		w.buf = w.buf[:copy(w.buf, w.buf[n:])]
	}
	return w.err
}

// put writes data, a rank its own blocks. Where the disk does not take all of it, the file is cut after the last whole
// sample.
func (w *Writer) put(b []byte) (n int) {
	err := w.with(func(f file) (err error) {
		for n < len(b) && err == nil {
			at, part := headerBytes+w.written, b[n:]
			if w.ranks != nil {
				part = part[:min(int64(len(part)), blockBytes-at%blockBytes)]
			}
			k := len(part)
			if w.ranks == nil || at/blockBytes%int64(w.ranks.Size()) == int64(w.ranks.Rank()) {
				k, err = f.WriteAt(part, at)
			}
			n += k
			w.written += int64(k)
		}
		return err
	})
	if err != nil {
		w.fail(err)
		return 0
	}
	return n
}

func (w *Writer) fail(err error) {
	var pe *os.PathError // the path is told once
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if w.ranks != nil { // the others may be putting theirs: the file is cut when all have settled that
		w.written = w.counted
	}
	w.written -= w.written % w.sample()
	if w.ranks == nil && w.cut() != nil {
		w.err = fmt.Errorf("%s: %w; what it holds cannot be relied on", w.path, err)
		return
	}
	w.err = fmt.Errorf("%s: %w; its first %d samples are kept and readable", w.path, err, w.written/w.sample())
}

// cut takes from the file what lies beyond written, and what was not put yet.
func (w *Writer) cut() error {
	w.buf = nil
	return w.with(func(f file) error {
		if err := f.Truncate(headerBytes + w.written); err != nil {
			return err
		}
		_, err := f.WriteAt(w.header(int(w.written/w.sample())), 0)
		if err == nil {
			w.counted = w.written
		}
		return err
	})
}

// Flush writes what is buffered and the header that counts it. The header comes last, so that it never counts what is
// not there.
func (w *Writer) Flush() error {
	if w.ranks != nil && !w.due {
		return w.err
	}
	return w.Settle(w.together(w.Put()))
}

// Put is the first half of Flush, for which ranks do not wait.
func (w *Writer) Put() error { return w.drain() }

// Settle is the second half: all ranks have put what was appended, or err is what one of them has met.
func (w *Writer) Settle(err error) error {
	due := w.due
	w.due = false
	if due && w.ranks != nil && err != nil {
		if w.err == nil {
			w.err = err
		}
		if w.written = w.counted; w.first() {
			w.cut()
		}
	}
	switch {
	case w.err != nil || w.counted == w.written:
		return w.err
	case !w.first():
		w.counted = w.written
		return nil
	}
	if w.written%w.sample() != 0 { // a bug of the caller's would show here
		return fmt.Errorf("%s: %d bytes are no whole number of samples", w.path, w.written)
	}
	err = w.with(func(f file) error {
		_, err := f.WriteAt(w.header(int(w.written/w.sample())), 0)
		return err
	})
	if err != nil {
		w.fail(err)
	} else {
		w.counted = w.written
	}
	return w.err
}

// sync flushes, waits until all is on the disk, and looks whether the file is still where it was made: another program
// may have taken it away.
func (w *Writer) sync() error {
	if w.Flush() != nil {
		return w.err
	}
	err := w.together(w.with(func(f file) error { return f.Sync() }))
	if err == nil && w.first() {
		err = w.whole()
	}
	if err != nil {
		w.err = fmt.Errorf("%s: %w", w.path, err)
	}
	return w.err
}

// whole looks at the file by its name, as another program does: of a file system of several machines, only that sees
// what other ranks have written.
func (w *Writer) whole() error {
	f, err := os.Open(w.path)
	if err != nil {
		return fmt.Errorf("it has been taken away while the run went on: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return err
	} else if st.Size() != headerBytes+w.written {
		return fmt.Errorf("it has been changed while the run went on: %d bytes, %d were written", st.Size(), headerBytes+w.written)
	}
	return nil
}

// part ends what ranks write together where they no longer do the same: the first goes on with what all have settled,
// the others leave the file.
func (w *Writer) part() {
	if w.ranks == nil || w.closed {
		return
	}
	first := w.first()
	w.ranks = nil
	if !first {
		if w.f != nil {
			w.f.Close()
		}
		w.f, w.buf, w.closed, w.err = nil, nil, true, fmt.Errorf("%s is closed", w.path)
		return
	}
	if w.err == nil && w.written == w.counted {
		return
	}
	w.written = w.counted
	if w.err == nil {
		w.err = fmt.Errorf("%s: the ranks have come apart while they wrote it; its first %d samples are kept and readable", w.path, w.counted/w.sample())
	}
	w.cut()
}

// Read flushes and calls f with what has been appended, piece by piece, each a whole number of samples if they are
// smaller than a piece. It works after Close, too.
func (w *Writer) Read(f func(b []byte) error) error {
	if !w.closed && w.Flush() != nil && w.written == 0 {
		return w.err
	}
	if w.ranks != nil && w.unread { // other ranks' blocks may lie on other machines yet
		if err := w.together(w.with(func(f file) error { return f.Sync() })); err != nil {
			return err
		}
	}
	w.unread = false
	file, err := os.Open(w.path)
	if err != nil {
		return err
	}
	defer file.Close()
	size := int64(bufferBytes)
	size += (w.sample() - size%w.sample()) % w.sample()
	r := io.NewSectionReader(file, headerBytes, w.written)
	buf := make([]byte, min(size, w.written))
	for left := w.written; left > 0; left -= int64(len(buf)) {
		buf = buf[:min(int64(len(buf)), left)]
		if _, err := io.ReadFull(r, buf); err != nil {
			return fmt.Errorf("%s: what was recorded cannot be read back: %w", w.path, err)
		}
		if err := f(buf); err != nil {
			return err
		}
	}
	return nil
}

// Close flushes and closes the file. It may be called again, and then does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	err := w.Flush()
	if w.f != nil {
		if e := w.f.Close(); e != nil && err == nil {
			err = fmt.Errorf("%s: %w; what it holds cannot be relied on", w.path, e)
		}
		if w.spare != nil {
			*w.spare++
		}
	}
	w.f, w.closed, w.err = nil, true, err
	if w.err == nil {
		w.err = fmt.Errorf("%s is closed", w.path)
		return nil
	}
	return err
}

// Restart takes all that was written away.
func (w *Writer) Restart() error {
	if w.ranks != nil { // none puts or reads any more
		w.Flush()
		w.together(nil)
	}
	if w.err != nil {
		return w.err
	}
	w.written, w.counted = 0, 0
	w.buf = w.buf[:0]
	var err error
	if w.first() {
		err = w.cut()
	}
	if err = w.together(err); err != nil {
		w.fail(err)
	}
	return w.err
}
