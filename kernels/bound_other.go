//go:build !linux

package kernels

// bind is for systems on which a thread can be bound to a processor.
func (t *thread) bind() {}
