package main

import (
	"fmt"
	"os"
	"strings"

	"synfire/engine/store"
)

// showArray is the program npy of the test scripts: it prints the shape and the first values of array files.
func showArray(files []string) int {
	for _, f := range files {
		a, err := store.ReadArray(f)
		if err != nil { // as numpy reads it: a killed run may have written values that its header does not count yet
			if _, text, ok := strings.Cut(err.Error(), ": "); ok {
				var rest int
				if n, _ := fmt.Sscanf(text, "%d bytes follow", &rest); n == 1 {
					if b, e := os.ReadFile(f); e == nil {
						a, err = store.DecodeNPY(b[:len(b)-rest])
					}
				}
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(f, string(a.Kind), a.Shape, a.F[:min(len(a.F), 8)])
	}
	return 0
}
