package main

import (
	"fmt"
	"os"

	"synfire/engine/store"
)

// showArray is the program npy of the test scripts: it prints the shape and the first values of array files.
func showArray(files []string) int {
	for _, f := range files {
		a, err := store.ReadArray(f)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(f, string(a.Kind), a.Shape, a.F[:min(len(a.F), 8)])
	}
	return 0
}
