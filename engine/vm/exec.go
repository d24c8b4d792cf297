//go:build linux && amd64

package vm

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// enter calls machine code; see enter_amd64.s.
func enter(code uintptr, ptrs, data unsafe.Pointer, n int)

// executable is memory that holds code: writable while it is filled, then
// executable, never both.
type executable struct{ mem []byte }

func newExecutable(code []byte) (*executable, error) {
	page := syscall.Getpagesize()
	size := (len(code) + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("vm: no memory for %d bytes of machine code: %w; SYNFIRE_SIMD=scalar does without", size, err)
	}
	copy(mem, code)
	if err := syscall.Mprotect(mem, syscall.PROT_READ|syscall.PROT_EXEC); err != nil {
		syscall.Munmap(mem)
		return nil, fmt.Errorf("vm: memory may not be made executable: %w; SYNFIRE_SIMD=scalar does without", err)
	}
	return &executable{mem}, nil
}

func (x *executable) entry() uintptr { return uintptr(unsafe.Pointer(&x.mem[0])) }

func (x *executable) close() { syscall.Munmap(x.mem) }

// canExecute tries once whether the system lets memory be made executable.
var canExecute = sync.OnceValue(func() bool {
	x, err := newExecutable([]byte{0xc3}) // ret
	if err != nil {
		return false
	}
	var word uint64
	enter(x.entry(), unsafe.Pointer(&word), unsafe.Pointer(&word), 0)
	x.close()
	return true
})
