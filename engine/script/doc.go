// Package script is the Starlark front end: it runs a model script, whose
// vocabulary is Brian2's, on package engine. It adds nothing but syntax: the
// objects of a network as values of the script, beside the quantities and arrays
// of package array. See design section 1 for the language.
//
//	res, err := script.Run(ctx, script.Options{File: "cuba.star", Open: openCPU, Stdout: os.Stdout})
//
// Errors print their place: file, line, column, the line with a caret, and what
// to do. They carry an *eqn.Error and the cause (errors.As, errors.Is).
package script
