//go:build !amd64

package kernels

import "unsafe"

func fetch(unsafe.Pointer, int) {}

func fetchEach(unsafe.Pointer, *uint32, int) {}
