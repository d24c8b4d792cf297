package model

import (
	"errors"
	"fmt"

	"synfire/engine/eqn"
	"synfire/engine/host"
)

// ErrInterrupted is what Run returns when its context ends: everything recorded
// until then is kept.
var ErrInterrupted = host.ErrInterrupted

// Work is the settings of a run that the work of building it asks: context,
// threads, memory. The zero value is never interrupted and takes what there is.
type Work = host.Work

// unknown is the error for a name that does not exist, with the nearest one.
func unknown(name, what string, known []string) error {
	msg := fmt.Sprintf("%q is not a %s", name, what)
	if near := eqn.Nearest(name, known); near != "" {
		msg += "; " + near
	}
	return errors.New(msg)
}

// ErrorAt is an error at a place in a model's text.
func ErrorAt(at eqn.Pos, format string, a ...any) error { return eqn.At(at, "", format, a...) }
