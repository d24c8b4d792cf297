// Package docs holds the documentation; its test runs every block of code.
package docs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

// TestCode runs every ```python block of the documentation and of the README.
func TestCode(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		line := 1
		for k, part := range strings.Split(string(text), "```") {
			if code, ok := strings.CutPrefix(part, "python\n"); ok && k%2 == 1 {
				ran++
				set := map[string]string{}
				if strings.Contains(code, "param('duration'") {
					set["duration"] = "20*ms"
				}
				_, err := script.Run(context.Background(), script.Options{File: page, Src: []byte(strings.Repeat("\n", line) + code), Set: set,
					Open: func() (backend.Backend, error) { return kernels.New(2), nil }})
				if err != nil {
					t.Errorf("%s, line %d: %v", page, line, err)
				}
			}
			line += strings.Count(part, "\n")
		}
	}
	if ran < 5 {
		t.Errorf("%d blocks ran: the pages were not found", ran)
	}
}

// TestMeasures holds the page against the table from which the functions of analysis are made.
func TestMeasures(t *testing.T) {
	text, err := os.ReadFile("language.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := script.MeasureTable(); !strings.Contains(string(text), table) {
		t.Errorf("language.md does not show the functions of analysis as they are; the table is\n%s", table)
	}
}
