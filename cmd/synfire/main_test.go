package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"synfire": main,
		"npy":     func() { os.Exit(showArray(os.Args[1:])) },
	})
}

// TestScripts runs the command as a user does: testdata/script, one file for each story.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true})
}
