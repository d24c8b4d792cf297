// Package models holds the library of models: scripts in Synfire's language, one
// function in each, which has the file's name and gives the arguments of
// NeuronGroup() or Synapses() as a dictionary. A file's header has the equations,
// their source and a figure to expect. Package script gives these functions to
// every script.
package models

import "embed"

// FS holds the scripts, by their file names.
//
//go:embed *.star
var FS embed.FS
