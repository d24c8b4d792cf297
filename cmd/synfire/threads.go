package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// threads is what --threads says: at most N, 0 for as many as there are processors, or N! for N whatever happens.
type threads struct {
	n     int
	fixed bool
}

// mostFixed is the most threads that may be asked for beyond the processors there are.
const mostFixed = 1024

// UnmarshalText reads the option.
func (t *threads) UnmarshalText(text []byte) error {
	number, fixed := strings.CutSuffix(string(text), "!")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 0 || fixed && n == 0:
		return fmt.Errorf("%q is no number of threads: 4 takes 4 at the most, 4! takes 4 whatever else runs, 0 as many as there are processors", text)
	case fixed && n > mostFixed:
		return fmt.Errorf("%s: at most %d threads (this process may use %d processors)", text, mostFixed, runtime.GOMAXPROCS(0))
	}
	*t = threads{n, fixed}
	return nil
}

// forBuilding is the number of threads for work on the host, 0 for all cores.
func (t threads) forBuilding() int {
	if !t.fixed {
		return min(t.n, runtime.GOMAXPROCS(0))
	}
	return t.n
}

// ofRank is the number of threads of each of several processes, for whatever they do: others of them are on the same machine.
func (t threads) ofRank() int { return max(t.n, 1) }

// beyond says that more threads were asked for than there are processors, "" where they were not.
func (t threads) beyond() string {
	if most := runtime.GOMAXPROCS(0); !t.fixed && t.n > most {
		return fmt.Sprintf("--threads %d: this process may use %d processors, so that at most %d threads will be at work", t.n, most, most)
	}
	return ""
}
