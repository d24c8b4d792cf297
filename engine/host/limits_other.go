//go:build !linux

package host

// limits are not known here.
func limits() []limit { return nil }
