package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sort"
)

// A file of states (checkpoints, store()) is, little-endian:
//
//	"SYNFIRE STATE\n"
//	uint32  version, StateVersion
//	uint32  number of states; of each:
//	  uint32, bytes  length of its name, name
//	  uint32         number of fields; of each:
//	    uint32, bytes  length of its name, name
//	    uint8          Kind
//	    uint64         number of elements
//	    bytes          the elements
//	[32]byte  SHA-256 of all before
const stateMagic = "SYNFIRE STATE\n"

// StateVersion is the version of the format that is written; older ones are read.
const StateVersion = 1

// Kind is the type of a field's elements.
type Kind uint8

// Kinds of fields.
const (
	Text     Kind = iota // bytes
	Words                // uint32
	Int64s               // int64
	Float64s             // float64
	kinds
)

var kindSize = [kinds]int{1, 4, 8, 8}

func (k Kind) String() string { return [kinds]string{"text", "words", "int64", "float64"}[k] }

// State is named fields of values.
type State struct {
	fields map[string]stateField
}

type stateField struct {
	kind Kind
	data []byte
}

// NewState returns a state without fields.
func NewState() *State { return &State{map[string]stateField{}} }

// Put sets a field; data is kept.
func (s *State) Put(name string, k Kind, data []byte) { s.fields[name] = stateField{k, data} }

// Remove takes a field out.
func (s *State) Remove(name string) { delete(s.fields, name) }

// Has says whether there is a field.
func (s *State) Has(name string) bool { _, ok := s.fields[name]; return ok }

// Names lists the fields.
func (s *State) Names() []string {
	var out []string
	for name := range s.fields {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// Get is the data of a field of kind k with n elements, -1 for any number.
func (s *State) Get(name string, k Kind, n int) ([]byte, error) {
	f, ok := s.fields[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("the stored state has no %q", name)
	case f.kind != k:
		return nil, fmt.Errorf("%q of the stored state holds %v, %v were expected", name, f.kind, k)
	case n >= 0 && len(f.data) != n*kindSize[k]:
		return nil, fmt.Errorf("%q of the stored state has %d elements, %d were expected", name, len(f.data)/kindSize[k], n)
	}
	return f.data, nil
}

// Size is the bytes of all fields.
func (s *State) Size() (n int64) {
	for name, f := range s.fields {
		n += int64(len(name) + len(f.data) + 13)
	}
	return n
}

// WriteStates writes states into a file, which is the old one or the new one
// whatever happens.
func WriteStates(path string, states map[string]*State) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	var names []string
	for name := range states {
		names = append(names, name)
	}
	sort.Strings(names)
	w.WriteString(stateMagic)
	u32 := func(n int) { w.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	text := func(s string) { u32(len(s)); w.WriteString(s) }
	u32(StateVersion)
	u32(len(names))
	for _, name := range names {
		text(name)
		s := states[name]
		u32(len(s.fields))
		for _, of := range s.Names() {
			x := s.fields[of]
			text(of)
			w.WriteByte(byte(x.kind))
			w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(x.data)/kindSize[x.kind])))
			w.Write(x.data)
		}
	}
	if err = w.Flush(); err != nil { // the first error of all writes
		return err
	}
	if _, err = f.Write(sum.Sum(nil)); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir brings the new name onto the disk, where the system lets a folder be synced.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// ReadStates reads a file of states, all of it or nothing.
func ReadStates(path string) (map[string]*State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	states, err := DecodeStates(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return states, nil
}

var errCut = errors.New("the file is damaged: it ends too early")

// summed reads and sums what it has read; left bounds what is still there.
type summed struct {
	r    io.Reader
	sum  hash.Hash
	left int64
}

func (r *summed) bytes(n uint64) ([]byte, error) {
	if n > uint64(max(r.left, 0)) {
		return nil, errCut
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.r, b); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errCut
		}
		return nil, err
	}
	r.left -= int64(n)
	r.sum.Write(b)
	return b, nil
}

func (r *summed) u32() (uint64, error) {
	b, err := r.bytes(4)
	if err != nil {
		return 0, err
	}
	return uint64(binary.LittleEndian.Uint32(b)), nil
}

func (r *summed) text() (string, error) {
	n, err := r.u32()
	if err != nil {
		return "", err
	}
	b, err := r.bytes(n)
	return string(b), err
}

// DecodeStates reads states from size bytes.
func DecodeStates(from io.Reader, size int64) (map[string]*State, error) {
	r := &summed{bufio.NewReaderSize(from, 1<<20), sha256.New(), size}
	magic, err := r.bytes(uint64(len(stateMagic)))
	if err != nil || string(magic) != stateMagic {
		return nil, errors.New("this is no stored state of Synfire")
	}
	version, err := r.u32()
	switch {
	case err != nil:
		return nil, err
	case version > StateVersion:
		return nil, fmt.Errorf("the state was stored in version %d of the format, this program reads up to %d: take a newer one", version, StateVersion)
	case version == 0:
		return nil, errors.New("the file is damaged: version 0")
	}
	count, err := r.u32()
	if err != nil {
		return nil, err
	}
	out := map[string]*State{}
	for range count {
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		s := NewState()
		fields, err := r.u32()
		if err != nil {
			return nil, err
		}
		for range fields {
			of, err := r.text()
			if err != nil {
				return nil, err
			}
			head, err := r.bytes(9)
			if err != nil {
				return nil, err
			}
			k, n := Kind(head[0]), binary.LittleEndian.Uint64(head[1:])
			if k >= kinds || n > uint64(max(r.left, 0)) {
				return nil, fmt.Errorf("the file is damaged: field %q of kind %d has %d elements", of, head[0], n)
			}
			data, err := r.bytes(n * uint64(kindSize[k]))
			if err != nil {
				return nil, err
			}
			if s.Has(of) {
				return nil, fmt.Errorf("the file is damaged: field %q is there twice", of)
			}
			s.Put(of, k, data)
		}
		if out[name] != nil {
			return nil, fmt.Errorf("the file is damaged: state %q is there twice", name)
		}
		out[name] = s
	}
	want := r.sum.Sum(nil)
	got, err := r.bytes(sha256.Size)
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(got, want):
		return nil, errors.New("the file is damaged: its checksum does not fit")
	case r.left > 0:
		return nil, fmt.Errorf("the file is damaged: %d bytes stand behind its end", r.left)
	}
	return out, nil
}
