//go:build egl && cgo && linux

package shaders

import (
	"encoding/binary"
	"os"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// The driver's text goes into the key, so that an update of it makes new
// binaries; so do the variables that choose another implementation behind the same text.
func (d *device) cacheKey(text string) string {
	return d.driverKey() + "\x00" + text
}

func (d *device) driverKey() string {
	return d.info.Vendor + "\n" + d.info.Name + "\n" + d.info.Version + "\n" + os.Getenv("LP_NATIVE_VECTOR_WIDTH")
}

// cached is the program of a key, 0 if it is not kept or the driver refuses it.
func (d *device) cached(key string) uint32 {
	if d.opt.NoCache || !d.binary || d.opt.Inject != "" {
		return 0
	}
	data := kept("shaders", key)
	if len(data) < 5 {
		return 0
	}
	p := gl.CreateProgram()
	gl.ProgramBinary(p, binary.LittleEndian.Uint32(data), unsafe.Pointer(&data[4]), int32(len(data)-4))
	var ok int32
	gl.GetProgramiv(p, gl.LINK_STATUS, &ok)
	gl.GetError()
	if ok == 0 {
		gl.DeleteProgram(p)
		return 0
	}
	return p
}

// keep keeps a linked program.
func (d *device) keep(key string, p uint32) {
	if d.opt.NoCache || !d.binary || d.opt.Inject != "" {
		return
	}
	var n int32
	if gl.GetProgramiv(p, gl.PROGRAM_BINARY_LENGTH, &n); n <= 0 {
		return
	}
	data := make([]byte, 4+n)
	var format uint32
	gl.GetProgramBinary(p, n, &n, &format, unsafe.Pointer(&data[4]))
	if gl.GetError() != gl.NO_ERROR {
		return
	}
	binary.LittleEndian.PutUint32(data, format)
	keep("shaders", key, data[:4+n])
}
