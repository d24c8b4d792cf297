// Package docs holds the documentation; its test runs every block of code.
package docs

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
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

// TestAdding looks up what adding.md names: files, tests, targets of make; its Go code is that of an example that runs.
func TestAdding(t *testing.T) {
	b, err := os.ReadFile("adding.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	files := regexp.MustCompile(`(?:engine|docs|examples|kernels|shaders|cmd|bench)/[A-Za-z0-9_/]+(?:\.[a-z]+)?`).FindAllString(page, -1)
	if len(files) < 20 {
		t.Errorf("only %d files: the page has changed its form", len(files))
	}
	for _, f := range files {
		if strings.Contains(f, "NAME") {
			f = filepath.Dir(f)
		}
		if _, err := os.Stat("../" + f); err != nil {
			t.Errorf("adding.md names %s: %v", f, err)
		}
	}
	var tests strings.Builder
	for _, dir := range []string{"../engine/models", "../engine/script", "../examples"} {
		list, _ := filepath.Glob(dir + "/*_test.go")
		for _, f := range list {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(tests.String(), "func "+name[1]+"(t *testing.T)") {
			t.Errorf("adding.md names %s: there is no such test", name[1])
		}
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`make ([a-z-]+)").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(string(makefile), "\n"+name[1]+":") {
			t.Errorf("adding.md names make %s: there is no such target", name[1])
		}
	}
	example, err := os.ReadFile("../engine/backend/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(page, "```go\n")
	if code, _, _ = strings.Cut(code, "```"); code == "" || !strings.Contains(string(example), code) {
		t.Error("the code of adding.md is not that of engine/backend/example_test.go")
	}
}

// TestIndex: README.md names every page, and every link of a page leads to a file.
func TestIndex(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([a-z0-9A-Z_./-]+)\)`).FindAllStringSubmatch(string(b), -1) {
			if _, err := os.Stat(link[1]); err != nil {
				t.Errorf("%s has a link to %s: %v", page, link[1], err)
			}
		}
		if page == "README.md" {
			for _, other := range pages {
				if other != page && !strings.Contains(string(b), "("+other+")") {
					t.Errorf("docs/README.md does not name %s", other)
				}
			}
		}
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
