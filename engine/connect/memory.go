package connect

import "unsafe"

// pad is how much longer than its length an array of entries is, in bytes, so that vector loads
// may read past its end.
const pad = 64

// allocate gives a slice of n zeros with at least pad bytes of capacity beyond.
func allocate[T any](m *memory, n int) ([]T, error) {
	var t T
	size := int(unsafe.Sizeof(t))
	b, err := m.bytes(n*size + pad)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/size)[:n], nil
}
