//go:build egl && cgo && linux

package engine_test

import (
	"errors"
	"testing"

	"synfire/engine/backend"
	"synfire/shaders"
)

func init() {
	everyBackend["gl"] = func(t testing.TB) backend.Backend {
		b, err := shaders.Open(shaders.Options{})
		var dev *shaders.DeviceError
		if errors.As(err, &dev) && dev.Kind == shaders.NoDevice {
			t.Skipf("no device: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}
