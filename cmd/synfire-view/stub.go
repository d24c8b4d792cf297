//go:build !viewer

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, `synfire-view was built without its window. "make view" installs what the window needs (xorg-dev and libgl1-mesa-dev on Debian and Ubuntu) and builds it; by hand: go build -tags viewer ./cmd/synfire-view`)
	os.Exit(2)
}
