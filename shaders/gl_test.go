//go:build egl && cgo && linux

package shaders

import (
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
)

// open opens the gl backend for a test, and skips the test where there is no device.
func open(t testing.TB, opt Options) backend.Backend {
	t.Helper()
	b, err := Open(opt)
	if err != nil {
		t.Skipf("no device: %v", err)
	}
	return b
}

func TestBackend(t *testing.T) {
	backendtest.Run(t, func(t testing.TB) backend.Backend { return open(t, Options{}) })
}
