package serve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxFrame bounds a frame, in bytes; arrays go through files.
const maxFrame = 64 << 20

// errFrame says that a stream cannot be read on.
var errFrame = errors.New("frame")

// readFrame reads a length and so many bytes; io.EOF: the stream ends between two frames.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(r, head[:]); err == io.EOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, fmt.Errorf("%w: the stream ends after %d bytes of a length of 4", errFrame, n)
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n > maxFrame {
		return nil, fmt.Errorf("%w: a length of %d bytes, the longest has %d: send arrays as files", errFrame, n, maxFrame)
	}
	var b []byte
	for int64(len(b)) < n { // a length alone takes no memory
		piece := make([]byte, min(n-int64(len(b)), 1<<20))
		k, err := io.ReadFull(r, piece)
		if b = append(b, piece[:k]...); err != nil {
			return nil, fmt.Errorf("%w: the stream ends after %d bytes of %d", errFrame, len(b), n)
		}
	}
	return b, nil
}

// writeFrame writes one.
func writeFrame(w io.Writer, b []byte) error {
	if len(b) > maxFrame {
		return fmt.Errorf("an answer of %d bytes is too long for a frame", len(b))
	}
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	_, err := w.Write(append(out, b...))
	return err
}
