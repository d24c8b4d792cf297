//go:build !(egl && cgo && linux)

package shaders

import "synfire/engine/backend"

const absent = `this build has no OpenGL. On Debian or Ubuntu install what it needs with "apt-get install gcc pkg-config libegl1 libgl1-mesa-dri" (Fedora: gcc pkgconf mesa-libEGL) and build again with "make"; --backend cpu gives the same bits`

// Devices lists the devices that can be opened; this build has none.
func Devices() ([]DeviceInfo, error) {
	return nil, &DeviceError{Kind: NoDevice, Detail: absent}
}

// PassedOver says what hardware cannot be opened; this build looks for none.
func PassedOver([]DeviceInfo) string { return "" }

// Open opens the gl backend on a device; this build cannot.
func Open(Options) (backend.Backend, error) {
	return nil, &DeviceError{Kind: NoDevice, Detail: absent}
}
