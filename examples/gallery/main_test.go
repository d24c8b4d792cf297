package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHeader reads what the header of an example says.
func TestHeader(t *testing.T) {
	e := header("cuba", `# cuba.star: a network of cells
# that fire.
#
# Method. Source: Vogels and Abbott (2005), "Title". It is small. Expect:
# 5 Hz,
#
#   a  b
# Gallery: --set n=10
load('stats.star', 'cv')
# Expect nothing here
`)
	if e == nil {
		t.Fatal("it is an example")
	}
	if e.what != "A network of cells that fire." || e.from() != `Vogels and Abbott (2005), "Title".` || strings.Join(e.flags, " ") != "--set n=10" {
		t.Errorf("%q, %q, %q", e.what, e.from(), e.flags)
	}
	if got := strings.Join(trim(e.expected), "\n"); got != "Expect:\n5 Hz,\n\n  a  b" {
		t.Errorf("expected is %q", got)
	}
	for _, text := range []string{"# other.star: a network.\n# Expect 5 Hz.\n", "# cuba.star: functions that others load.\n", "x = 1\n", ""} {
		if header("cuba", text) != nil {
			t.Errorf("%q is no example", text)
		}
	}
	if e := header("cuba", "# cuba.star: as in Brunel (2000) and Wang and Buzsaki 1996.\n# Expect 5 Hz.\n"); e == nil || e.from() != "Brunel 2000; Wang and Buzsaki 1996" {
		t.Errorf("%+v", e)
	}
}

// TestPage holds the page to its pictures: each is there, and all together are small.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/gallery.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\((gallery/\w+\.png)\)`).FindAllStringSubmatch(string(text), -1)
	if len(links) < 40 {
		t.Errorf("%d pictures", len(links))
	}
	size := int64(0)
	for _, l := range links {
		st, err := os.Stat(filepath.Join("../../docs", l[1]))
		if err != nil {
			t.Error(err)
			continue
		}
		size += st.Size()
	}
	if size > limit {
		t.Errorf("they take %d bytes", size)
	}
}
