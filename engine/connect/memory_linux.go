package connect

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

const (
	hugePage = 2 << 20 // of x86-64; arm64 with 4 KiB pages has the same
	// madvHugepage is MADV_HUGEPAGE of linux/mman.h.
	madvHugepage = 14
)

// memory is an allocation outside Go's heap, on huge pages where the system
// gives them. Small ones are plain.
type memory struct {
	all    []byte // as mapped
	lo, hi uintptr
	plain  []uint64
}

// bytes allocates n zero bytes.
func (m *memory) bytes(n int) ([]byte, error) {
	if n < hugePage {
		m.plain = make([]uint64, (n+7)/8)
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m.plain))), n), nil
	}
	all, err := syscall.Mmap(-1, 0, n+hugePage, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("%d MB for synapses: %w", n>>20, err)
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(all)))
	skip := int(-at % hugePage) // the first huge page begins here; what lies before is never touched
	m.all, m.lo, m.hi = all, at+uintptr(skip), at+uintptr(skip+n)
	_ = syscall.Madvise(all[skip:], madvHugepage) // only advice: without it the pages are small
	return all[skip : skip+n], nil
}

// huge is the number of bytes that lie on huge pages, from /proc/self/smaps.
func (m *memory) huge() int64 {
	if m.all == nil {
		return 0
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0
	}
	defer f.Close()
	var sum int64
	var inside bool
	var share int64 // the kernel may have joined neighbouring mappings
	for scan := bufio.NewScanner(f); scan.Scan(); {
		line := scan.Text()
		var a, b uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x", &a, &b); n == 2 && !strings.Contains(line[:min(len(line), 16)], ":") {
			inside = a < m.hi && m.lo < b
			share = int64(min(b, m.hi)) - int64(max(a, m.lo))
			continue
		}
		var kb int64
		if inside && strings.HasPrefix(line, "AnonHugePages:") {
			if n, _ := fmt.Sscanf(line, "AnonHugePages: %d kB", &kb); n == 1 {
				sum += min(kb<<10, share)
			}
		}
	}
	return sum
}

func (m *memory) free() {
	if m.all != nil {
		_ = syscall.Munmap(m.all) // fails only for what was not mapped
	}
	*m = memory{}
}
