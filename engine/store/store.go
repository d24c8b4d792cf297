// Package store reads and writes what a run leaves on disk: a directory with a manifest, run.json, and plain NumPy
// arrays (design section 1, "What a run writes"); and it reads the arrays that a model brings, .npy and .csv.
//
// A run directory is written in the order
//
//	d, err := store.Create("out")               // refuses a directory that holds something else than an earlier run; locks it
//	err = d.Start(&m, "S/t")                    // status "running"; the arrays of an earlier run go, those named will be made
//	w, err := d.Vector("S/t", store.Float64)    // out/S/t.npy
//	err = w.AppendFloat64(times)
//	err = w.Flush()                             // readable up to here, whatever happens to the process
//	err = d.Finish(&m)                          // all on the disk, status "complete", "interrupted" or "failed"
//
// so that whatever happens, run.json tells in what state the rest is. Every error names the file, and one of a write
// says how much of it is kept.
package store
