package kernels

// ForceSpans makes small plans run several steps on a block of lanes at a time,
// as large ones do; the result undoes it.
func ForceSpans() (undo func()) {
	old := nearBytes
	nearBytes = 0
	return func() { nearBytes = old }
}
