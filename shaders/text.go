package shaders

import (
	"fmt"
	"strings"
)

// text is GLSL under construction that knows where each of its lines came from.
// It may be copied, which a strings.Builder must not be.
type text struct {
	glsl    []byte
	origins []string
	depth   int
}

func (t *text) String() string { return string(t.glsl) }

// add appends text as it is.
func (t *text) add(s string) { t.glsl = append(t.glsl, s...) }

// line appends one line, in which names of layouts stand for their numbers (<C.FAULT>); one that ends in { indents what follows, one that
// begins with } takes that back.
func (t *text) line(format string, args ...any) { t.from("", format, args...) }

// from appends a line that an instruction of the IR gave rise to.
func (t *text) from(origin, format string, args ...any) {
	s := named(fmt.Sprintf(format, args...))
	if strings.HasPrefix(s, "}") {
		t.depth--
	}
	t.add(strings.Repeat("\t", t.depth) + s + "\n")
	t.origins = append(t.origins, origin)
	if strings.HasSuffix(s, "{") {
		t.depth++
	}
}

// lines appends text of several lines that is already laid out.
func (t *text) lines(s string) {
	for l := range strings.Lines(named(s)) {
		t.add(strings.TrimSuffix(l, "\n") + "\n")
		t.origins = append(t.origins, "")
	}
}

// origin is the IR that line n, counted from 1, came from.
func (t *text) origin(n int) string {
	if n < 1 || n > len(t.origins) {
		return ""
	}
	return t.origins[n-1]
}
