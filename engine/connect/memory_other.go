//go:build !linux

package connect

import "unsafe"

// memory is an allocation: plain where the system has no huge pages to ask for.
type memory struct{ all []uint64 }

func (m *memory) bytes(n int) ([]byte, error) {
	m.all = make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m.all))), n), nil
}

func (m *memory) huge() int64 { return 0 }
func (m *memory) free()       { m.all = nil }
