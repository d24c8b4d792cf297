package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
)

// Bool is the type of truth values, which Save writes.
const Bool DType = "|b1"

// Save writes values, of that shape in C order, into a new .npy file. Where that fails
// nothing is left of it.
func Save(path string, t DType, shape []int, values []float64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(header(t, false, shape))
	buf := make([]byte, 0, bufferBytes)
	for len(values) > 0 && err == nil {
		some := values[:min(len(values), bufferBytes/8)]
		values, buf = values[len(some):], buf[:0]
		for _, x := range some {
			switch t {
			case Float64:
				buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(x))
			case Float32:
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(float32(x)))
			case Int64:
				buf = binary.LittleEndian.AppendUint64(buf, uint64(int64(x)))
			case Int32:
				buf = binary.LittleEndian.AppendUint32(buf, uint32(int32(x)))
			default:
				buf = append(buf, truth(x))
			}
		}
		_, err = f.Write(buf)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("nothing is kept of it: %w", err)
	}
	return nil
}

func truth(x float64) byte {
	if x != 0 {
		return 1
	}
	return 0
}
