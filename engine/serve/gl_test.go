package serve

import (
	"errors"
	"testing"

	"synfire/engine/backend"
	"synfire/shaders"
)

func init() {
	opened["gl"] = func() (backend.Backend, error) { return shaders.Open(shaders.Options{}) }
}

// needs skips a test on a backend that the machine has not.
func needs(t *testing.T, name string) {
	if name != "gl" {
		return
	}
	be, err := opened[name]()
	var dev *shaders.DeviceError
	if errors.As(err, &dev) && dev.Kind == shaders.NoDevice {
		t.Skipf("no device: %v", err)
	}
	if err == nil {
		be.Close()
	}
}
