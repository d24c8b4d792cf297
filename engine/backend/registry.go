package backend

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Options are what a user says of a backend as it is opened; each takes what
// concerns it.
type Options struct {
	Threads      int             // at most so many; 0: as many as there are processors
	FixedThreads bool            // Threads of them, whatever happens
	Device       string          // number or part of the name of a device; "": the first
	AllowInexact bool            // also a device that fails its self-test
	Inject       string          // a fault, for tests of those who compare
	Ctx          context.Context // ends what takes long as it opens; nil: nothing does
}

type maker struct {
	name string
	open func(Options) (Backend, error)
}

var makers []maker

// Register makes a backend known by name. Packages of backends do so as they are
// imported; the definition of all others, ref, comes first among Names.
func Register(name string, open func(Options) (Backend, error)) {
	makers = append(makers, maker{name, open})
	slices.SortFunc(makers, func(a, b maker) int {
		if first := (b.name == "ref"); first != (a.name == "ref") {
			if first {
				return 1
			}
			return -1
		}
		return strings.Compare(a.name, b.name)
	})
}

// Names lists the backends of this program.
func Names() []string {
	var out []string
	for _, m := range makers {
		out = append(out, m.name)
	}
	return out
}

// Open opens a backend by name.
func Open(name string, o Options) (Backend, error) {
	for _, m := range makers {
		if m.name == name {
			return m.open(o)
		}
	}
	return nil, fmt.Errorf("there is no backend %q; there are %s", name, strings.Join(Names(), ", "))
}
