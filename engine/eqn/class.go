package eqn

import "errors"

// Class is what an error is about, for programs that tell errors apart.
type Class string

// The classes of errors, beside those that have a type of their own.
const (
	Dimension   Class = "dimension"   // units do not agree
	UnknownName Class = "name"        // there is nothing of a name
	BadIndex    Class = "index"       // outside, or no index
	Syntax      Class = "syntax"      // a text cannot be read
	Unsupported Class = "unsupported" // Brian2 has it
	Interrupted Class = "interrupted"
)

// classed is an error of a class.
type classed struct {
	error
	class Class
}

func (e *classed) Unwrap() error { return e.error }

// As says of what class an error is; one that has a class keeps it.
func As(c Class, err error) error {
	if err == nil || c == "" || ClassOf(err) != "" {
		return err
	}
	return &classed{err, c}
}

// ClassOf is the class of an error, "" where nothing was said of it.
func ClassOf(err error) Class {
	var k *classed
	var e *Error
	switch {
	case errors.As(err, &k):
		return k.class
	case errors.As(err, &e):
		return e.Class
	}
	return ""
}
