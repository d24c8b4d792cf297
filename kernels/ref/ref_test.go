package ref_test

import (
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/kernels/ref"
)

func TestBackend(t *testing.T) {
	backendtest.Run(t, func(testing.TB) backend.Backend { return ref.New() })
}
