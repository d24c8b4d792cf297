package engine

import (
	"errors"
	"fmt"

	"synfire/engine/eqn"
)

// ErrInterrupted is what Run returns when its context ends: everything recorded
// until then is kept.
var ErrInterrupted = errors.New("interrupted")

// unknown is the error for a name that does not exist, with the nearest one.
func unknown(name, what string, known []string) error {
	msg := fmt.Sprintf("%q is not a %s", name, what)
	if near := eqn.Nearest(name, known); near != "" {
		msg += "; " + near
	}
	return errors.New(msg)
}

// errorAt is an error at a place in a model's text.
func errorAt(at eqn.Pos, format string, a ...any) error { return eqn.At(at, "", format, a...) }
