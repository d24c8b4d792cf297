package model

import (
	"errors"
	"fmt"
	"strings"

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
	article := "a"
	if strings.ContainsAny(what[:1], "aeiou") {
		article = "an"
	}
	msg := fmt.Sprintf("%q is not %s %s", name, article, what)
	if near := eqn.Nearest(name, known); near != "" {
		msg += "; " + near
	}
	return eqn.As(eqn.UnknownName, errors.New(msg))
}

// ArgError is an error about one argument, under the name that a script gives it.
type ArgError struct {
	Arg string // "threshold"
	Err error  // what is wrong with it
}

// Error is the text of Err, which names the argument.
func (e *ArgError) Error() string { return e.Err.Error() }

// Unwrap gives Err.
func (e *ArgError) Unwrap() error { return e.Err }

func argErrorf(arg, format string, a ...any) error {
	return &ArgError{arg, fmt.Errorf(format, a...)}
}

// ErrorAt is an error at a place in a model's text.
func ErrorAt(at eqn.Pos, format string, a ...any) *eqn.Error { return eqn.At(at, "", format, a...) }
