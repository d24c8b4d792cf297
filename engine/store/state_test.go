package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func someStates() map[string]*State {
	a, b := NewState(), NewState()
	a.Put("P.v", Words, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	a.Put("t", Float64s, make([]byte, 8))
	a.Put("", Text, nil)
	b.Put("objects", Text, []byte("P\nQ"))
	return map[string]*State{"default": a, "other": b}
}

func written(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	if err := WriteStates(path, someStates()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStates: what was written is read; every cut and every changed bit is told.
func TestStates(t *testing.T) {
	whole := written(t)
	read := func(b []byte) (map[string]*State, error) { return DecodeStates(bytes.NewReader(b), int64(len(b))) }
	got, err := read(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range someStates() {
		for _, f := range s.Names() {
			want, have := s.fields[f], got[name].fields[f]
			if want.kind != have.kind || !bytes.Equal(want.data, have.data) {
				t.Errorf("%s %q: %v, expected %v", name, f, have, want)
			}
		}
	}
	for n := range len(whole) {
		if _, err := read(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a state", n, len(whole))
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x10
		if _, err := read(flipped); err == nil {
			t.Fatalf("a changed byte %d is not told", n)
		}
	}
	if _, err := read(append(bytes.Clone(whole), 0)); err == nil || !strings.Contains(err.Error(), "behind its end") {
		t.Error(err)
	}
	newer := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(newer[len(stateMagic):], StateVersion+1)
	if _, err := read(newer); err == nil || !strings.Contains(err.Error(), "take a newer one") {
		t.Error(err)
	}
	huge := bytes.Clone(whole[:len(stateMagic)+8])
	huge = append(huge, 0xff, 0xff, 0xff, 0xff)
	if _, err := read(huge); err == nil {
		t.Error("a name of 4 GB")
	}
}

// TestStateFileStays: where a new state cannot be written, the old one stays.
func TestStateFileStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	if err := WriteStates(path, someStates()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteStates(filepath.Join(dir, "nowhere", "state"), someStates()); err == nil {
		t.Error("written into a folder that is not there")
	}
	if err := WriteStates(filepath.Join(dir, "full"), someStates()); err == nil {
		t.Error("written over a folder")
	}
	if _, err := ReadStates(path); err != nil {
		t.Error(err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("%d entries are left", len(list))
	}
}

func FuzzDecodeStates(f *testing.F) {
	f.Add([]byte(stateMagic))
	f.Add(append([]byte(stateMagic), 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'x', 1, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) { DecodeStates(bytes.NewReader(b), int64(len(b))) })
}
