package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"synfire/engine"
	"synfire/engine/eqn"
)

// terminal is what is known about an output.
type terminal struct {
	live  bool // a person looks at it: lines may be overwritten
	color bool
	width int // columns
}

func newTerminal(f *os.File) terminal {
	t := terminal{width: 80, live: term.IsTerminal(int(f.Fd()))}
	if t.live {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			t.width = w
		}
		_, no := os.LookupEnv("NO_COLOR")
		t.live = os.Getenv("TERM") != "dumb"
		t.color = t.live && !(no && os.Getenv("NO_COLOR") != "")
	}
	return t
}

func (t terminal) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t terminal) red(s string) string   { return t.paint("1;31", s) }
func (t terminal) bold(s string) string  { return t.paint("1", s) }
func (t terminal) faint(s string) string { return t.paint("2", s) }
func (t terminal) amber(s string) string { return t.paint("33", s) }

// printError prints an error; one of a script comes with its place, line and caret, which stand out.
func printError(env *environment, err error) {
	if errors.Is(err, engine.ErrInterrupted) {
		fmt.Fprintln(env.err, err)
		return
	}
	var at *eqn.Error
	text := err.Error()
	if errors.As(err, &at) && at.File != "" {
		lines := strings.Split(text, "\n")
		lines[0] = env.errTerm.bold(lines[0])
		for k, l := range lines {
			if s := strings.TrimSpace(l); s != "" && strings.Trim(s, "^~") == "" {
				lines[k] = env.errTerm.red(l)
			}
		}
		fmt.Fprintln(env.err, strings.Join(lines, "\n"))
		return
	}
	fmt.Fprintf(env.err, "%s %s\n", env.errTerm.red("error:"), text)
}
