// Package examples holds the example models, so that the benchmarks run the very
// files that a reader finds here.
package examples

import "embed"

// FS holds the scripts, by their file names.
//
//go:embed *.star
var FS embed.FS
